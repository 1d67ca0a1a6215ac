import type { GraphIndex } from '../graph/graphIndex';
import type { Equation } from './products';

/** No matrix of a model is wider, and no kernel has more places: a file may state what it likes. */
const mostColumns = 2 ** 20;
const mostPlaces = 2 ** 16;

/** Whether a number is one of columns that a row of ones can have. */
export function isWidth(width: number | undefined): width is number {
  return width !== undefined && Number.isInteger(width) && width > 0 && width <= mostColumns;
}

/** Numbers of columns of a weight that a product has on its right, where the file tells it without its values. */
export function chosenColumns(index: GraphIndex, weight: string, isTransposed: boolean): number | undefined {
  const columns = statedColumns(index, weight, isTransposed);
  return isWidth(columns) ? columns : undefined;
}

function statedColumns(index: GraphIndex, weight: string, isTransposed: boolean): number | undefined {
  let name = weight;
  let isTurned = isTransposed;
  for (let i = 0; i < 8; i++) {
    const dims = index.initializers.get(name)?.dims;
    if (dims !== undefined) return dims.length === 2 ? dims[isTurned ? 0 : 1] : undefined;
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const { opType, inputs } = index.nodes[node];
    if (opType === 'Constant')
      return index.weight(name)?.dims.length === 2 ? index.weight(name)?.dims[isTurned ? 0 : 1] : undefined;
    if (opType === 'Transpose') isTurned = !isTurned;
    else if (!['Cast', 'Identity', 'DequantizeLinear', 'QuantizeLinear'].includes(opType)) return undefined;
    name = inputs[0];
  }
  return undefined;
}

/** The kernel of a window, and which of its places lies where the window's step begins; undefined where the node does not tell. */
export function convolvedKernel(
  index: GraphIndex,
  node: number,
  weightSizes: readonly number[] | undefined,
): { readonly sizes: readonly number[]; readonly at: readonly number[] } | undefined {
  const attributes = index.attributes(node);
  const sizes = attributes.get('kernel_shape')?.integers ?? weightSizes;
  if (
    sizes === undefined ||
    sizes.length === 0 ||
    sizes.some((size) => !(size > 0)) ||
    sizes.reduce((product, size) => product * size, 1) > mostPlaces ||
    index.integerAttribute(node, 'ceil_mode') === 1
  )
    return undefined;
  const whole = attributes.get('auto_pad')?.text ?? 'NOTSET';
  const strides = attributes.get('strides')?.integers ?? [];
  const pads = attributes.get('pads')?.integers ?? [];
  const dilations = attributes.get('dilations')?.integers ?? [];
  const at = sizes.map((size, axis) => {
    const reach = (size - 1) * (dilations[axis] ?? 1) + 1;
    const margin = Math.max(0, reach - (strides[axis] ?? 1));
    const before =
      whole === 'SAME_UPPER'
        ? Math.floor(margin / 2)
        : whole === 'SAME_LOWER'
          ? Math.ceil(margin / 2)
          : whole === 'VALID'
            ? 0
            : (pads[axis] ?? 0);
    const place = Math.round(before / (dilations[axis] ?? 1));
    return place >= 0 ? Math.min(size - 1, place) : 0;
  });
  return { sizes, at };
}

/** An equation with letters in the place of dots, where an operand's number of axes tells how many there are; the runtime refuses it where another has others. */
export function spelledOut(equation: Equation, ranks: readonly (number | undefined)[]): Equation | undefined {
  const all = [...equation.operands, equation.result];
  if (!all.some((letters) => letters.includes('...'))) return equation;
  const used = new Set(all.join('').replaceAll('.', ''));
  const counts = equation.operands.flatMap((letters, i) =>
    letters.includes('...') && ranks[i] !== undefined ? [ranks[i] - letters.replace('...', '').length] : [],
  );
  const [count] = counts;
  // Operands with fewer axes there would be spread.
  if (count === undefined || !(count >= 0 && count <= 8) || counts.some((each) => each !== count)) return undefined;
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
    .filter((letter) => !used.has(letter))
    .slice(0, count)
    .join('');
  const spell = (letters: string): string => letters.replace('...', free);
  return free.length === count ? { operands: equation.operands.map(spell), result: spell(equation.result) } : undefined;
}

/** Whether nothing that the graph is given is in a tensor, but its shape at most. */
export function isOfWeights(index: GraphIndex, tensor: string): boolean {
  const inputs = new Set(index.inputs.map(({ name }) => name));
  const seen = new Set<string>();
  const pending = [tensor];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || seen.has(name)) continue;
    seen.add(name);
    if (inputs.has(name)) return false;
    const node = index.producer(name);
    if (node === undefined) continue;
    const { opType } = index.nodes[node];
    index.spend(1);
    if (opType !== 'Shape' && opType !== 'Size') pending.push(...index.dependencies(node));
  }
  return true;
}

/** Whether a tensor is a constant of one number, which spreads nothing. */
export function isSingle(index: GraphIndex, tensor: string): boolean {
  const dims = index.weight(tensor)?.dims;
  return dims !== undefined && dims.length <= 1 && dims.every((dim) => dim === 1);
}

/** Whether a tensor is a weight, perhaps repeated or with others added: a token that the model adds to what it reads. */
export function isLearned(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  for (let i = 0; i < 12; i++) {
    if (index.initializers.has(name)) return true;
    const node = index.producer(name);
    if (node === undefined || index.nodes[node].opType === 'ConstantOfShape') return false;
    if (index.nodes[node].opType === 'Constant') return (index.weight(name)?.dims.length ?? 0) > 0;
    [name] = index.nodes[node].inputs;
  }
  return false;
}

/** The width of the table that a node chooses rows of; undefined where it is no such. */
export function rowWidth(index: GraphIndex, node: number): number | undefined {
  const table = index.weight(index.nodes[node].inputs[0])?.dims;
  const isOfRows = table?.length === 2 && (index.integerAttribute(node, 'axis') ?? 0) === 0;
  return isOfRows && isWidth(table[1]) ? table[1] : undefined;
}
