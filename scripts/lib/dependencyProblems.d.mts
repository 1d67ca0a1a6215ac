/** The parts of the manifest, the lock and the guide that tell of dependencies. */
export interface DependencyFacts {
  readonly manifest: {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  readonly lock: { readonly packages: Readonly<Record<string, object>> };
  /** The text of CONTRIBUTING.md. */
  readonly guide: string;
}

export declare function dependencyProblems(facts: DependencyFacts): string[];
