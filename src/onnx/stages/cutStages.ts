import type { GraphIndex } from '../graph/graphIndex';

/** Where a stage is to end: what a site's weights and its product with the values need. */
export interface StageEnd {
  /** Tensors that are to be there when the stage has run; those that the graph lacks are passed over. */
  readonly tensors: readonly string[];
}

/** A part of a graph that runs by itself, behind those before it. Nodes are named as in the graph that is cut. */
export interface Stage {
  /** Ends that it reaches, by their place in what was asked; none for what follows the last. */
  readonly ends: readonly number[];
  /** In an order in which they can run; what depends on weights alone is a part of every stage that needs it. */
  readonly nodes: readonly number[];
  /** The model's own inputs that it needs. */
  readonly inputs: readonly string[];
  /** Tensors that stages before it make. */
  readonly received: readonly string[];
  /** Tensors that stages behind it need. */
  readonly given: readonly string[];
  /** The graph's outputs that it makes. */
  readonly outputs: readonly string[];
}

/** An end that has no stage of its own, with the one whose stage it joins and the reason in a clause. */
interface JoinedEnd {
  readonly end: number;
  readonly with: number;
  readonly reason: string;
}

/** A graph cut into stages that run one after another and compute what it computes. */
export interface StageCut {
  readonly index: GraphIndex;
  readonly stages: readonly Stage[];
  readonly joined: readonly JoinedEnd[];
}

/** Operators that give anew what they gave before, or otherwise each time: a second copy would be another tensor. */
const random = /^(?:Random|Bernoulli$|Multinomial$)|Dropout$/;

/** Operators whose results are sequences or options, which are no inputs of a graph by themselves. */
const givesNoTensor = new Set([
  'SequenceEmpty',
  'SequenceConstruct',
  'SequenceInsert',
  'SequenceErase',
  'SequenceMap',
  'SplitToSequence',
  'Optional',
]);

/** Operators whose first input is a sequence or an option, whatever makes it: a loop makes some. */
const takesNoTensor = new Set([
  'SequenceInsert',
  'SequenceErase',
  'SequenceMap',
  'SequenceAt',
  'SequenceLength',
  'ConcatFromSequence',
  'OptionalGetElement',
  'OptionalHasElement',
]);

/** What a node belongs to that depends on weights alone. */
const everywhere = -1;

/**
 * Cuts a graph behind each of its ends, by what depends on what. A cut goes behind a rounding to few bits, never between it and what
 * is rounded, since runtimes compute both at once; for the same reason numbers are made of these bits in each stage by itself.
 * @param ends in the order of the model.
 */
export function cutStages(index: GraphIndex, ends: readonly StageEnd[]): StageCut {
  const { graph } = index;
  /** The stage of each node that was placed. */
  const stageOf = new Map<number, number>();
  const members: number[][] = [];
  const endsOf: number[][] = [];
  const joined: JoinedEnd[] = [];
  const depends = dependsOnInputs(index);

  /** Nodes that tensors need and that no stage has yet, and the last stage that they need something of. */
  const missingFor = (tensors: Iterable<string>): { readonly missing: Set<number>; readonly last: number } => {
    const missing = new Set<number>();
    const pending = [...tensors];
    let last = everywhere;
    for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
      const node = index.producer(tensor);
      if (node === undefined || missing.has(node) || !depends.has(node)) continue;
      const stage = stageOf.get(node);
      if (stage !== undefined) {
        last = Math.max(last, stage);
        continue;
      }
      missing.add(node);
      pending.push(...index.dependencies(node));
    }
    return { missing, last };
  };
  const place = (missing: Iterable<number>, stage: number): void => {
    for (const node of missing) {
      stageOf.set(node, stage);
      members[stage].push(node);
    }
  };
  const open = (ofEnds: number[]): number => {
    members.push([]);
    endsOf.push(ofEnds);
    return members.length - 1;
  };

  ends.forEach(({ tensors }, end) => {
    const { missing, last } = missingFor(tensors);
    // The first stage is there even where nothing in it depends on an input.
    if (missing.size > 0 || members.length === 0) place(missing, open([end]));
    else {
      const stage = Math.max(0, last);
      joined.push({ end, with: endsOf[stage][0], reason: 'the same operators compute both' });
      endsOf[stage].push(end);
    }
    place(roundings(index, missing, depends), stageOf.get([...missing][0] ?? -1) ?? 0);
  });
  // What else is asked for goes to the stage whose tensors it is made of; what follows the last is a stage of its own.
  const numWithEnds = members.length;
  for (const { name } of graph.outputs) {
    const { missing, last } = missingFor([name]);
    if (missing.size === 0) continue;
    if (last >= 0 && last < numWithEnds - 1) place(missing, last);
    else place(missing, members.length > numWithEnds ? numWithEnds : open([]));
  }
  if (members.length === 0) open([]);
  const merged = mergeNoTensors(index, { stageOf, members, endsOf, joined });
  return { index, stages: describe(index, merged.members, merged.endsOf, depends), joined: merged.joined };
}

