import type { GraphIndex } from '../graph/graphIndex';
import { operatorOf, projectedTensor } from '../follow/products';
import type { InputRole } from '../inputs/inputs';
import { namedNode, type NamedNode } from './cellPlan';

/** What a layer's input begins with: a table's row of a token, or what a convolution makes of a patch. */
export interface Embedding {
  readonly kind: 'token' | 'patch';
  readonly node: NamedNode;
  /** The tensor of embeddings, as it is before positions are added: [batch, position, width]. */
  readonly tensor: string;
  /** What is added for the position: the node that adds it, the tensor that is added and the sum, which an operator may keep inside itself. */
  readonly position:
    | {
        readonly node: NamedNode;
        readonly tensor: string;
        readonly sum: string | undefined;
        readonly isComputed: boolean;
      }
    | undefined;
}

const passing = new Set(['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Clip', 'Max', 'Min', 'Where']);
/** Behind an embedding and before what is added to it. */
const following = new Set(['Cast', 'Identity', 'Dropout', 'Mul', 'Div', 'DequantizeLinear']);
/** A sum and a norm in one operator. */
const skipNorm = /(?:^|\.)Skip(?:Simplified)?LayerNormalization$/;
/** Behind the convolution of patches. */
const arranging = new Set(['Flatten', 'Reshape', 'Transpose', 'Concat', 'Squeeze']);
const mostHops = 8;
/** Tables of token types have no more rows; tables of positions have more. */
const mostTypes = 4;

/**
 * The token embedding that an activation comes from, and the positions that are added to it, as far as the graph shows them.
 * @param wanted the role of the input that the ids, or the pixels, are.
 */
export function findEmbedding(
  index: GraphIndex,
  activation: string,
  roles: ReadonlyMap<string, InputRole>,
  wanted: 'ids' | 'targetIds' | 'pixels',
): Embedding | undefined {
  const { nodes } = index.ancestors([activation]);
  for (const node of [...nodes].sort((a, b) => a - b)) {
    const { opType, inputs, outputs } = index.nodes[node];
    if (wanted === 'pixels' && opType === 'Conv' && index.weight(inputs[1]) !== undefined)
      return { kind: 'patch', node: namedNode(index, node), ...positioned(index, outputs[0]) };
    if (opType !== 'Gather' || index.weight(inputs[0])?.dims.length !== 2) continue;
    if (roles.get(inputOf(index, inputs[1])) !== wanted) continue;
    return { kind: 'token', node: namedNode(index, node), ...positioned(index, outputs[0]) };
  }
  return undefined;
}

/** The graph's input that a tensor is, perhaps in another shape or type. */
function inputOf(index: GraphIndex, tensor: string): string {
  let name = tensor;
  for (let i = 0; i < mostHops; i++) {
    const node = index.producer(name);
    if (node === undefined) return name;
    if (!passing.has(operatorOf(index, node))) return '';
    name = index.nodes[node].inputs.find((input) => index.weight(input) === undefined) ?? '';
  }
  return '';
}

function positioned(index: GraphIndex, embedded: string): Pick<Embedding, 'tensor' | 'position'> {
  let name = embedded;
  for (let i = 0; i < mostHops; i++) {
    const next = index.consumers(name).filter((node) => {
      const operator = operatorOf(index, node);
      return (
        operator === 'Add' ||
        skipNorm.test(operator) ||
        following.has(operator) ||
        arranging.has(operator) ||
        projectedTensor(index, node) === name
      );
    });
    const adding = next.find((node) => index.nodes[node].opType === 'Add' || skipNorm.test(operatorOf(index, node)));
    if (adding !== undefined) {
      const { inputs, outputs } = index.nodes[adding];
      const isFused = index.nodes[adding].opType !== 'Add';
      const other = inputs.slice(0, 2).find((input) => input !== name) ?? '';
      const table = ofPositions(index, other);
      if (table !== undefined)
        return {
          tensor: name,
          position: {
            node: namedNode(index, adding),
            tensor: other,
            sum: isFused ? undefined : outputs[0],
            isComputed: table === 'computed',
          },
        };
      // Token types are added as well, before or after.
      if (isFused) break;
      name = outputs[0];
      continue;
    }
    const [only] = next;
    if (next.length !== 1 || only === undefined) break;
    if (['Mul', 'Div'].includes(index.nodes[only].opType) && !isScalar(index, index.nodes[only].inputs, name)) break;
    name = index.nodes[only].outputs[0];
  }
  return { tensor: embedded, position: undefined };
}

function isScalar(index: GraphIndex, inputs: readonly string[], carried: string): boolean {
  const weight = index.weight(inputs.find((input) => input !== carried) ?? '');
  return weight?.dims.every((dim) => dim === 1) === true;
}

const carrying = new Set([
  'Slice',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Expand',
  'Cast',
  'Identity',
  'GatherND',
  'DequantizeLinear',
]);

/** Whether a tensor is rows of a table of positions, or computed of positions by sines and cosines; undefined where it is neither. */
function ofPositions(index: GraphIndex, tensor: string): 'table' | 'computed' | undefined {
  let name = tensor;
  for (let i = 0; i < mostHops; i++) {
    const table = index.weight(name);
    // What has one row for all positions is a bias.
    if (table !== undefined) return (table.dims.at(-2) ?? 1) > 1 ? 'table' : undefined;
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const { opType, inputs } = index.nodes[node];
    if (opType === 'Gather' && index.weight(inputs[0])?.dims.length === 2)
      return (index.weight(inputs[0])?.dims[0] ?? 0) > mostTypes ? 'table' : undefined;
    if (opType === 'Sin' || opType === 'Cos') return 'computed';
    if (opType === 'Concat' || opType === 'ScatterND') {
      const made = index.ancestors([name]).nodes;
      return [...made].some((at) => ['Sin', 'Cos'].includes(index.nodes[at].opType)) ? 'computed' : undefined;
    }
    if (!carrying.has(opType)) return undefined;
    name = inputs[0];
  }
  return undefined;
}
