import type { CacheLink } from '../../onnx/inputs/cacheLinks';
import { allocate, type InputPlan, type ModelInput, type TensorData } from '../../onnx/inputs/inputs';
import type { AttentionResult, AttentionSession, LayerWeights } from './attentionSession';
import type { OutputTensor } from '../runtime/feeds';
import type { ReadIds } from './readIds';

/** A continued run must agree with a whole one this closely before continued runs are trusted. */
const tolerance = 1e-4;

/** What is kept of a run. */
interface ReadText extends ReadIds {
  readonly result: AttentionResult;
  /** What each cache holds for all of `ids`, by the name of its input. */
  readonly caches: ReadonlyMap<string, OutputTensor>;
}

/** A run, and how much of it came from the runs before. */
export interface ContinuedResult {
  readonly result: AttentionResult;
  /** Number of tokens whose rows were computed by an earlier run. */
  readonly numReused: number;
}

/**
 * Runs a causal model on texts that are edited: rows of tokens before the first change stand as they are, and the model reads
 * only what follows, with the keys and values of what it has read. The first text is read twice, whole and continued from its
 * middle, and so is each that is twice as long as any before; where the two differ, every text is read whole from then on.
 */
export class ContinuedRuns {
  readonly #session: AttentionSession;
  readonly #plan: InputPlan;
  readonly #padId: number;
  readonly #links: readonly CacheLink[];
  #last: ReadText | undefined;
  /** Whether a continued run agreed with a whole one; undefined while none has been tried. */
  #isProven: boolean | undefined;
  /** Number of tokens of the longest text of which this is known: windows of attention show in long texts only. */
  #provenLength = 0;

  constructor(session: AttentionSession, plan: InputPlan, padId: number, links: readonly CacheLink[]) {
    this.#session = session;
    this.#plan = plan;
    this.#padId = padId;
    this.#links =
      plan.fixedLength === undefined &&
      plan.numItems === 1 &&
      links.every(({ input }) => session.inputNames.includes(input))
        ? links
        : [];
  }

  /** Whether the model can go on from what it has read; known after the first run of two tokens or more. */
  get isContinuing(): boolean {
    return this.#links.length > 0 && this.#isProven !== false;
  }

  /** Reads ids, from the first that differs from the text before. Throws `outOfMemory` or `runtimeFailed`. */
  async run(text: ReadIds): Promise<ContinuedResult> {
    const { ids } = text;
    const last = this.#last;
    const numSame =
      last === undefined || this.#isProven !== true || ids.length > 2 * this.#provenLength
        ? 0
        : commonLength(last.ids, ids);
    if (last !== undefined && numSame > 0) {
      if (numSame === ids.length) return { result: this.#cut(last, numSame), numReused: numSame };
      const continued = await this.#continue(last, text, numSame);
      if (continued !== undefined) return { result: continued, numReused: numSame };
    }
    return { result: await this.#runWhole(text), numReused: 0 };
  }

  /** Lets go of what is kept. */
  forget(): void {
    this.#last = undefined;
  }

  async #runWhole({ ids, typeIds }: ReadIds): Promise<AttentionResult> {
    this.#last = undefined;
    const { inputs, numTokens, numPositions } = this.#plan.make({ ids, typeIds, padId: this.#padId });
    const result = await this.#session.run(inputs, {
      numPositions,
      numTokens,
      outputs: this.isContinuing ? this.#links.map(({ output }) => output) : [],
    });
    const caches =
      this.isContinuing &&
      result.failed.length === 0 &&
      result.layers.every(({ isCausal }) => isCausal || ids.length === 1)
        ? this.#cachesOf(result, ids.length)
        : undefined;
    if (caches === undefined) return result;
    const read: ReadText = { ids, typeIds, result, caches };
    if (ids.length > 1 && (this.#isProven === undefined || ids.length > 2 * this.#provenLength)) {
      this.#isProven = await this.#agrees(read);
      this.#provenLength = ids.length;
    }
    if (this.#isProven !== false) this.#last = read;
    return result;
  }

  /** Runs what follows the first `numSame` ids; undefined where it does not fit to what was there. */
  async #continue(last: ReadText, { ids, typeIds }: ReadIds, numSame: number): Promise<AttentionResult | undefined> {
    const added = await this.#runAdded(last, { ids, typeIds }, numSame);
    const caches = added.failed.length === 0 ? this.#cachesOf(added, ids.length) : undefined;
    if (caches === undefined) return undefined;
    const layers = added.layers.flatMap((layer, i) => join(last.result.layers[i], layer, numSame) ?? []);
    if (layers.length !== last.result.layers.length) return undefined;
    const result: AttentionResult = { ...added, layers, report: last.result.report };
    this.#last = { ids, typeIds, result, caches };
    return result;
  }

