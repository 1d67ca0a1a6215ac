/**
 * That a layer's output is the sum of what its heads write, or that values weighted by its weights are what its operator gave: how far both lie
 * apart at most, as a part of the largest number; `isExact` where it is no more than arithmetic leaves.
 */
export interface Proven {
  readonly difference: number;
  readonly isExact: boolean;
}

/** What was proven of the sites of a model, by their paths. */
export type KeptProofs = ReadonlyMap<string, Proven>;

/** Keeps what was proven of models over loads. */
export interface ProofShelf {
  /** What is kept of a model; empty where nothing is. */
  read(of: readonly Uint8Array[]): Promise<KeptProofs>;
  write(of: readonly Uint8Array[], proofs: KeptProofs): Promise<void>;
}
