import { dataType } from '../file/dataType';
import { bodiesOf } from './graphIndex';
import type { GraphInfo, NodeInfo, OnnxModel } from '../file/onnxModel';
import { readSubgraph } from '../file/readModel';
import { identityNode } from '../file/nodeBytes';

/** Which branch of an `If` to take, given the name of the boolean graph input that decides it. */
export type BranchChoice = (input: string) => boolean;

/** A branch that was put in the place of its `If`. */
export interface HoistedBranch {
  readonly input: string;
  readonly value: boolean;
}

/** Operators through which a boolean input still is the condition. */
const passing = new Set(['Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Reshape', 'Flatten']);

/** Nested conditionals on inputs are few: rounds of hoisting. */
const maxRounds = 8;

/**
 * Puts the chosen branch in the place of every `If` that a boolean graph input decides (decoders that are merged with
 * their cached variant), so that the tensors in it can be outputs. The bytes of its nodes stay what they are.
 */
export function hoistBranches(
  model: OnnxModel,
  choose: BranchChoice,
): { readonly graph: GraphInfo; readonly hoisted: readonly HoistedBranch[] } {
  let graph = model.graph;
  const hoisted: HoistedBranch[] = [];
  for (let round = 0; round < maxRounds; round++) {
    const next = hoistOnce(model, graph, choose, hoisted);
    if (next === undefined) break;
    graph = next;
  }
  return { graph, hoisted };
}

function hoistOnce(
  model: OnnxModel,
  graph: GraphInfo,
  choose: BranchChoice,
  hoisted: HoistedBranch[],
): GraphInfo | undefined {
  const flags = new Set(graph.inputs.filter((input) => input.dataType === dataType.bool).map((input) => input.name));
  if (flags.size === 0 || graph.nodes.every((node) => node.opType !== 'If')) return undefined;
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output): [string, NodeInfo] => [output, node])),
  );
  const names = new Set([
    ...makers.keys(),
    ...graph.initializers.map((tensor) => tensor.name),
    ...graph.inputs.map((input) => input.name),
  ]);
  const nodes: NodeInfo[] = [];
  const initializers = [...graph.initializers];
  const valueInfos = [...graph.valueInfos];
  const others = [...graph.others];
  let isChanged = false;
  for (const node of graph.nodes) {
    const input = node.opType === 'If' ? conditionInput(node, makers, flags) : undefined;
    const value = input !== undefined && choose(input);
    const body =
      input === undefined
        ? undefined
        : bodiesOf(model, node).find(({ name }) => name === (value ? 'then_branch' : 'else_branch'));
    if (input === undefined || body === undefined) {
      nodes.push(node);
      continue;
    }
    const branch = readSubgraph(model, body, 1);
    const inner = [
      ...branch.nodes.flatMap((each) => each.outputs),
      ...branch.initializers.map((tensor) => tensor.name),
    ].filter((name) => name !== '');
    // A name that means something else outside would change its meaning; such a branch stays where it is.
    const isClash =
      inner.some((name) => names.has(name) && !node.outputs.includes(name)) ||
      branch.outputs.length !== node.outputs.length ||
      inner.some((name) => node.outputs.includes(name) && branch.outputs[node.outputs.indexOf(name)]?.name !== name);
    if (isClash) {
      nodes.push(node);
      continue;
    }
    for (const name of inner) names.add(name);
    nodes.push(...branch.nodes);
    initializers.push(...branch.initializers);
    valueInfos.push(...branch.valueInfos);
    others.push(...branch.others);
    branch.outputs.forEach((output, index) => {
      const name = node.outputs[index];
      if (name !== '' && name !== output.name) nodes.push(identityNode(output.name, name));
    });
    hoisted.push({ input, value });
    isChanged = true;
  }
  return isChanged ? { ...graph, nodes, initializers, valueInfos, others } : undefined;
}

/** The boolean graph input that decides an `If`, if one does by itself. */
function conditionInput(
  node: NodeInfo,
  makers: ReadonlyMap<string, NodeInfo>,
  flags: ReadonlySet<string>,
): string | undefined {
  let name = node.inputs[0] ?? '';
  for (let i = 0; i < 8; i++) {
    if (flags.has(name)) return name;
    const maker = makers.get(name);
    if (maker === undefined || !passing.has(maker.opType)) return undefined;
    name = maker.inputs[0] ?? '';
  }
  return undefined;
}
