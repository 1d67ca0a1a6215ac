import type { HowStep } from '../../model/how/how';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import { namedNode, type CellPlan, type GraphStep } from '../../onnx/steps/cellPlan';
import { placeOf, placesIn } from '../../onnx/steps/elementPlaces';
import type { ElementTracer, TracedElement } from '../../onnx/steps/elementTrace';
import type { OperandOrigin } from '../../onnx/steps/operandOrigin';
import type { PartsRegion } from '../../onnx/steps/partsRegion';
import type { OutputTensor } from '../runtime/feeds';
import type { CellInParts } from './cellTaps';
import type { PartsRow, PartsTrace, ScoreHop, ScorePath } from './partsTrace';
import { joiningParts } from './rowSteps';
import { howStep } from './stepBuilder';

/** The way of a cell from queries and keys to its weight, and the numbers on it, as they are read of a model whose attention has all in one matrix. */
export interface PartsFrame {
  readonly plan: CellPlan;
  readonly origins: { readonly query: OperandOrigin; readonly key: OperandOrigin };
  readonly inParts: CellInParts;
  readonly tensors: Map<string, OutputTensor>;
}

/** What a frame is made of. */
export interface PartsCell {
  readonly index: GraphIndex;
  readonly tracer: ElementTracer;
  readonly trace: PartsTrace;
  readonly region: PartsRegion;
  readonly row: PartsRow;
  /** Where in the row the cell is. */
  readonly column: number;
  /** Rows of projections that the query and the key are. */
  readonly query: number;
  readonly key: number;
  /** The token at a row of a projection; −1 where there is none. */
  readonly tokenAt: (row: number) => number;
}

/** Numbers as a tensor of one row. */
export function rowOf(values: ArrayLike<number>, from = 0, length = values.length): OutputTensor {
  return {
    type: 'float32',
    dims: [1, 1, 1, length],
    data: Float32Array.from({ length }, (_, i) => values[from + i]),
  };
}

const unknown: OperandOrigin = {
  scales: [],
  rotation: undefined,
  turn: undefined,
  norm: undefined,
  normed: undefined,
  projection: undefined,
  source: undefined,
  map: undefined,
};

/** The frame of a cell. Throws a RangeError where what moves its numbers is not followed. */
export function partsFrame(cell: PartsCell): PartsFrame {
  const { index, tracer, trace, row } = cell;
  const [given] = index.nodes[row.softmax].inputs;
  const element = (at: number): TracedElement => ({ tensor: given, at: row.from + at });
  const columns = Array.from({ length: row.length }, (_, at) => at);
  const whole = columns.map(element);
  const softmax: GraphStep = {
    node: namedNode(index, row.softmax),
    input: given,
    output: row.weights,
    at: 0,
    others: [],
  };
  const tensors = new Map<string, OutputTensor>([
    [
      'weights',
      rowOf(
        numbersOf(
          tracer,
          columns.map((at) => ({ tensor: row.weights, at: row.from + at })),
        ),
      ),
    ],
  ]);
  const plan = (product: number, steps: readonly GraphStep[]): CellPlan => ({
    form: 'product',
    index,
    queries: { tensor: '', positionAxis: -2 },
    keys: { tensor: '', positionAxis: -2 },
    product: namedNode(index, product),
    scores: '',
    steps,
    weights: row.weights,
  });
  const path = trace.path(element(cell.column));
  const found = path && operandsOf(cell, path);
  if (path === undefined || found === undefined) {
    tensors.set('scores', rowOf(numbersOf(tracer, whole)));
    tensors.set('after 0', tensors.get('weights') ?? rowOf([]));
    return {
      plan: plan(row.softmax, [softmax]),
      origins: { query: unknown, key: unknown },
      inParts: {
        step: undefined,
        starts: [],
        lack: 'what moves them is of operators that are not followed',
      },
      tensors,
    };
  }
  const steps = new RowParts(cell, path, whole);
  steps.follow();
  for (const [what, values] of steps.numbers) tensors.set(what, rowOf(values));
  tensors.set(`after ${steps.steps.length}`, tensors.get('weights') ?? rowOf([]));
  for (const side of ['query', 'key'] as const) {
    const { values, origin, place } = found[side];
    tensors.set(side, rowOf(values));
    const { source, map, scales } = origin;
    if (source !== undefined && map !== undefined) {
      for (const [what, tensor] of [
        [`x of ${side}`, source],
        [`made of ${side}`, map.output],
      ] as const) {
        const { dims, values: all } = tracer.numbers(tensor);
        const width = dims.at(-1) ?? 0;
        tensors.set(what, rowOf(all, place * width, width));
      }
      if (map.added !== undefined) tensors.set(`bias of ${side}`, rowOf(tracer.numbers(map.added).values));
    }
    scales.forEach(({ factor }, i) => tensors.set(`scale of ${side} ${i}`, rowOf(tracer.numbers(factor).values)));
  }
  return {
    plan: plan(path.product, [...steps.steps, softmax]),
    origins: { query: found.query.origin, key: found.key.origin },
    inParts: { step: partStep(cell, path), starts: [...steps.starts, 0], lack: undefined },
    tensors,
  };
}

function numbersOf(tracer: ElementTracer, elements: readonly TracedElement[]): Float32Array {
  return Float32Array.from(elements, (element) => tracer.value(element));
}

interface FoundOperand {
  readonly values: Float32Array;
  readonly origin: OperandOrigin;
  readonly place: number;
}

