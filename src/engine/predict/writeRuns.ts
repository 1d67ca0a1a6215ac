import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { Component, ComponentInfo } from '../../model/head';
import type { AskedToken, WrittenLayer, WrittenPart, Writes } from '../../model/writes';
import { dataType } from '../../onnx/file/dataType';
import { encodeTypedValue } from '../../onnx/file/nodeBytes';
import { siteTaps } from '../../onnx/find/siteTaps';
import { SuffixBuilder } from '../../onnx/find/suffixNodes';
import {
  directPath,
  type DirectPath,
  type PathNorm,
  type PathPart,
  type PathStep,
} from '../../onnx/predict/directPath';
import type { LogitsOutput } from '../../onnx/predict/findLogits';
import type { AttentionSession } from '../session/attentionSession';
import { readProjection } from '../session/projectionRun';
import type { WeighRuns } from '../session/weighRuns';
import { pickOutputs, toFloats, type OutputTensor } from '../runtime/feeds';
import type { HeldLayer } from '../weights/heldLayer';
import { tokenText } from '../text/tokenText';
import { askedToken } from './askedToken';
import type { PredictedRun } from './predictedFile';
import type { PredictionRuns } from './predictionRuns';

/** What is asked of a run: the logit of a token at the place where it is predicted, or its difference to another's. */
export interface WritesAsked {
  readonly position: number;
  /** An id, or a text that is one token. */
  readonly token: number | string;
  readonly against?: number | string | undefined;
}

/** A run, with its attention. */
export interface WrittenRun extends PredictedRun {
  readonly layersOf: (component: Component) => readonly HeldLayer[];
}

/** What the parts may miss of the logit, as a part of it or of one. */
const tolerance = 1e-4;
/** What a norm's result may miss of its input times the run's own scale, as a part of the largest number. */
const normTolerance = 1e-4;
/** Products with the weights of heads' sources are held until all are told: more numbers than these are refused. */
const mostSources = 2 ** 25;

/** Inputs of the tapped model: the row that is asked about, and the words. */
const inputs = { row: 'attention-explorer-row', words: 'attention-explorer-words' } as const;

/** A session of the model that gives what its direct path is made of at one place. */
interface Tapped {
  readonly session: AttentionSession;
  readonly path: DirectPath;
  /** The tapped model's outputs, by the tensors that they are of. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Reads what heads write to a prediction directly. Nothing is loaded before someone asks; the session is kept. */
export class WriteRuns {
  readonly #session: AttentionSession;
  readonly #predictions: PredictionRuns;
  readonly #weighs: WeighRuns;
  #tapped: Tapped | undefined;

  /** @param session of the file that ends in the logits. */
  constructor(session: AttentionSession, predictions: PredictionRuns, weighs: WeighRuns) {
    this.#session = session;
    this.#predictions = predictions;
    this.#weighs = weighs;
  }

