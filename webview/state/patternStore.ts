import { LRUCache } from 'lru-cache';
import { ExplorerError, isCancelled } from '../../src/base/errors';
import { headLabel, isSameSelection, type ComponentInfo, type HeadSelection } from '../../src/model/head';
import type { RunInfo } from '../../src/model/modelInfo';
import type { Pattern } from '../../src/model/pattern';
import { isTiled } from '../../src/model/patternLevels';
import type { FirstPattern, PanelApi, Thumbnails } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';
import { joinThumbnails, layersThere } from './growingThumbnails';
import { KeptParts, RemoteMatrix, WholeMatrix, type MatrixData } from './matrixData';

const maxBytes = 96 * 2 ** 20;
/** Overviews take about a megabyte each. */
const maxLarge = 24;

/** Matrices and thumbnails of runs, asked for when looked at and kept while there is room. */
export class PatternStore {
  readonly #remote: Client<PanelApi>;
  readonly #whole = new LRUCache<string, WholeMatrix>({
    maxSize: maxBytes,
    maxEntrySize: 2 ** 31,
    sizeCalculation: ({ bytes }) => bytes + 64,
  });
  readonly #large = new LRUCache<string, RemoteMatrix>({ max: maxLarge });
  readonly #parts = new KeptParts();
  readonly #thumbnails = new LRUCache<string, Thumbnails>({ max: 6 });
  #first: FirstPattern | undefined;

  constructor(remote: Client<PanelApi>) {
    this.#remote = remote;
  }

  /** A matrix that is here already. */
  held(runId: number, selection: HeadSelection, component: ComponentInfo): MatrixData | undefined {
    const name = nameOf(runId, selection);
    const held = this.#whole.get(name) ?? this.#large.get(name);
    const first = this.#first;
    if (held !== undefined || first?.runId !== runId || !isSameSelection(first.selection, selection)) return held;
    this.#first = undefined;
    return this.#keep(runId, selection, component, first.pattern);
  }

  /** A matrix, from here or from the host: of a large one its overview. Throws an {@link ExplorerError}; `cancelled` when the signal says so. */
  async matrix(
    info: RunInfo,
    selection: HeadSelection,
    component: ComponentInfo,
    signal: AbortSignal,
  ): Promise<MatrixData> {
    const { runId, streams } = info;
    const found = this.held(runId, selection, component);
    if (found !== undefined) return found;
    const lengthOf = (stream: number): number => streams[stream]?.tokens.length ?? 0;
    if (isTiled(lengthOf(component.queryStream), lengthOf(component.keyStream)))
      return this.#overview(runId, selection, signal);
    const matrix = this.#keep(runId, selection, component, await this.#remote.pattern({ runId, selection }, signal));
    if (matrix === undefined) throw new ExplorerError('invalidMessage', ['pattern']);
    return matrix;
  }

  /** Keeps what comes before it is asked for: the run that it is of has not come yet. */
  keepFirst(first: FirstPattern): void {
    this.#first = first;
  }

  /** What the pattern that came before its run shows. */
  firstSelection(runId: number): HeadSelection | undefined {
    return this.#first?.runId === runId ? this.#first.selection : undefined;
  }

  #keep(
    runId: number,
    selection: HeadSelection,
    { isCausal }: ComponentInfo,
    pattern: Pattern,
  ): WholeMatrix | undefined {
    if (pattern.weights.length !== pattern.numQueries * pattern.numKeys) return undefined;
    const matrix = new WholeMatrix(pattern, isCausal);
    this.#whole.set(nameOf(runId, selection), matrix);
    return matrix;
  }

  async #overview(runId: number, selection: HeadSelection, signal: AbortSignal): Promise<RemoteMatrix> {
    const overview = await this.#remote.overview({ runId, selection }, signal);
    const matrix = new RemoteMatrix(overview, {
      name: nameOf(runId, selection),
      kept: this.#parts,
      tile: (place, aborted) => this.#remote.tile({ runId, selection, ...place }, aborted),
      row: async (position, direction, aborted) =>
        (await this.#remote.row({ runId, selection, position, direction }, aborted)).weights,
    });
    this.#large.set(nameOf(runId, selection), matrix);
    return matrix;
  }

  /** The thumbnails of a component's layers that are there, from here or from the host. */
  async thumbnails(runId: number, component: ComponentInfo, size: number, signal: AbortSignal): Promise<Thumbnails> {
    const name = `${runId}/${component.component}/${size}`;
    const found = this.#thumbnails.get(name);
    const there = layersThere(component);
    const missing = there.filter((layer) => (found?.numHeads[layer] ?? 0) === 0);
    if (found !== undefined && missing.length === 0) return found;
    const params = { runId, component: component.component, size };
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

function nameOf(runId: number, { component, heads, aggregation }: HeadSelection): string {
  return `${runId}/${component}/${heads.length > 1 ? aggregation : ''}/${heads.map(headLabel).join(' ')}`;
}
