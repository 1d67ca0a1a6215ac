import { signal, type ReadonlySignal } from '@preact/signals';
import { isCancelled } from '../../src/base/errors';
import type { ComponentInfo, HeadSelection } from '../../src/model/head';
import { hasSinks, oftenRead, provenSinksAmong } from '../../src/model/lighting';
import { marginals, weightsOf, type Direction, type Marginals, type Pattern } from '../../src/model/pattern';
import { tileSize, type Maxima } from '../../src/model/patternLevels';
import type { PatternForm } from '../../src/model/patternForm';
import type { TokenRef, TokenStream } from '../../src/model/token';
import { tokensOfUnit, unitAt } from '../../src/model/units';
import type { PatternOverview } from '../../src/protocol';
import type { SinkMass, Weighing } from '../../src/model/weightForm';
import { RecentlyUsed } from './recentlyUsed';

/** A matrix that is here whole. */
export class WholeMatrix {
  readonly kind = 'whole';
  readonly pattern: Pattern;
  readonly #isCausal: boolean;
  #marginals: Marginals | undefined;
  #sinks: readonly number[] | undefined;

  /** @param edges what stands at its edges, where that is not the sums and means of its numbers. */
  constructor(pattern: Pattern, isCausal: boolean, edges?: Marginals) {
    this.pattern = pattern;
    this.#isCausal = isCausal;
    this.#marginals = edges;
  }

  get numQueries(): number {
    return this.pattern.numQueries;
  }

  get numKeys(): number {
    return this.pattern.numKeys;
  }

  get bytes(): number {
    return this.pattern.weights.byteLength;
  }