  /**
   * The logit of a token as the sum of all that is added to the residual, each times the final norm's own scale (direct logit attribution, as
   * TransformerLens' `logit_attrs` with `apply_ln_to_stack`: the scale is the run's, not that of the part), heads split by the tokens that they read.
   * Throws `noWrites` where the model has no such path or the sum is not the logit, `noPredictions`, `noSuchToken`, `sameTwice`, `invalidArgument`, and what a run throws.
   */
  async writes(run: WrittenRun, { position, token, against }: WritesAsked): Promise<Writes> {
    const place = this.#predictions.placeOf(run, position);
    const { logits, stream, numScores } = place;
    const named = (asked: number | string): AskedToken =>
      this.#predictions.tokenizer.use(1, (tokenizer) => {
        const id = askedToken(asked, { tokenizer, name: this.#predictions.name, numScores });
        return { id, text: tokenText(tokenizer.forTarget, id) };
      });
    const [wanted, other] = [named(token), against === undefined ? undefined : named(against)];
    if (wanted.id === other?.id) throw new ExplorerError('sameTwice', [`“${wanted.text}”`]);
    const { session, path, outputs } = await this.#tap(logits);
    const words = [wanted.id, other?.id ?? wanted.id];
    const list = (name: string, values: readonly number[]) => ({
      name,
      type: 'int64' as const,
      dims: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
    const results = pickOutputs(
      await session.fetch(place.inputs, [...new Set(outputs.values())], {
        tapInputs: [list(inputs.row, [place.row]), list(inputs.words, words)],
      }),
      [...new Set(outputs.values())],
    );
    const numbers = new PathNumbers(results, outputs, (reason) => this.#refuse(reason));
    const ofWords = (row: Float32Array): number => row[0] - (other === undefined ? 0 : row[1]);
    const logit = ofWords(numbers.of(path.logits));
    const table = numbers.of(path.unembedding.tensor);
    const width = table.length / 2;
    const column = Float64Array.from({ length: width }, (_, k) =>
      path.unembedding.axis === 0
        ? ofWords(Float32Array.of(table[k], table[width + k]))
        : ofWords(table.subarray(2 * k, 2 * k + 2)),
    );
    const parts: WrittenPart[] = [];
    const layers: WrittenLayer[] = [];
    let bias = path.bias === undefined ? 0 : ofWords(numbers.of(path.bias));
    let numMlps = 0;
    const weighings = await this.#weighings(run, path);
    for (const part of path.parts) {
      const direction = numbers.direction(column, part.steps);
      const own = part.bias === undefined ? 0 : numbers.along(direction, part.bias);
      const value = numbers.along(direction, part.tensor) - own;
      bias += own;
      if (part.kind === 'bias') bias += value;
      else if (part.kind === 'attention') {
        const layer = await this.#heads(run, part, { direction, weighings, query: place.query, value });
        layers.push(layer);
        const written = sum(layer.sources);
        bias += value - written;
        parts.push({ kind: 'heads', component: layer.component, layer: layer.layer, value: written });
      } else parts.push({ kind: part.kind, ...(part.kind === 'mlp' ? { layer: numMlps++ } : {}), value });
    }
    parts.push({ kind: 'bias', value: bias });
    const missing = logit - parts.reduce((total, { value }) => total + value, 0);
    if (!(Math.abs(missing) <= tolerance * Math.max(1, Math.abs(logit))))
      throw this.#refuse(
        `what adds to the logit comes to ${(logit - missing).toPrecision(6)}, and the model’s own is ${logit.toPrecision(6)}`,
      );
    return {
      stream,
      position,
      token: wanted,
      against: other,
      logit,
      missing,
      behind: path.behind,
      parts: inOrder(parts),
      layers: layers.sort((a, b) => a.layer - b.layer),
    };
  }

  /** Frees the session. */
  async release(): Promise<void> {
    const tapped = this.#tapped;
    this.#tapped = undefined;
    await tapped?.session.release();
  }

  #refuse(reason: string): ExplorerError {
    return new ExplorerError('noWrites', [this.#predictions.name, reason]);
  }

  async #tap(logits: LogitsOutput): Promise<Tapped> {
    if (this.#tapped !== undefined) return this.#tapped;
    const { index, sites } = this.#session.analysis;
    const path = directPath(
      index,
      logits,
      sites.filter(({ component }) => component !== 'encoder'),
    );
    if ('reason' in path) throw this.#refuse(path.reason);
    const builder = new SuffixBuilder(index, logits.product, 'writes/');
    const outputs = new Map<string, string>();
    const name = (): string => builder.name(`part${outputs.size}`);
    const asFloats = (tensor: string): string =>
      builder.add('Cast', [tensor], [name()], { to: { integer: dataType.float32 } });
    const between = (): string => builder.name(`between${outputs.size}`);
    const rows = (tensor: string, isOfWords = false): void => {
      if (outputs.has(tensor)) return;
      const flat = builder.add('Flatten', [tensor], [`${between()}-flat`], { axis: { integer: -1 } });
      // Where only the last position's are computed, they are the only row: whether that is the one that is asked about shows in the sum.
      const numRows = builder.add(
        'Gather',
        [builder.add('Shape', [flat], [`${between()}-shape`]), builder.integers(`first${outputs.size}`, [0])],
        [`${between()}-rows`],
        { axis: { integer: 0 } },
      );
      const place = builder.add('Mod', [inputs.row, numRows], [`${between()}-place`]);
      const row = builder.add('Gather', [flat, place], [`${between()}-row`], { axis: { integer: 0 } });
      const chosen = isOfWords
        ? builder.add('Gather', [row, inputs.words], [`${between()}-words`], { axis: { integer: 1 } })
        : row;
      outputs.set(tensor, asFloats(chosen));
    };
    const ofWords = (tensor: string, axis: number): void => {
      const chosen = builder.add('Gather', [tensor, inputs.words], [`${between()}-words`], { axis: { integer: axis } });
      outputs.set(tensor, asFloats(chosen));
    };
    rows(path.logits, true);
    ofWords(path.unembedding.tensor, path.unembedding.axis);
    if (path.bias !== undefined) ofWords(path.bias, -1);
    const constant = (tensor: string): void => {
      if (!outputs.has(tensor)) outputs.set(tensor, asFloats(tensor));
    };
    const fed = fedTensors(index);
    const any = (tensor: string): void => (fed.has(tensor) ? rows(tensor) : constant(tensor));
    for (const { tensor, bias, steps } of path.parts) {
      any(tensor);
      if (bias !== undefined) constant(bias);
      for (const step of steps) {
        if (step.kind === 'factor') constant(step.tensor);
        else for (const each of [...step.given, ...(step.normalized === undefined ? [] : [step.normalized])]) any(each);
      }
    }
    const session = await this.#session.reduced(
      builder.build(),
      [...outputs.values()],
      Object.values(inputs).map((each) => encodeTypedValue(each, dataType.int64, 1)),
    );
    return (this.#tapped = { session, path, outputs });
  }

  /** What the keys of each component's layers weigh, by components. */
  async #weighings(run: WrittenRun, { parts }: DirectPath): Promise<ReadonlyMap<ComponentInfo, Weighings>> {
    const found = new Map<ComponentInfo, Weighings>();
    const wanted = new Set(parts.map(({ site }) => site?.component));
    for (const component of run.components) {
      if (!wanted.has(component.component as 'self')) continue; // stages are of pictures
      const layers = run.layersOf(component.component);
      const numbers = layers.reduce((total, { numHeads, numKeys }) => total + numHeads * numKeys, 0);
      if (numbers > mostSources) throw this.#refuse('the text is too long to be split by its tokens');
      const weighings = await this.#weighs.weigh(component, layers, run.fed);
      if (typeof weighings === 'string') throw this.#refuse(weighings);
      found.set(component, { layers, weighings });
    }
    return found;
  }

  async #heads(
    run: WrittenRun,
    { site, tensor }: PathPart,
    {
      direction,
      weighings,
      query,
      value,
    }: {
      readonly direction: Float64Array;
      readonly weighings: ReadonlyMap<ComponentInfo, Weighings>;
      readonly query: number;
      readonly value: number;
    },
  ): Promise<WrittenLayer> {
    const component = run.components.find((each) => each.component === site?.component);
    const number = component?.layers.findIndex(({ path }) => path === plain(site?.path ?? '')) ?? -1;
    const own = component && weighings.get(component);
    const held = own?.layers[number];
    const values = own?.weighings[number]?.values;
    if (site === undefined || component === undefined || held === undefined || values === undefined)
      throw this.#refuse(`what makes ${tensor} is not among the layers that were read`);
    if (typeof values === 'string') throw this.#refuse(values);
    const { numHeads, numKeys } = held;
    const projection = await readProjection(
      this.#session.partRuntime,
      siteTaps(this.#session.analysis.index, site),
      numHeads * values.width,
    );
    if (typeof projection === 'string') throw this.#refuse(projection);
    if (projection.numOut !== direction.length)
      throw this.#refuse(
        `its projection gives ${projection.numOut} features, and its residual has ${direction.length}`,
      );
    const sources = new Float32Array(numHeads * numKeys);
    const { width } = values;
    for (let head = 0; head < numHeads; head++) {
      const toward = Float64Array.from({ length: width }, (_, i) => {
        const from = (head * width + i) * projection.numOut;
        let total = 0;
        for (let k = 0; k < direction.length; k++) total += projection.weight[from + k] * direction[k];
        return total;
      });
      const row = await held.rows(head, query, query + 1);
      for (let key = 0; key < numKeys; key++) {
        const at = (head * values.numPositions + key) * width;
        let total = 0;
        for (let i = 0; i < width; i++) total += values.data[at + i] * toward[i];
        sources[head * numKeys + key] = row[key] * total;
      }
    }
    const missing = Math.abs(value - sum(sources));
    if (!(missing <= tolerance * Math.max(1, Math.abs(value))))
      throw this.#refuse(
        `what the heads of layer ${number} write differs by ${missing.toPrecision(2)} from what that layer adds`,
      );
    return { component: component.component, layer: number, numHeads, numKeys, sources };
  }
}

interface Weighings {
  readonly layers: readonly HeldLayer[];
  readonly weighings: Exclude<Awaited<ReturnType<WeighRuns['weigh']>>, string>;
}

/** What a run gave of a direct path at one place. */
class PathNumbers {
  readonly #results: ReadonlyMap<string, OutputTensor>;
  readonly #outputs: ReadonlyMap<string, string>;
  readonly #refuse: (reason: string) => ExplorerError;
  readonly #scales = new Map<PathNorm, { readonly scale: number; readonly isCentred: boolean }>();

