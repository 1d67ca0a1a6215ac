import type { Stage, StageCut } from './cutStages';

/** What another form of a stage is given and gives. */
export interface StageVariant {
  /** Tensors that are given to the stage in the place of those that it would compute. */
  readonly given: readonly string[];
  /** Tensors of the stage that are wanted, outputs of the graph or not. */
  readonly wanted: readonly string[];
}

/**
 * A stage in which tensors are given rather than computed, and others are outputs: it computes what these need, and no more.
 * A tensor that is both given and wanted is none of its outputs. Throws RangeError for a name that the stage does not know.
 */
export function variantStage({ index, stages }: StageCut, number: number, { given, wanted }: StageVariant): Stage {
  const stage = stages[number];
  const own = new Set(stage.nodes);
  const isOwn = (name: string): boolean => own.has(index.producer(name) ?? -1);
  const isKnown = (name: string): boolean =>
    isOwn(name) || stage.received.includes(name) || stage.inputs.includes(name);
  for (const name of [...given, ...wanted])
    if (!isKnown(name)) throw new RangeError(`Stage ${number} has no tensor ${name}`);
  const replaced = new Set(given);
  const outputs = [...new Set(wanted)].filter((name) => !replaced.has(name) && isOwn(name));
  const nodes = new Set<number>();
  const needed = new Set<string>();
  const pending = [...outputs];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (needed.has(tensor)) continue;
    needed.add(tensor);
    const node = index.producer(tensor);
    if (replaced.has(tensor) || node === undefined || !own.has(node) || nodes.has(node)) continue;
    nodes.add(node);
    pending.push(...index.dependencies(node));
  }
  return {
    ends: stage.ends,
    nodes: [...nodes].sort((a, b) => a - b),
    inputs: stage.inputs.filter((name) => needed.has(name) && !replaced.has(name)),
    received: [
      ...stage.received.filter((name) => needed.has(name) && !replaced.has(name)),
      ...given.filter((name) => needed.has(name)),
    ],
    given: [],
    outputs,
  };
}
