import type { GraphIndex } from '../graph/graphIndex';
import { productOf } from '../follow/products';
import type { ValuesInParts } from '../name/site';

/** The nodes that values go through in parts, weighted, and the tensors that these nodes are given by others. */
export interface PartsGraph {
  /** Weights, values and what shapes and indices they need: tensors that nodes of the graph make. */
  readonly boundary: readonly string[];
  /** The features' axis of what the first product gives, counted from the end. */
  readonly featureAxis: number;
  /** What the first product gives. */
  readonly firstResult: string;
}

/** The part of a graph from weights and projected values to what is projected again; otherwise, in a clause, why it cannot stand by itself. */
export function partsGraph(index: GraphIndex, values: ValuesInParts): PartsGraph | string {
  const ends = new Set([...values.weights, ...values.sources.map(({ tensor }) => tensor)]);
  // Against the flow, as far as weights and values.
  const reached = new Set<number>();
  const pending = [values.joined];
  const seen = new Set(pending);
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    const node = ends.has(tensor) ? undefined : index.producer(tensor);
    if (node === undefined) continue;
    reached.add(node);
    index.spend(1);
    for (const input of index.dependencies(node))
      if (input !== '' && !seen.has(input)) {
        seen.add(input);
        pending.push(input);
      }
  }
  const inside = new Set<string>(ends);
  const own: number[] = [];
  for (const node of [...reached].sort((a, b) => a - b)) {
    if (!index.dependencies(node).some((name) => inside.has(name))) continue;
    own.push(node);
    for (const output of index.nodes[node].outputs) inside.add(output);
  }
  if (!inside.has(values.joined) || ends.has(values.joined)) return 'what its parts come to is not made of them';
  const made = new Set(own.flatMap((node) => index.nodes[node].outputs));
  const boundary = new Set(
    own
      .flatMap((node) => [...index.dependencies(node)])
      .filter((name) => name !== '' && !made.has(name) && index.producer(name) !== undefined),
  );
  const featureAxis = axisOfFeatures(index, values);
  return featureAxis === undefined
    ? 'its product is of a form that is not known'
    : { boundary: [...boundary], featureAxis, firstResult: index.nodes[values.first].outputs[0] };
}

function axisOfFeatures(index: GraphIndex, { first, firstValues }: ValuesInParts): number | undefined {
  const product = productOf(index, first);
  if (product === undefined) return undefined;
  const { operands, equation } = product;
  const at = operands.indexOf(firstValues);
  if (equation === undefined) return at === 1 ? -1 : -2;
  const others = equation.operands.filter((_, i) => i !== at).join('');
  const letter = [...equation.operands[at]].findLast(
    (each) => equation.result.includes(each) && !others.includes(each),
  );
  return letter === undefined ? undefined : equation.result.indexOf(letter) - equation.result.length;
}