/** Query and key of the cell's score; undefined where they are not those of the cell. */
function operandsOf(
  { index, tracer, trace, region, query, key }: PartsCell,
  { score, product }: ScorePath,
): { readonly query: FoundOperand; readonly key: FoundOperand } | undefined {
  const terms = trace.terms(score);
  const places = [0, 1].map((at) => trace.position(terms[0][at]));
  const origins = region.products.get(product) ?? [];
  const read = (at: number): FoundOperand => {
    const origin = origins[at] ?? unknown;
    const projection = places[at]?.projection;
    const map = projection === undefined ? undefined : region.maps.get(projection);
    // What is turned or normalised on the way is told by its nodes alone.
    return {
      values: numbersOf(
        tracer,
        terms.map((term) => term[at]),
      ),
      origin: {
        ...origin,
        turn: undefined,
        normed: undefined,
        projection: projection === undefined ? undefined : namedNode(index, projection),
        source: map?.context,
        map,
      },
      place: places[at]?.row ?? 0,
    };
  };
  if (places[0]?.row === query && places[1]?.row === key) return { query: read(0), key: read(1) };
  if (places[1]?.row === query && places[0]?.row === key) return { query: read(1), key: read(0) };
  return undefined;
}

/** Which part of the attention a score lies in, by the tokens that its product has beside the query and the key. */
function partStep({ tracer, trace, query, tokenAt }: PartsCell, { score }: ScorePath): HowStep {
  const { dims } = tracer.numbers(score.tensor);
  const places = placesIn(dims, score.at);
  const rowsAt = (at: number): readonly (number | undefined)[] => {
    const [term] = trace.terms({ tensor: score.tensor, at });
    const found = [0, 1].map((operand) => trace.position(term[operand]));
    // Tokens of the model's own have a projection of their own.
    return found.map((each, operand) => (each?.projection === projections[operand] ? each?.row : undefined));
  };
  const [first] = trace.terms(score);
  const projections = [0, 1].map((operand) => trace.position(first[operand])?.projection);
  const own = rowsAt(score.at);
  const tokens = own.map((row) => [tokenAt(row ?? -1)]);
  dims.forEach((length, axis) => {
    const rows = Array.from({ length }, (_, place) =>
      rowsAt(
        placeOf(
          places.map((each, i) => (i === axis ? place : each)),
          dims,
        ),
      ),
    );
    const isChanged = [0, 1].map((operand) => rows.some((row) => row[operand] !== own[operand]));
    // Where both change, it is another part.
    if (isChanged[0] === isChanged[1]) return;
    const operand = isChanged[0] ? 0 : 1;
    tokens[operand].push(...rows.map((row) => tokenAt(row[operand] ?? -1)).filter((token) => token >= 0));
  });
  const [queries, keys] = own[0] === query ? tokens : [tokens[1], tokens[0]];
  const ends = [queries, keys].flatMap((each) => [Math.min(...each), Math.max(...each)]);
  return howStep('part', { args: [places.join(', '), dims.join(' × '), ...ends] });
}

/** The steps of a row whose numbers come from several parts: each over those that go the way of the cell's. */
class RowParts {
  readonly steps: GraphStep[] = [];
  readonly starts: number[] = [];
  readonly numbers = new Map<string, Float32Array>();
  readonly #cell: PartsCell;
  readonly #path: ScorePath;
  readonly #whole: readonly TracedElement[];

  constructor(cell: PartsCell, path: ScorePath, whole: readonly TracedElement[]) {
    this.#cell = cell;
    this.#path = path;
    this.#whole = whole;
  }

  follow(): void {
    const { trace, index } = this.#cell;
    const { hops } = this.#path;
    const along = this.#whole.map((element) => trace.along(element, this.#path));
    const scores = along.map(({ score }) => score);
    this.numbers.set('scores', this.#read(scores));
    this.starts.push(this.#startOf(scores));
    let before = scores;
    for (const [i, { node, carried }] of hops.entries()) {
      const own = along.map(({ hops: each }): ScoreHop | undefined => each[each.length - (hops.length - i)]);
      this.#join(
        before,
        own.map((hop) => hop?.from[carried]),
      );
      const { inputs } = index.nodes[node];
      const step = this.steps.length;
      inputs.forEach((_, at) => {
        if (at !== carried) this.numbers.set(`other ${step} ${at}`, this.#read(own.map((hop) => hop?.from[at])));
      });
      const after = own.map((hop) => hop?.output);
      this.#add(
        {
          node: namedNode(index, node),
          input: inputs[carried],
          output: index.nodes[node].outputs[0],
          at: carried,
          others: inputs.flatMap((tensor, at) => (at === carried ? [] : [{ tensor, at, madeBy: undefined }])),
        },
        after,
      );
      before = after;
    }
    this.#join(before, this.#whole);
  }

  /** Puts what is of other parts beside a row, where there is any. */
  #join(before: readonly (TracedElement | undefined)[], after: readonly (TracedElement | undefined)[]): void {
    const count = (row: readonly (TracedElement | undefined)[]): number =>
      row.filter((each) => each !== undefined).length;
    if (count(after) === count(before)) return;
    this.#add({ node: { name: '', operator: joiningParts }, input: '', output: '', at: 0, others: [] }, after);
  }

  #add(step: GraphStep, after: readonly (TracedElement | undefined)[]): void {
    this.numbers.set(`after ${this.steps.length}`, this.#read(after));
    this.starts.push(this.#startOf(after));
    this.steps.push(step);
  }

  #read(row: readonly (TracedElement | undefined)[]): Float32Array {
    return numbersOf(
      this.#cell.tracer,
      row.filter((each) => each !== undefined),
    );
  }

  /** How far the cell's number stands from where it does in the whole row. */
  #startOf(row: readonly (TracedElement | undefined)[]): number {
    const { column } = this.#cell;
    return row.slice(0, column).filter((each) => each !== undefined).length - column;
  }
}
