import { LRUCache } from 'lru-cache';
import { headLabel, type HeadSelection } from '../../model/head';
import { countsInMean, directionOf } from '../../model/lighting';
import { meanOf, type Direction } from '../../model/pattern';
import type { TokenRef } from '../../model/token';
import type { ViewState } from '../../model/viewState';
import type { ShownRun } from '../run/shownRun';

/** The weights of some tokens over the tokens of one stream. */
export interface Row {
  readonly direction: Direction;
  /** The stream that the weights are over. */
  readonly stream: number;
  readonly weights: Float32Array;
}

const maxRows = 256;

/** Fetches rows of patterns from the engine and keeps the latest. */
export class RowReader {
  readonly #rows = new LRUCache<string, Promise<Float32Array>>({ max: maxRows });

  /**
   * What tokens of one stream read, or what reads them, in the heads of a view; several are averaged as the view has it. Undefined
   * where the heads say nothing about that stream. Throws `unknownRun` where the attention is gone.
   */
  async read(
    run: ShownRun,
    { selection, direction, pinnedMean }: Pick<ViewState, 'selection' | 'direction' | 'pinnedMean'>,
    tokens: readonly TokenRef[],
  ): Promise<Row | undefined> {
    const [first] = tokens;
    const component = run.info.components.find((candidate) => candidate.component === selection.component);
    if (first === undefined || component === undefined) return undefined;
    const way = directionOf(component, first.stream, direction);
    if (way === undefined) return undefined;
    const looking = tokens.filter(({ stream }) => stream === first.stream);
    const rows = await Promise.all(looking.map(({ position }) => this.#row(run, selection, position, way)));
    const counts = countsInMean(component, { tokens: looking, direction: way }, pinnedMean);
    return {
      direction: way,
      stream: way === 'reads' ? component.keyStream : component.queryStream,
      weights: meanOf(rows, counts),
    };
  }

  #row(run: ShownRun, selection: HeadSelection, position: number, direction: Direction): Promise<Float32Array> {
    const heads = selection.heads.map(headLabel).join();
    const key = `${run.runId}|${selection.component}|${heads}|${heads.includes(',') ? selection.aggregation : ''}|${position}|${direction}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = run.held.row(selection, position, direction);
    this.#rows.set(key, row);
    // What failed is asked for again the next time.
    row.catch(() => this.#rows.delete(key));
    return row;
  }
}