  constructor(
    results: ReadonlyMap<string, OutputTensor>,
    outputs: ReadonlyMap<string, string>,
    refuse: (reason: string) => ExplorerError,
  ) {
    this.#results = results;
    this.#outputs = outputs;
    this.#refuse = refuse;
  }

  of(tensor: string): Float32Array {
    const result = this.#results.get(this.#outputs.get(tensor) ?? '');
    const data = result && toFloats(result);
    if (data === undefined) throw this.#refuse(`${tensor} did not come out as numbers`);
    return data;
  }

  /** What a direction is before these steps: what is added there, times it, is added to the logit. */
  direction(column: Float64Array, steps: readonly PathStep[]): Float64Array {
    let direction = column;
    for (const step of steps) {
      if (step.kind === 'factor') {
        const factor = this.#spread(step.tensor, direction.length);
        direction = direction.map((each, k) => (step.isDivided ? each / factor[k] : each * factor[k]));
      } else {
        const { scale, isCentred } = this.#scaleOf(step, direction.length);
        const mean = isCentred ? sum(direction) / direction.length : 0;
        direction = direction.map((each) => scale * (each - mean));
      }
    }
    return direction;
  }

  along(direction: Float64Array, tensor: string): number {
    const row = this.#spread(tensor, direction.length);
    return direction.reduce((total, each, k) => total + each * row[k], 0);
  }

