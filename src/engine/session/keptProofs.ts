import { externalDataPath } from '../files/modelFiles';
import type { KeptProofs } from '../files/proofShelf';
import type { PartRuntime } from './openPart';

/** To be counted up whenever something else is proven, or in another way. */
const version = 1;

/**
 * What proofs of a model depend on: its graph byte by byte, with all small tensors; size and time of the file and of those with its weights, which are not read
 * for it; the version and build of the runtime. Undefined where this host cannot tell when a file was changed: then nothing is kept.
 */
async function provenOf({ ort, files, isNative }: PartRuntime): Promise<readonly Uint8Array[] | undefined> {
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
    const facts = JSON.stringify({ version, runtime: ort.env.versions, isNative, versions });
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
export async function modelProofs(runtime: PartRuntime): Promise<ModelProofs> {
  const { proofs: shelf } = runtime.files.access;
  const of = await provenOf(runtime);
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
