import { LRUCache } from 'lru-cache';
import { ExplorerError } from '../../base/errors';
import { headLabel, type HeadSelection } from '../../model/head';
import { countsInMean, directionOf } from '../../model/lighting';
import { meanOf, type Direction } from '../../model/pattern';
import { joinsHeads, type MethodId } from '../../model/methods';
import { formName, plainForm, tokensOfMethod, type PatternForm } from '../../model/patternForm';
import type { TokenRef, TokenStream } from '../../model/token';
import { unitAt, unitsOf, unitStream } from '../../model/units';
import type { ViewState } from '../../model/viewState';
import type { ShownRun } from '../run/shownRun';

/** The weights of some tokens over the tokens of one stream, or over what these are together at the view's level. */
export interface Row {
  readonly direction: Direction;
  /** The stream that the weights are over, and that stream as it is read at the view's level. */
  readonly stream: number;
  readonly over: TokenStream;
  readonly weights: Float32Array;
  /** With what weights they are drawn, where that is another: sinks are faded. */
  readonly drawn: Float32Array;
  /** How much of what the tokens read was on sinks, and taken out; undefined where nothing was. */
  readonly removed: number | undefined;
  /** What the numbers are, which are attention weights where the method of the view cannot be had of the run. */
  readonly method: MethodId;
  /** What full depth of colour stands for. */
  readonly ceiling: number;
  /** Whether they are those of the run with interventions, in the place of the plain run's. */
  readonly isIntervened: boolean;
  /** Whether these are the plain run's nevertheless, as all that is blocked is taken out by the causal mask anyway. */
  readonly isMaskedOut: boolean;
}

/** What of a run rows are read of. */
type RowsOf = Pick<ShownRun, 'runId' | 'info' | 'held'>;

const maxRows = 256;

/** Fetches rows of patterns from the engine and keeps the latest. */
export class RowReader {
  readonly #rows = new LRUCache<string, Promise<Float32Array>>({ max: maxRows });

  /**
   * What tokens of one stream read, or what reads them, in the heads of a view and in its form; several are averaged as the view has it. Where a run
   * with interventions is held, its weights as they are. Undefined where the heads say nothing about that stream. Throws `unknownRun` where the attention is gone.
   */
  async read(
    run: RowsOf,
    view: Pick<ViewState, 'selection' | 'direction' | 'pinnedMean' | keyof PatternForm>,
    tokens: readonly TokenRef[],
  ): Promise<Row | undefined> {
    const { selection, direction, pinnedMean } = view;
    const isIntervened = run.held.intervened !== undefined;
    const { level, isRenormalized, ...seen } = isIntervened ? plainForm : view;
    const { method, ceiling } = await this.#weighing(run, { selection, method: seen.method });
    const sinks = joinsHeads(method) ? 'show' : seen.sinks;
    const [first] = tokens;
    const component = run.info.components.find((candidate) => candidate.component === selection.component);
    if (first === undefined || component === undefined) return undefined;
    const way = directionOf(component, first.stream, direction);
    if (way === undefined) return undefined;
    const symbols = level === 'symbol' ? await run.held.symbols() : [];
    const { streams } = run.info;
    const own = streams[first.stream] && unitsOf(streams[first.stream], level, symbols);
    const positions = tokens.filter(({ stream }) => stream === first.stream).map(({ position }) => position);
    const looking = own === undefined ? positions : [...new Set(positions.map((position) => unitAt(own, position)))];
    const form: PatternForm = {
      method,
      level,
      sinks: sinks === 'fade' ? 'show' : sinks,
      isRenormalized,
      ...(isIntervened ? { compared: 'intervened' } : {}),
    };
    const counts = countsInMean(
      component,
      { tokens: looking.map((position) => ({ stream: first.stream, position })), direction: way },
      pinnedMean,
    );
    const meanIn = async (wanted: PatternForm): Promise<Float32Array> =>
      meanOf(
        await Promise.all(
          looking.map((position) =>
            this.#row(
              run,
              selection,
              { position, direction: way },
              {
                ...wanted,
                // What is looked at is told of.
                ...(way === 'reads' ? tokensOfMethod(method, tokens) : {}),
              },
            ),
          ),
        ),
        counts,
      );
    const stream = way === 'reads' ? component.keyStream : component.queryStream;
    const weights = await meanIn(form);
    return {
      direction: way,
      stream,
      over: unitStream(streams[stream], unitsOf(streams[stream], level, symbols)),
      weights,
      drawn: sinks === 'fade' ? await meanIn({ ...form, sinks }) : weights,
      removed: sinks === 'remove' && way === 'reads' ? await this.#removed(run, selection, form, looking) : undefined,
      method,
      ceiling,
      isIntervened,
      isMaskedOut: isIntervened && run.held.isMaskedOut,
    };
  }

  /** What the numbers of a view are in a run, and what full depth of colour stands for. */
  async #weighing(
    run: RowsOf,
    { selection: { component }, method }: Pick<ViewState, 'selection' | 'method'>,
  ): Promise<Pick<Row, 'method' | 'ceiling'>> {
    if (method === 'attention') return { method, ceiling: 1 };
    try {
      const { ceiling } = await run.held.weighing(component, method);
      return { method, ceiling };
    } catch (error) {
      if (error instanceof ExplorerError && error.code === 'methodNotOffered')
        return { method: 'attention', ceiling: 1 };
      throw error;
    }
  }

  /** How much of the mean of some rows was on sinks. */
  async #removed(
    run: RowsOf,
    selection: HeadSelection,
    form: PatternForm,
    positions: readonly number[],
  ): Promise<number> {
    const asked = await run.held.weightForm(selection.component, form);
    if (asked === undefined) return 0;
    const { removed } = await run.held.sinkMass(selection, asked);
    return positions.reduce((sum, position) => sum + removed[position], 0) / positions.length;
  }

  #row(
    run: RowsOf,
    selection: HeadSelection,
    { position, direction }: { readonly position: number; readonly direction: Direction },
    form: PatternForm,
  ): Promise<Float32Array> {
    const heads = selection.heads.map(headLabel).join();
    const key = `${run.runId}|${run.held.intervened ?? ''}|${selection.component}|${heads}|${heads.includes(',') ? selection.aggregation : ''}|${position}|${direction}|${formName(form)}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = run.held
      .weightForm(selection.component, form)
      .then((asked) => run.held.row({ selection, position, direction }, asked));
    this.#rows.set(key, row);
    // What failed is asked for again the next time.
    row.catch(() => this.#rows.delete(key));
    return row;
  }
}