  async #runAdded(last: ReadText, { ids, typeIds }: ReadIds, numSame: number): Promise<AttentionResult> {
    const past = {
      length: numSame,
      caches: new Map(
        this.#links.map(({ input, axis }): [string, ModelInput] => [
          input,
          cutCache(input, last.caches.get(input), axis, numSame),
        ]),
      ),
    };
    const { inputs, numTokens, numPositions } = this.#plan.make({ ids, typeIds, past, padId: this.#padId });
    return this.#session.run(inputs, {
      numPositions,
      numTokens,
      numPast: numSame,
      outputs: this.#links.map(({ output }) => output),
    });
  }

  /** Whether the second half of a text, continued from the first, has the rows that the whole has. */
  async #agrees(read: ReadText): Promise<boolean> {
    const numSame = read.ids.length >> 1;
    let added: AttentionResult;
    try {
      added = await this.#runAdded(read, read, numSame);
    } catch {
      return false; // the file takes caches of another kind than these
    }
    if (
      added.failed.length > 0 ||
      added.layers.length !== read.result.layers.length ||
      this.#cachesOf(added, read.ids.length) === undefined
    )
      return false;
    return added.layers.every((layer, i) => {
      const whole = read.result.layers[i];
      if (
        layer.numHeads !== whole.numHeads ||
        layer.numKeys !== whole.numKeys ||
        layer.numQueries !== whole.numQueries - numSame
      )
        return false;
      const cells = layer.numQueries * layer.numKeys;
      for (let head = 0; head < layer.numHeads; head++) {
        const from = (head * whole.numQueries + numSame) * whole.numKeys;
        for (let cell = 0; cell < cells; cell++)
          if (!(Math.abs(layer.weights[head * cells + cell] - whole.weights[from + cell]) <= tolerance)) return false;
      }
      return true;
    });
  }

  /** The first tokens of a text that was read. */
  #cut(last: ReadText, count: number): AttentionResult {
    if (count === last.ids.length) return last.result;
    const result = { ...last.result, layers: last.result.layers.map((layer) => grow(layer, count, count)) };
    this.#last = {
      ids: last.ids.slice(0, count),
      typeIds: last.typeIds?.slice(0, count),
      result,
      caches: new Map(
        this.#links.map(({ input, axis }): [string, OutputTensor] => [
          input,
          cutCache(input, last.caches.get(input), axis, count),
        ]),
      ),
    };
    return result;
  }

  /** The caches that a run gave, by their inputs; undefined where one does not hold all positions. */
  #cachesOf({ outputs }: AttentionResult, numPositions: number): ReadonlyMap<string, OutputTensor> | undefined {
    const caches = new Map<string, OutputTensor>();
    for (const { input, output, axis } of this.#links) {
      const tensor = outputs.get(output);
      if (tensor?.dims[axis] !== numPositions) return undefined;
      caches.set(input, tensor);
    }
    return caches;
  }
}

function commonLength(one: readonly number[], other: readonly number[]): number {
  const most = Math.min(one.length, other.length);
  let count = 0;
  while (count < most && one[count] === other[count]) count++;
  return count;
}

/** The first `length` positions of a cache, as an input. */
function cutCache(name: string, cache: OutputTensor | undefined, axis: number, length: number): ModelInput {
  if (cache === undefined || Array.isArray(cache.data)) throw new RangeError(`No cache for ${name}`);
  const { dims } = cache;
  const data = cache.data as TensorData; // lists are strings, refused above
  const type = cache.type as ModelInput['type']; // the runtime's names of types are ONNX's
  if (dims[axis] === length) return { name, type, dims, data };
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const outer = dims.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const cut = allocate(type, outer * length * inner);
  for (let i = 0; i < outer; i++)
    cut.set(data.subarray(i * dims[axis] * inner, (i * dims[axis] + length) * inner) as never, i * length * inner); // both are of the cache's type
  return { name, type, dims: dims.map((dim, at) => (at === axis ? length : dim)), data: cut };
}

/** The rows of the first tokens and those of the others, as one layer; undefined where they do not fit. */
function join(former: LayerWeights | undefined, added: LayerWeights, numSame: number): LayerWeights | undefined {
  if (
    former === undefined ||
    former.path !== added.path ||
    former.numHeads !== added.numHeads ||
    former.batch !== 1 ||
    added.batch !== 1
  )
    return undefined;
  const joined = grow(former, numSame, added.numKeys);
  const cells = added.numQueries * added.numKeys;
  for (let head = 0; head < added.numHeads; head++)
    joined.weights.set(
      added.weights.subarray(head * cells, (head + 1) * cells),
      (head * added.numKeys + numSame) * added.numKeys,
    );
  return { ...joined, isCausal: (former.isCausal || former.numQueries === 1) && added.isCausal };
}

/** The rows of the first `numKept` tokens among `size`; the other rows, and what they do not read, are zero. */
function grow(layer: LayerWeights, numKept: number, size: number): LayerWeights {
  const weights = new Float32Array(layer.batch * layer.numHeads * size * size);
  for (let head = 0; head < layer.batch * layer.numHeads; head++) {
    for (let row = 0; row < numKept; row++) {
      const from = (head * layer.numQueries + row) * layer.numKeys;
      weights.set(layer.weights.subarray(from, from + numKept), (head * size + row) * size);
    }
  }
  // One token by itself shows no order.
  return { ...layer, numQueries: size, numKeys: size, isCausal: layer.isCausal && size > 1, weights };
}
