export declare const bundledProfiles: Readonly<
  Record<string, { readonly texts: readonly string[]; readonly length: number }>
>;
export declare function makeProfiles(out: string): void;
