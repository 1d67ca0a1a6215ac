import { SuffixBuilder } from '../../onnx/find/suffixNodes';
import type { ModelInput } from '../../onnx/inputs/inputs';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { rewriteModel } from '../../onnx/rewrite/rewriteModel';
import type { TracedNumbers } from '../../onnx/steps/elementTrace';
import { exclusively } from '../limits/runLock';
import { fromTensor, toFloats, toTensor } from '../runtime/feeds';
import { silently } from '../runtime/runtime';
import type { AttentionSession } from '../session/attentionSession';
import { openKept, type OpenedPart } from '../session/openPart';

/** Numbers of all tensors together that are not held beyond. */
const mostNumbers = 2 ** 28;

/** Tensors of a model as a run gives them, weights and constants among them. */
export class PartsNumbers {
  readonly #own: AttentionSession;
  readonly #inputs: readonly string[];
  /** The outputs of the session, by the tensors that they are. */
  readonly #outputs: ReadonlyMap<string, string>;
  readonly #session: OpenedPart;

  private constructor(
    own: AttentionSession,
    session: OpenedPart,
    { inputs, outputs }: { readonly inputs: readonly string[]; readonly outputs: ReadonlyMap<string, string> },
  ) {
    this.#own = own;
    this.#session = session;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /** Throws what the runtime throws. */
  static async open(own: AttentionSession, { node }: PlacedSite, tensors: Iterable<string>): Promise<PartsNumbers> {
    const { analysis, partRuntime } = own;
    const made = new SuffixBuilder(analysis.index, node, 'parts/');
    const outputs = new Map<string, string>();
    for (const tensor of tensors)
      if (tensor !== '' && !outputs.has(tensor))
        outputs.set(tensor, made.add('Identity', [tensor], [made.name(String(outputs.size))]));
    const rewritten = rewriteModel(analysis, {
      sites: [],
      isWhole: false,
      also: [...outputs.values()],
      suffixes: [made.build()],
    });
    return new PartsNumbers(own, await openKept(partRuntime, rewritten), { inputs: rewritten.inputs, outputs });
  }

  /** Throws a RangeError, in a clause, where they are too many, and what the runtime throws. */
  async read(inputs: readonly ModelInput[]): Promise<ReadonlyMap<string, TracedNumbers>> {
    const { ort } = this.#own.partRuntime;
    const feeds = Object.fromEntries(
      inputs
        .filter(({ name }) => this.#inputs.includes(name))
        .map((input) => [input.name, toTensor(ort, input)] as const),
    );
    const results = await exclusively(ort, () => this.#session.run(feeds, [...this.#outputs.values()], silently));
    const found = new Map<string, TracedNumbers>();
    let total = 0;
    for (const [tensor, name] of this.#outputs) {
      const given = fromTensor(results[name]);
      const values = toFloats(given) ?? Float64Array.from(given.data as ArrayLike<number | bigint>, Number); // no texts are on the way
      total += values.length;
      if (total > mostNumbers) throw new RangeError('its parts hold more numbers than are followed');
      found.set(tensor, { dims: given.dims, values });
    }
    return found;
  }

  release(): Promise<void> {
    return exclusively(this.#own.partRuntime.ort, () => this.#session.release());
  }
}
