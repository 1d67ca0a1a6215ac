import type * as Ort from 'onnxruntime-common';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { silently } from './runtime';

/** An output that carries a site's weights, and how many queries and keys it will have. */
export interface ExpectedOutput {
  readonly output: string;
  readonly site: Pick<PlacedSite, 'queryAxis' | 'keyAxis' | 'numHeads' | 'loop'>;
  readonly numQueries: number;
  readonly numKeys: number;
}

/** A model whose shapes were foreseen wrongly this often is left alone. */
const mostFailures = 2;

/**
 * Lets the native runtime write weights straight into arrays of ours. Its binding copies whatever a run gives, even what lies in
 * our arrays already: twice the memory, for a while, and a tenth of the time on two threads. It does so output by output, after
 * the run, and stops at the first that it cannot hand over. So the first output is an empty sequence, which it cannot.
 */
export class PlacedOutputs {
  readonly #end: string;
  /** Shapes that outputs had. */
  readonly #dims = new Map<string, readonly number[]>();
  #numFailures = 0;

  /** @param end the first output of the model, an empty sequence. */
  constructor(end: string) {
    this.#end = end;
  }

  /** Remembers the shapes that a run gave. */
  learn(results: Ort.InferenceSession.OnnxValueMapType): void {
    for (const [name, { dims }] of Object.entries(results)) this.#dims.set(name, dims);
  }

  /** Runs a session for these outputs, one item in the batch; undefined where that cannot be done so, and the run has to be made in the ordinary way. */
  async run(
    session: Ort.InferenceSession,
    feeds: Readonly<Record<string, Ort.Tensor>>,
    expected: readonly ExpectedOutput[],
    makeTensor: (dims: readonly number[]) => Ort.Tensor,
  ): Promise<Readonly<Record<string, Ort.Tensor>> | undefined> {
    if (this.#numFailures >= mostFailures || expected.length === 0) return undefined;
    const shapes = expected.map((each) => [each.output, this.#shapeOf(each)] as const);
    const placed: Record<string, Ort.Tensor> = {};
    try {
      for (const [output, dims] of shapes) {
        if (dims === undefined) return undefined;
        placed[output] = makeTensor(dims);
        mark(placed[output]);
      }
      await session.run(feeds, { [this.#end]: null, ...placed }, silently);
    } catch (error) {
      // All that follows the run's own work is this; whatever else went wrong, the ordinary way says it better.
      if (!(error instanceof Error) || !error.message.includes('Non tensor type')) {
        this.#numFailures++;
        return undefined;
      }
    }
    if (Object.values(placed).some(isMarked)) {
      this.#numFailures++;
      return undefined;
    }
    return placed;
  }

  /** The shape that an output had before, for other numbers of positions; at first the usual one. The runtime compares it with the true one. */
  #shapeOf({
    output,
    site: { queryAxis, keyAxis, numHeads, loop },
    numQueries,
    numKeys,
  }: ExpectedOutput): readonly number[] | undefined {
    if (loop !== undefined) return undefined;
    const dims = [...(this.#dims.get(output) ?? (numHeads === undefined ? [] : [1, numHeads, numQueries, numKeys]))];
    const [query, key] = [queryAxis, keyAxis].map((axis) => (axis < 0 ? dims.length + axis : axis));
    if (dims[query] === undefined || dims[key] === undefined || query === key) return undefined;
    dims[query] = numQueries;
    dims[key] = numKeys;
    return dims;
  }
}

/** Marks an array that a run is to fill: what stops before the run must not be taken for its result. */
function mark({ data }: Ort.Tensor): void {
  if (data instanceof Float32Array && data.length > 0) data[0] = NaN;
}

function isMarked({ data }: Ort.Tensor): boolean {
  return data instanceof Float32Array && data.length > 0 && Number.isNaN(data[0]);
}