  /** One number for each feature, where one may stand for all. */
  #spread(tensor: string, width: number): Float32Array {
    const row = this.of(tensor);
    if (row.length === width) return row;
    if (row.length === 1) return new Float32Array(width).fill(row[0]);
    throw this.#refuse(`${tensor} has ${row.length} numbers at each place, and its residual has ${width}`);
  }

  /** What the run's own norm multiplied by at the place, and whether it took the mean off. */
  #scaleOf(norm: PathNorm, width: number): { readonly scale: number; readonly isCentred: boolean } {
    const known = this.#scales.get(norm);
    if (known !== undefined) return known;
    const given = new Float64Array(width);
    for (const tensor of norm.given) this.#spread(tensor, width).forEach((each, k) => (given[k] += each));
    const centred = (isCentred: boolean): Float64Array => {
      const mean = isCentred ? sum(given) / width : 0;
      return given.map((each) => each - mean);
    };
    const found =
      norm.normalized === undefined
        ? { scale: scaleBy(centred(norm.isCentred), norm.epsilon), isCentred: norm.isCentred }
        : this.#fit(this.#spread(norm.normalized, width), centred);
    this.#scales.set(norm, found);
    return found;
  }

  #fit(
    normalized: Float32Array,
    centred: (isCentred: boolean) => Float64Array,
  ): { readonly scale: number; readonly isCentred: boolean } {
    const [own] = [false, true]
      .map((isCentred) => {
        const given = centred(isCentred);
        const square = given.reduce((total, each) => total + each * each, 0);
        const scale = given.reduce((total, each, k) => total + each * normalized[k], 0) / square;
        const largest = normalized.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
        const difference = given.reduce((most, each, k) => Math.max(most, Math.abs(scale * each - normalized[k])), 0);
        return { scale, isCentred, difference: difference / largest };
      })
      .sort((a, b) => a.difference - b.difference);
    if (!(own.difference <= normTolerance)) throw this.#refuse('a norm on its path is not linear but for its scale');
    return own;
  }
}

function scaleBy(centred: Float64Array, epsilon: number): number {
  const square = centred.reduce((total, each) => total + each * each, 0);
  return 1 / Math.sqrt(square / centred.length + epsilon);
}

function sum(numbers: Float32Array | Float64Array): number {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
}

/** What is embedded is one part; then layer by layer. */
function inOrder(parts: readonly WrittenPart[]): WrittenPart[] {
  const embedded = parts.filter(({ kind }) => kind === 'embedding');
  const rank = { embedding: 0, heads: 1, mlp: 1, bias: 2 } as const;
  const kinds = ['embedding', 'heads', 'mlp', 'bias'];
  return [
    { kind: 'embedding' as const, value: embedded.reduce((total, { value }) => total + value, 0) },
    ...parts.filter(({ kind }) => kind !== 'embedding'),
  ].sort(
    (a, b) =>
      rank[a.kind] - rank[b.kind] || (a.layer ?? 0) - (b.layer ?? 0) || kinds.indexOf(a.kind) - kinds.indexOf(b.kind),
  );
}

function fedTensors(index: AttentionSession['analysis']['index']): ReadonlySet<string> {
  const fed = new Set(index.inputs.map(({ name }) => name));
  index.nodes.forEach(({ outputs }, node) => {
    if (index.dependencies(node).some((tensor) => fed.has(tensor))) for (const output of outputs) fed.add(output);
  });
  return fed;
}
