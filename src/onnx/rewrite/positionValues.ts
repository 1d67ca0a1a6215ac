import type { GraphIndex } from '../graph/graphIndex';
import type { PositionNodes } from './positionNodes';

/** Operators that tell by values what of a picture is read: tiles that are not empty, pixels that are not padding. */
export const comparing: ReadonlySet<string> = new Set(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

/** Nodes between what is read and what is compared, at most: they are run on positions and on values. */
const mostCopied = 16;

/** Values of what is read, beside the positions that stand in their place: what is chosen by comparing them is chosen as it is in the model. */
export class ReadValues {
  readonly #index: GraphIndex;
  readonly #write: PositionNodes;
  readonly #read: string;
  readonly #made = new Map<string, string>();
  #input: string | undefined;

  /** @param read the input that positions are given as. */
  constructor(index: GraphIndex, write: PositionNodes, read: string) {
    this.#index = index;
    this.#write = write;
    this.#read = read;
  }

  /** The input that its values are given as, too; none where nothing compares them. */
  get inputs(): readonly string[] {
    return this.#input === undefined ? [] : [this.#input];
  }

  /**
   * Writes a comparison of values, with what leads to it; whether that is little enough.
   * @param carried tensors that hold positions in place of values.
   * @param lost tensors that hold neither.
   */
  compare(node: number, carried: ReadonlySet<string>, lost: ReadonlyMap<string, string>): boolean {
    const { inputs } = this.#index.nodes[node];
    const isCarried = (tensor: string): boolean => carried.has(tensor);
    const needed = new Set<number>();
    const pending = inputs.filter(isCarried);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const maker = this.#index.producer(name);
      if (maker === undefined || needed.has(maker)) continue;
      needed.add(maker);
      if (needed.size > mostCopied || this.#index.nodes[maker].inputs.some((name) => lost.has(name))) return false;
      pending.push(...this.#index.nodes[maker].inputs.filter(isCarried));
    }
    this.#write.copy(
      node,
      inputs.map((name) => (isCarried(name) ? this.#valuesOf(name, isCarried) : name)),
    );
    return true;
  }

  #valuesOf(tensor: string, isCarried: (tensor: string) => boolean): string {
    if (tensor === this.#read) return (this.#input ??= this.#write.named('values'));
    const known = this.#made.get(tensor);
    const maker = this.#index.producer(tensor);
    if (known !== undefined || maker === undefined) return known ?? tensor;
    const { inputs, outputs } = this.#index.nodes[maker];
    const own = inputs.map((name) => (isCarried(name) ? this.#valuesOf(name, isCarried) : name));
    outputs.forEach((output) => {
      if (output !== '') this.#made.set(output, this.#write.fresh());
    });
    this.#write.copy(maker, own, { outputs: outputs.map((output) => this.#made.get(output) ?? '') });
    return this.#made.get(tensor) ?? tensor;
  }
}