  get marginals(): Marginals {
    return (this.#marginals ??= marginals(this.pattern, this.#isCausal));
  }

  /** The keys that draw much of every query's weight. */
  get sinks(): readonly number[] {
    return (this.#sinks ??= provenSinksAmong(this.marginals.columnMeans, this.numQueries, this.#isCausal));
  }

  weightAt(query: number, key: number): number {
    return this.pattern.weights[query * this.numKeys + key];
  }

  heldRow(position: number, direction: Direction): Float32Array {
    return weightsOf(this.pattern, position, direction);
  }
}

/** A tile by its level and place. */
export interface TilePlace {
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

/** Where a large matrix gets its parts from, and where it keeps them beside those of others. */
export interface MatrixParts {
  /** What the names of its parts begin with. */
  readonly name: string;
  readonly kept: KeptParts;
  tile(place: TilePlace, signal: AbortSignal): Promise<Maxima>;
  row(position: number, direction: Direction, signal: AbortSignal): Promise<Float32Array>;
}

/** More tiles than a large screen shows at a time, and as many rows of 4096 tokens as a pointer crosses in a while. */
const maxTileBytes = 48 * 2 ** 20;
const maxRowBytes = 8 * 2 ** 20;

/** The parts of all large matrices that were looked at last. */
export class KeptParts {
  readonly tiles = new RecentlyUsed<Maxima>(maxTileBytes, ({ maxima }) => maxima.byteLength + 64);
  readonly rows = new RecentlyUsed<Float32Array>(maxRowBytes, (weights) => weights.byteLength + 64);

  clear(): void {
    this.tiles.clear();
    this.rows.clear();
  }
}

/** How many tiles are asked for at a time; the others wait, and those out of sight by then are never asked for. */
const maxRequests = 6;

/** A large matrix, of which an overview is here and the rest is fetched as it is looked at. */
export class RemoteMatrix {
  readonly kind = 'remote';
  readonly overview: PatternOverview;
  readonly #parts: MatrixParts;
  readonly #requests = new Map<string, AbortController>();
  readonly #tilesArrived = signal(0);
  readonly #rowsArrived = signal(0);
  readonly #failed = new Set<string>();
  #wanted: readonly TilePlace[] = [];

  constructor(overview: PatternOverview, parts: MatrixParts) {
    this.overview = overview;
    this.#parts = parts;
  }

  get numQueries(): number {
    return this.overview.numQueries;
  }

  get numKeys(): number {
    return this.overview.numKeys;
  }

  get marginals(): Marginals {
    return this.overview;
  }

  get sinks(): readonly number[] {
    return this.overview.sinks;
  }

  /** Changes when a tile has come. */
  get tilesArrived(): ReadonlySignal<number> {
    return this.#tilesArrived;
  }

  /** Changes when a row has come. */
  get rowsArrived(): ReadonlySignal<number> {
    return this.#rowsArrived;
  }

  /** A weight that is here already, from a row or a tile. */
  weightAt(query: number, key: number): number | undefined {
    const known =
      this.#parts.kept.rows.peek(this.#rowName(query, 'reads'))?.[key] ??
      this.#parts.kept.rows.peek(this.#rowName(key, 'readBy'))?.[query];
    if (known !== undefined) return known;
    const [row, column] = [Math.floor(query / tileSize), Math.floor(key / tileSize)];
    const tile = this.#parts.kept.tiles.peek(this.#tileName({ level: 0, row, column }));
    return tile?.maxima[(query - row * tileSize) * tile.columns + key - column * tileSize];
  }

  /** The weights of one token, if they are here already. */
  heldRow(position: number, direction: Direction): Float32Array | undefined {
    return this.#parts.kept.rows.get(this.#rowName(position, direction));
  }

  /** Fetches the weights of one token. Throws an error of ours; `cancelled` when the signal says so. */
  async fetchRow(position: number, direction: Direction, signal: AbortSignal): Promise<void> {
    if (this.#parts.kept.rows.peek(this.#rowName(position, direction)) !== undefined) return;
    this.#parts.kept.rows.set(this.#rowName(position, direction), await this.#parts.row(position, direction, signal));
    this.#rowsArrived.value++;
  }

  /** A tile that is here already. */
  tile(place: TilePlace): Maxima | undefined {
    return this.#parts.kept.tiles.get(this.#tileName(place));
  }

  /** Fetches the tiles that are in sight, most wanted first, and no others: what is under way to a place out of sight is called back. */
  want(places: readonly TilePlace[]): void {
    this.#wanted = places;
    const names = new Set(places.map((place) => this.#tileName(place)));
    for (const [name, request] of this.#requests) if (!names.has(name)) request.abort();
    this.#ask();
  }

  #ask(): void {
    for (const place of this.#wanted) {
      if (this.#requests.size >= maxRequests) return;
      const name = this.#tileName(place);
      if (this.#requests.has(name) || this.#parts.kept.tiles.peek(name) !== undefined || this.#failed.has(name))
        continue;
      const request = new AbortController();
      this.#requests.set(name, request);
      void this.#fetch(place, name, request);
    }
  }

  async #fetch(place: TilePlace, name: string, request: AbortController): Promise<void> {
    try {
      this.#parts.kept.tiles.set(name, await this.#parts.tile(place, request.signal));
      this.#tilesArrived.value++;
    } catch (error) {
      // The coarser level stays; asking again and again would bring nothing else.
      if (!isCancelled(error)) this.#failed.add(name);
    } finally {
      this.#requests.delete(name);
      this.#ask();
    }
  }

  #tileName({ level, row, column }: TilePlace): string {
    return `${this.#parts.name}/${level}/${row}/${column}`;
  }

  #rowName(position: number, direction: Direction): string {
    return `${this.#parts.name}/${direction}/${position}`;
  }
}

/** A matrix that is here whole, or of which parts are. */
export type MatrixData = WholeMatrix | RemoteMatrix;

/** A matrix with the heads that it shows, and the form that it shows them in. */
export interface ShownPattern {
  readonly selection: HeadSelection;
  readonly component: ComponentInfo;
  /** Its numbers. */
  readonly matrix: MatrixData;
  /** With what weights it is drawn, where that is another: sinks are faded. */
  readonly drawn?: MatrixData;
  readonly form: PatternForm;
  /** What there is to know of its numbers. */
  readonly weighing: Weighing;
  /** The texts whose tokens, or units, its rows and columns are. */
  readonly streams: readonly TokenStream[];
  /** What lies on sinks; there in every form but that of the model. */
  readonly sinkMass?: SinkMass;
}

/** The sink tokens of a pattern. */
export function sinkTokens({ component, matrix, sinkMass }: ShownPattern): readonly number[] {
  return sinkMass?.sinks ?? (hasSinks(component, matrix.numQueries) ? matrix.sinks : []);
}

/** The columns of a pattern that are sinks, or have one in them. */
export function sinkColumns(shown: ShownPattern): readonly number[] {
  const units = shown.streams[shown.component.keyStream]?.units;
  const tokens = sinkTokens(shown);
  return units === undefined ? tokens : [...new Set(tokens.map((token) => unitAt(units, token)))];
}

/** The keys that draw as much as sinks and are none; it is told of tokens, and of all that they read. */
export function oftenReadColumns({ matrix, component, form }: ShownPattern, sinks: readonly number[]): number[] {
  return form.level !== 'token' || form.method !== 'attention' || form.sinks === 'remove'
    ? []
    : oftenRead(matrix.marginals.columnMeans, { numQueries: matrix.numQueries, isCausal: component.isCausal }, sinks);
}

/** How much of each row was taken out; undefined where nothing was. */
export function removedOf({ form, sinkMass }: ShownPattern): Float32Array | undefined {
  return form.sinks === 'remove' ? sinkMass?.removed : undefined;
}

/** The mean of that over the rows of tokens. */
export function removedOfTokens(shown: ShownPattern | undefined, tokens: readonly TokenRef[]): number | undefined {
  const removed = shown && removedOf(shown);
  return removed && tokens.reduce((sum, { position }) => sum + removed[position], 0) / tokens.length;
}

/** A token as the row or column of a pattern that it is in. */
export function inPattern({ streams }: ShownPattern, { stream, position }: TokenRef): TokenRef {
  const units = streams[stream]?.units;
  return units === undefined ? { stream, position } : { stream, position: unitAt(units, position) };
}

/** The tokens of a row or column of a pattern: half-open positions. */
export function tokensIn({ streams }: ShownPattern, { stream, position }: TokenRef): readonly [number, number] {
  const units = streams[stream]?.units;
  return units === undefined ? [position, position + 1] : tokensOfUnit(units, position);
}

/** What there is to know of attention weights. */
export const plainWeighing: Weighing = { ceiling: 1, difference: 0 };