/** Roundings to few bits, by weights, of what nodes make. */
function roundings(index: GraphIndex, nodes: ReadonlySet<number>, depends: ReadonlySet<number>): ReadonlySet<number> {
  const found = new Set<number>();
  for (const node of nodes)
    for (const output of index.nodes[node].outputs)
      for (const consumer of index.consumers(output))
        if (!nodes.has(consumer) && isByWeights(index, consumer, 'QuantizeLinear', depends)) found.add(consumer);
  return found;
}

/** Whether a node rounds its first input, or makes numbers of it, by weights alone. */
function isByWeights(
  index: GraphIndex,
  node: number,
  operator: 'QuantizeLinear' | 'DequantizeLinear',
  depends: ReadonlySet<number>,
): boolean {
  const { opType, inputs } = index.nodes[node];
  return opType === operator && inputs.slice(1).every((input) => !dependsOn(index, depends, input));
}

/** Nodes that depend on what the model is fed, or give something else each time. */
function dependsOnInputs(index: GraphIndex): ReadonlySet<number> {
  const fed = new Set(index.inputs.map(({ name }) => name));
  const depends = new Set<number>();
  index.nodes.forEach(({ opType }, node) => {
    const isFed = index
      .dependencies(node)
      .some((name) => fed.has(name) || depends.has(index.producer(name) ?? everywhere));
    if (isFed || random.test(opType)) depends.add(node);
  });
  return depends;
}

function dependsOn(index: GraphIndex, depends: ReadonlySet<number>, tensor: string): boolean {
  const node = index.producer(tensor);
  return node === undefined ? tensor !== '' && !index.initializers.has(tensor) : depends.has(node);
}

interface Placing {
  readonly stageOf: Map<number, number>;
  readonly members: readonly (readonly number[])[];
  readonly endsOf: readonly (readonly number[])[];
  readonly joined: readonly JoinedEnd[];
}

/** Puts stages together between which something passes that is no tensor. */
function mergeNoTensors(index: GraphIndex, { stageOf, members, endsOf, joined }: Placing): Omit<Placing, 'stageOf'> {
  /** For each stage, the last one that it must be one with. */
  const reach = members.map((_, stage) => stage);
  const join = (maker: number | undefined, user: number): void => {
    const [from, to] = [stageOf.get(maker ?? -1), stageOf.get(user)];
    if (from !== undefined && to !== undefined) reach[from] = Math.max(reach[from], to);
  };
  index.nodes.forEach(({ opType, inputs, outputs }, node) => {
    if (takesNoTensor.has(opType) && inputs.length > 0) join(index.producer(inputs[0]), node);
    if (!givesNoTensor.has(opType)) return;
    for (const output of outputs) for (const consumer of index.consumers(output)) join(node, consumer);
  });
  const made: number[][] = [];
  const madeEnds: number[][] = [];
  const madeJoined = [...joined];
  let until = -1;
  members.forEach((own, stage) => {
    if (stage > until) {
      made.push([]);
      madeEnds.push([]);
    } else
      for (const end of endsOf[stage])
        madeJoined.push({
          end,
          with: madeEnds[madeEnds.length - 1][0] ?? end,
          reason: 'what passes between them is a sequence, which no stage can be given',
        });
    made[made.length - 1].push(...own);
    madeEnds[madeEnds.length - 1].push(...endsOf[stage]);
    until = Math.max(until, reach[stage]);
  });
  return { members: made, endsOf: madeEnds, joined: madeJoined };
}

/** What each stage needs, has and gives. */
function describe(
  index: GraphIndex,
  members: readonly (readonly number[])[],
  endsOf: readonly (readonly number[])[],
  depends: ReadonlySet<number>,
): Stage[] {
  const { nodes, graph } = index;
  const fed = new Set(index.inputs.map(({ name }) => name));
  const outputs = graph.outputs.map(({ name }) => name);
  const made = members.map(() => [] as string[]);
  const makerOf = new Map<string, number>();
  members.forEach((own, stage) => {
    for (const node of own) for (const name of nodes[node].outputs) if (name !== '') makerOf.set(name, stage);
  });
  for (const name of outputs) made[makerOf.get(name) ?? members.length - 1].push(name);
  const parts = members.map((own, stage) => {
    const all = new Set(own);
    const inputs = new Set<string>();
    const received = new Set<string>();
    const pending = [...own.flatMap((node) => index.dependencies(node)), ...made[stage]];
    for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
      if (fed.has(tensor)) inputs.add(tensor);
      const node = index.producer(tensor);
      if (node === undefined || all.has(node)) continue;
      index.spend(1);
      if (!depends.has(node) || isByWeights(index, node, 'DequantizeLinear', depends)) {
        all.add(node);
        pending.push(...index.dependencies(node));
      } else received.add(tensor);
    }
    return { all, inputs, received };
  });
  const passed = new Set(parts.flatMap(({ received }) => [...received]));
  return parts.map(({ all, inputs, received }, stage) => {
    return {
      ends: endsOf[stage],
      nodes: [...all].sort((a, b) => a - b),
      inputs: index.inputs.map(({ name }) => name).filter((name) => inputs.has(name)),
      received: [...received],
      given: members[stage].flatMap((node) => nodes[node].outputs.filter((name) => passed.has(name))),
      outputs: made[stage],
    };
  });
}
