import type { GraphIndex } from '../graph/graphIndex';
import type { InputRole } from './inputs';
import { chosenWeights } from '../name/lineage';

/** What a graph says of the texts that its model can read. */
export interface ModelFacts {
  /** Rows of the embedding table: ids beyond it belong to another tokenizer. */
  readonly vocabularySize: number | undefined;
  /** The most positions that a learned table of positions has. */
  readonly contextLength: number | undefined;
  /** How many types of tokens the model knows: 0 where it takes none, Infinity where the graph does not say. */
  readonly numTypes: number;
}

/** Reads sizes off the tables that ids (of the one text, or of the decoder's own) and positions choose rows of. */
export function modelFacts(
  index: GraphIndex,
  roles: ReadonlyMap<string, InputRole>,
  read: 'ids' | 'targetIds' = 'ids',
): ModelFacts {
  const ids = [...roles].find(([, role]) => role === read)?.[0];
  const sizes = ids === undefined ? [] : chosenWeights(index, ids);
  const vocabularySize = sizes.length === 0 ? undefined : Math.max(...sizes);
  return {
    vocabularySize,
    numTypes: numTypes(index, roles),
    contextLength: vocabularySize === undefined ? undefined : positionTableRows(index, roles, vocabularySize),
  };
}

function numTypes(index: GraphIndex, roles: ReadonlyMap<string, InputRole>): number {
  const types = [...roles].find(([, role]) => role === 'tokenTypes')?.[0];
  if (types === undefined) return 0;
  const sizes = chosenWeights(index, types);
  return sizes.length === 0 ? Infinity : Math.min(...sizes);
}

const passing = new Set([
  'Cast',
  'Identity',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Slice',
  'Expand',
  'Flatten',
  'Mul',
  'Sub',
]);

/** Rows of a table as wide as the embeddings whose indices are counted, not given as ids. */
function positionTableRows(
  index: GraphIndex,
  roles: ReadonlyMap<string, InputRole>,
  vocabularySize: number,
): number | undefined {
  const tables: { readonly node: number; readonly rows: number; readonly width: number }[] = [];
  index.nodes.forEach(({ opType, inputs }, node) => {
    const dims = opType === 'Gather' ? index.weight(inputs[0])?.dims : undefined;
    if (dims?.length === 2) tables.push({ node, rows: dims[0], width: dims[1] });
  });
  const width = tables.find((table) => table.rows === vocabularySize)?.width;
  const lengths = tables
    .filter((table) => table.width === width)
    .flatMap((table) => countedLength(index, roles, index.nodes[table.node].inputs[1], table.rows) ?? []);
  return lengths.length === 0 ? undefined : Math.min(...lengths);
}

/** How many positions a table of so many rows serves, if its indices count positions. */
function countedLength(
  index: GraphIndex,
  roles: ReadonlyMap<string, InputRole>,
  indices: string,
  rows: number,
): number | undefined {
  let name = indices;
  let offset = 0;
  let isCut = false;
  for (let i = 0; i < 16; i++) {
    if (roles.get(name) === 'positions') return rows - offset;
    const weight = index.weight(name);
    // A stored row of positions is as long as the table, and is cut to the text; one of types, or of tokens that the model has of its own, is not.
    if (weight !== undefined)
      return isCut && weight.dims.reduce((product, dim) => product * dim, 1) === rows ? rows - offset : undefined;
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const { opType, inputs } = index.nodes[node];
    if (opType === 'Range') return rows - offset;
    // Counts that begin at one: the sum includes the position itself.
    if (opType === 'CumSum') return rows - offset - 1;
    if (opType === 'Add') {
      const constants = inputs.map((input) => index.constantIntegers(input));
      const constant = constants.findIndex((each) => each?.length === 1);
      if (constant >= 0) offset += Math.max(0, constants[constant]?.[0] ?? 0);
      const next = inputs[constant === 1 ? 0 : 1];
      name = constant >= 0 ? inputs[1 - constant] : index.weight(next) === undefined ? next : inputs[0];
      continue;
    }
    if (!passing.has(opType)) return undefined;
    isCut ||= opType === 'Slice';
    name = inputs[0];
  }
  return undefined;
}
