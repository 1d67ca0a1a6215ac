import { ExplorerError, isCancelled } from '../../src/base/errors';
import { headLabel, isSameSelection, type ComponentInfo, type HeadSelection } from '../../src/model/head';
import type { Comparison } from '../../src/model/compare/comparison';
import type { RunInfo } from '../../src/model/modelInfo';
import type { Pattern } from '../../src/model/pattern';
import { isTiled } from '../../src/model/patternLevels';
import { formName, isPlainForm, plainForm, type PatternForm } from '../../src/model/patternForm';
import type { TokenStream } from '../../src/model/token';
import { unitsOf, unitStream, type TextSymbol } from '../../src/model/units';
import type { FirstPattern, PanelApi } from '../../src/panelProtocol';
import type { PatternOverview, PatternParams, Thumbnails } from '../../src/protocol';
import type { OfForm } from '../../src/model/weightForm';
import type { Client } from '../../src/rpc/connection';
import { joinThumbnails, layersThere } from './growingThumbnails';
import { KeptParts, plainWeighing, RemoteMatrix, WholeMatrix, type MatrixData, type ShownPattern } from './matrixData';
import { RecentlyUsed } from './recentlyUsed';

const maxBytes = 96 * 2 ** 20;
/** Overviews take about a megabyte each. */
const maxLarge = 24;
/** Patterns in another form than the model's. */
const maxFormed = 24;

/** What is wanted of a run. */
export interface WantedPattern {
  readonly info: RunInfo;
  readonly selection: HeadSelection;
  readonly component: ComponentInfo;
  readonly form: PatternForm;
  /** Zero-based line in the document of the text's first character. */
  readonly startLine: number;
}

/** Matrices and thumbnails of runs, asked for when looked at and kept while there is room. */
export class PatternStore {
  readonly #remote: Client<PanelApi>;
  readonly #whole = new RecentlyUsed<WholeMatrix>(maxBytes, ({ bytes }) => bytes + 64);
  readonly #large = new RecentlyUsed<RemoteMatrix>(maxLarge);
  readonly #parts = new KeptParts();
  readonly #thumbnails = new RecentlyUsed<Thumbnails>(6);
  readonly #formed = new RecentlyUsed<ShownPattern>(maxFormed);
  #symbols: { readonly runId: number; readonly symbols: readonly TextSymbol[] } | undefined;
  readonly #comparisons = new Map<string, Comparison>();
  #first: FirstPattern | undefined;

  constructor(remote: Client<PanelApi>) {
    this.#remote = remote;
  }

  /** A pattern that is here already. */
  held({ info, selection, component, form }: WantedPattern): ShownPattern | undefined {
    const { runId, streams } = info;
    const name = nameOf(runId, selection, form);
    if (!isPlainForm(form)) return this.#formed.get(name);
    let matrix: MatrixData | undefined = this.#whole.get(name) ?? this.#large.get(name);
    const first = this.#first;
    if (matrix === undefined && first?.runId === runId && isSameSelection(first.selection, selection)) {
      this.#first = undefined;
      matrix = this.#keep(name, component, first.pattern);
    }
    return matrix && { selection, component, matrix, form, weighing: plainWeighing, streams };
  }

