import type { PlacedSite } from '../../onnx/name/describeSites';
import type { WeightedValues } from '../../onnx/name/site';
import { externalDataPath } from '../files/modelFiles';
import type { KeptProofs, Proven } from '../files/proofShelf';
import type { Proof } from '../weights/attentionProof';
import type { PartRuntime } from './openPart';

/** To be counted up whenever something else is proven, or in another way. */
const version = 1;

/** What is proven: that what heads write adds up to what the projection gives, that weights are those that an operator used, or that queries and keys are positions. */
export type ProofKind = 'written' | 'weighted' | 'positions';

/**
 * What proofs of a model depend on: its graph byte by byte, with all small tensors; size and time of the file and of those with its weights, which are not read
 * for it; the version and build of the runtime. Undefined where this host cannot tell when a file was changed: then nothing is kept.
 */
async function provenOf(
  { ort, files, build }: PartRuntime,
  kind: ProofKind,
): Promise<readonly Uint8Array[] | undefined> {
  const { access, path, analysis } = files;
  if (access.proofs === undefined || access.version === undefined) return undefined;
  const { model } = analysis.index;
  const others = new Set(
    model.graph.initializers.flatMap(({ external }) =>
      external === undefined || external.location === model.ownFile ? [] : [external.location],
    ),
  );
  try {
    const paths = [path, ...[...others].sort().map((location) => externalDataPath(path, location))];
    const versions = [];
    for (const each of paths) versions.push(await access.version(each));
    const facts = JSON.stringify({ version, kind, runtime: ort.env.versions, build: build.name, versions });
    return [new TextEncoder().encode(facts), model.bytes];
  } catch {
    // A file that is gone is told of where it is needed.
    return undefined;
  }
}

/** What is kept of a model, and how to keep more of it. */
export interface ModelProofs {
  readonly kept: KeptProofs;
  keep(proofs: KeptProofs): Promise<void>;
}

/** Reads what is kept of a model's proofs. */
export async function modelProofs(runtime: PartRuntime, kind: ProofKind): Promise<ModelProofs> {
  const { proofs: shelf } = runtime.files.access;
  const of = await provenOf(runtime, kind);
  if (shelf === undefined || of === undefined) return { kept: new Map(), keep: async () => {} };
  const kept = await shelf.read(of);
  return {
    kept,
    keep: async (proofs) => {
      const all = new Map([...kept, ...proofs]);
      if (all.size > kept.size) await shelf.write(of, all);
    },
  };
}

/** What is proven of the weights that a model's operators give, over loads: on the processor, and by the runtime that proved it. */
export class ProvenWeights {
  readonly #kept: ModelProofs | undefined;
  /** Sites that are yet to be proven, and how. */
  readonly left: ReadonlyMap<PlacedSite, WeightedValues | string>;

  private constructor(kept: ModelProofs | undefined, left: ReadonlyMap<PlacedSite, WeightedValues | string>) {
    this.#kept = kept;
    this.left = left;
  }

  /**
   * Reads which of a model's sites are proven.
   * @param isKept whether what is proven holds over loads: it does not where all are to be proven anew, nor on graphics devices, of which each has its own ways.
   */
  static async read(
    runtime: PartRuntime,
    sites: ReadonlyMap<PlacedSite, WeightedValues | string>,
    isKept: boolean,
  ): Promise<ProvenWeights> {
    if (sites.size === 0 || !isKept) return new ProvenWeights(undefined, sites);
    const kept = await modelProofs(runtime, 'weighted');
    return new ProvenWeights(kept, new Map([...sites].filter(([{ path }]) => !kept.kept.has(path))));
  }

  /** Keeps what a run has proven; what failed, or could not be made, is tried, and told, at each load. */
  async keep(proofs: ReadonlyMap<PlacedSite, Proof>, isCoarse: boolean): Promise<void> {
    const made = [...proofs].flatMap(([{ path }, proof]): [string, Proven][] =>
      'failure' in proof && proof.failure === '' ? [[path, { difference: proof.difference, isExact: !isCoarse }]] : [],
    );
    if (made.length > 0) await this.#kept?.keep(new Map(made));
  }
}