  /** A pattern, from here or from the host: of a large one its overview. Throws an {@link ExplorerError}; `cancelled` when the signal says so. */
  async shown(wanted: WantedPattern, signal: AbortSignal): Promise<ShownPattern> {
    const found = this.held(wanted);
    if (found !== undefined) return found;
    const { info, selection, component, form, startLine } = wanted;
    const { runId } = info;
    if (form.compared === 'intervened') {
      // Tokens and heads are those of the run itself.
      const { streams } = info;
      const matrix = await this.#matrix(runId, selection, { component, form, streams }, signal);
      const shown: ShownPattern = { selection, component, matrix, form, weighing: plainWeighing, streams };
      this.#formed.set(nameOf(runId, selection, form), shown);
      return shown;
    }
    if (form.compared !== undefined) return this.#shownCompared(wanted, signal);
    const symbols = form.level === 'symbol' ? await this.#symbolsOf(runId, signal) : [];
    const streams = info.streams.map((stream) =>
      // The two texts of a pair begin at different lines.
      unitStream(
        stream,
        unitsOf(stream, form.level, symbols),
        stream.role === 'source' && stream.second === undefined ? startLine : 0,
      ),
    );
    if (isPlainForm(form)) {
      const matrix = await this.#matrix(runId, selection, { component, form, streams }, signal);
      return { selection, component, matrix, form, weighing: plainWeighing, streams };
    }
    const isFaded = form.sinks === 'fade';
    // Numbers are always the real ones: what is faded is drawn from weights of its own.
    const real: PatternForm = isFaded ? { ...form, sinks: 'show' } : form;
    const [weighing, matrix, drawn, sinkMass] = await Promise.all([
      form.method === 'attention'
        ? plainWeighing
        : this.#remote.weighing({ runId, component: component.component, method: form.method }, signal),
      this.#matrix(runId, selection, { component, form: real, streams }, signal),
      isFaded ? this.#matrix(runId, selection, { component, form, streams }, signal) : undefined,
      this.#remote.sinkMass({ runId, selection, form }, signal),
    ]);
    const shown: ShownPattern = {
      selection,
      component,
      matrix,
      form,
      weighing,
      streams,
      sinkMass,
      ...(drawn === undefined ? {} : { drawn }),
    };
    this.#formed.set(nameOf(runId, selection, form), shown);
    return shown;
  }

  /** What another run has where this one is looked at, or how much more; tokens that only one of them has are like those that read nothing. */
  async #shownCompared(
    { info, selection, component, form }: WantedPattern,
    signal: AbortSignal,
  ): Promise<ShownPattern> {
    const { runId, streams } = info;
    const asked = { runId, selection, form };
    const [comparison, found] = await Promise.all([
      this.comparison(runId, component, signal),
      areTiled(component, streams) ? this.#remote.overview(asked, signal) : this.#remote.pattern(asked, signal),
    ]);
    const isCommon = (stream: number): Float32Array => {
      const { unitsOfA, unitsOfB } = comparison.texts[stream];
      const units = new Set(unitsOfB);
      return Float32Array.from(unitsOfA, (unit) => Number(units.has(unit)));
    };
    const edges = { rowSums: isCommon(component.queryStream), columnMeans: new Float32Array(found.numKeys) };
    const shown: ShownPattern = {
      selection,
      component,
      matrix:
        'weights' in found
          ? new WholeMatrix(found, component.isCausal, edges)
          : this.#remoteMatrix(nameOf(runId, selection, form), asked, { ...found, ...edges }),
      form,
      weighing: { ceiling: form.compared === 'difference' ? comparison.largest : 1, difference: 0 },
      streams,
    };
    this.#formed.set(nameOf(runId, selection, form), shown);
    return shown;
  }

  /** How a component of the run is compared with the other one, asked for once. */
  async comparison(runId: number, component: ComponentInfo, signal: AbortSignal): Promise<Comparison> {
    const name = `${runId}/${component.component}`;
    const comparison =
      this.#comparisons.get(name) ?? (await this.#remote.compare({ runId, component: component.component }, signal));
    this.#comparisons.set(name, comparison);
    return comparison;
  }

  async #matrix(
    runId: number,
    selection: HeadSelection,
    {
      component,
      form,
      streams,
    }: { readonly component: ComponentInfo; readonly form: PatternForm; readonly streams: readonly TokenStream[] },
    signal: AbortSignal,
  ): Promise<MatrixData> {
    const name = nameOf(runId, selection, form);
    const found = this.#whole.get(name) ?? this.#large.get(name);
    if (found !== undefined) return found;
    const asked = isPlainForm(form) ? { runId, selection } : { runId, selection, form };
    if (areTiled(component, streams)) {
      const large = this.#remoteMatrix(name, asked, await this.#remote.overview(asked, signal));
      this.#large.set(name, large);
      return large;
    }
    const matrix = this.#keep(name, component, await this.#remote.pattern(asked, signal));
    if (matrix === undefined) throw new ExplorerError('invalidMessage', ['pattern']);
    return matrix;
  }

  /** The symbols of a run's text, asked for once. */
  async #symbolsOf(runId: number, signal: AbortSignal): Promise<readonly TextSymbol[]> {
    if (this.#symbols?.runId !== runId)
      this.#symbols = { runId, symbols: (await this.#remote.symbols({ runId }, signal)).symbols };
    return this.#symbols.symbols;
  }

  /** Keeps what comes before it is asked for: the run that it is of has not come yet. */
  keepFirst(first: FirstPattern): void {
    this.#first = first;
  }

  /** What the pattern that came before its run shows. */
  firstSelection(runId: number): HeadSelection | undefined {
    return this.#first?.runId === runId ? this.#first.selection : undefined;
  }

  #keep(name: string, { isCausal }: ComponentInfo, pattern: Pattern): WholeMatrix | undefined {
    if (pattern.weights.length !== pattern.numQueries * pattern.numKeys) return undefined;
    const matrix = new WholeMatrix(pattern, isCausal);
    this.#whole.set(name, matrix);
    return matrix;
  }

  #remoteMatrix(name: string, asked: PatternParams & OfForm, overview: PatternOverview): RemoteMatrix {
    return new RemoteMatrix(overview, {
      name,
      kept: this.#parts,
      tile: (place, aborted) => this.#remote.tile({ ...asked, ...place }, aborted),
      row: async (position, direction, aborted) =>
        (await this.#remote.row({ ...asked, position, direction }, aborted)).weights,
    });
  }

  /** The thumbnails of a component's layers that are there, from here or from the host. */
  async thumbnails(
    runId: number,
    component: ComponentInfo,
    { size, form }: { readonly size: number; readonly form: PatternForm },
    signal: AbortSignal,
  ): Promise<Thumbnails> {
    // A thumbnail is of tokens at every level.
    const own: PatternForm = { ...form, level: 'token' };
    const name = `${runId}/${component.component}/${size}/${formName(own)}`;
    const found = this.#thumbnails.get(name);
    const there = layersThere(component);
    const missing = there.filter((layer) => (found?.numHeads[layer] ?? 0) === 0);
    if (found !== undefined && missing.length === 0) return found;
    const params = { runId, component: component.component, size, ...(isPlainForm(own) ? {} : { form: own }) };
    const added = await this.#remote.thumbnails(
      missing.length < component.layers.length ? { ...params, layers: missing } : params,
      signal,
    );
    const thumbnails =
      found === undefined
        ? added
        : (joinThumbnails(this.#thumbnails.get(name) ?? found, added) ??
          (await this.#remote.thumbnails(params, signal)));
    this.#thumbnails.set(name, thumbnails);
    return thumbnails;
  }

  /** Drops everything: the runs are gone. */
  clear(): void {
    this.#whole.clear();
    this.#large.clear();
    this.#parts.clear();
    this.#thumbnails.clear();
    this.#formed.clear();
    this.#comparisons.clear();
    this.#symbols = undefined;
  }
}

/** Runs a request and hands over what comes of it, unless it was cancelled. */
export async function settle<T>(
  request: Promise<T>,
  done: (value: T) => void,
  failed: (error: ExplorerError) => void,
): Promise<void> {
  try {
    done(await request);
  } catch (error) {
    if (!isCancelled(error)) failed(ExplorerError.from(error));
  }
}

/** Whether a pattern over these texts comes in parts. */
function areTiled({ queryStream, keyStream }: ComponentInfo, streams: readonly TokenStream[]): boolean {
  const lengthOf = (stream: number): number => streams[stream]?.tokens.length ?? 0;
  return isTiled(lengthOf(queryStream), lengthOf(keyStream));
}

function nameOf(
  runId: number,
  { component, heads, aggregation }: HeadSelection,
  form: PatternForm = plainForm,
): string {
  return `${runId}/${component}/${heads.length > 1 ? aggregation : ''}/${heads.map(headLabel).join(' ')}/${formName(form)}`;
}
