import { firstAtLeast } from '../../base/firstAtLeast';
import type { TokenStream } from '../token';
import { relationIds, type RelationId, type RelationPairs } from './relation';
import type { Span, SyntaxFacts } from './syntaxTree';

/** Of a long line or statement only so many of the nearest tokens count: all pairs of a minified file would be millions. */
const mostKeys = 256;

/** A definition that somebody else knows, such as a language server: where a name begins, and where it is defined. */
export interface KnownDefinition {
  readonly at: number;
  readonly definition: Span;
}

/** Where tokens stand in a text: each at its first character that is no blank. */
class Places {
  readonly #places: Int32Array;
  /** The tokens that stand for text, in order. */
  readonly positions: readonly number[];
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** Which have anything to be seen of. */
  readonly #visible: Uint8Array;

  constructor(stream: TokenStream) {
    this.positions = stream.tokens.flatMap(({ start, end, isSpecial, template }, position) =>
      isSpecial || template !== undefined || end <= start ? [] : [position],
    );
    this.#starts = Int32Array.from(this.positions, (position) => stream.tokens[position].start);
    this.#ends = Int32Array.from(this.positions, (position) => stream.tokens[position].end);
    this.#places = this.#starts.slice();
    this.#visible = new Uint8Array(this.positions.length);
    this.positions.forEach((_, index) => {
      const first = stream.text.slice(this.#starts[index], this.#ends[index]).search(/\S/);
      if (first < 0) return;
      this.#places[index] += first;
      this.#visible[index] = 1;
    });
  }

  place(index: number): number {
    return this.#places[index];
  }

  /** Whether a token has anything to be seen of. */
  isVisible(index: number): boolean {
    return this.#visible[index] === 1;
  }

  /** The tokens whose place is in a stretch of the text, without those of blanks alone. */
  within([start, end]: Span): number[] {
    const found: number[] = [];
    for (
      let index = firstAtLeast(this.#places, start);
      index < this.positions.length && this.#places[index] < end;
      index++
    )
      if (this.isVisible(index)) found.push(this.positions[index]);
    return found;
  }

  /** The tokens that hold a character: several where they share it. */
  holding(offset: number): number[] {
    const found: number[] = [];
    // Tokens that hold it begin at it or before it, and those that begin earlier end earlier.
    for (let index = firstAtLeast(this.#starts, offset + 1) - 1; index >= 0; index--) {
      if (this.#ends[index] <= offset) break;
      found.unshift(this.positions[index]);
    }
    return found;
  }
}

/** Gathers the pairs of a relation. */
class Gathered {
  /** Of each query that has any its keys, as they came: perhaps in no order, and more than once. */
  readonly #keys: (number[] | undefined)[] = [];
  readonly #isCausal: boolean;

  constructor(isCausal: boolean) {
    this.#isCausal = isCausal;
  }

  /** A query can read itself always, and in a causal model nothing behind it: neither is a pair. */
  add(queries: readonly number[], keys: readonly number[]): void {
    for (const query of queries) this.addTo(query, keys);
  }

  /** The same of one query and a part of some keys. */
  addTo(query: number, keys: readonly number[], from = 0, to = keys.length): void {
    let own = this.#keys[query];
    for (let at = from; at < to; at++) {
      const key = keys[at];
      if (key === query || (this.#isCausal && key > query)) continue;
      if (own === undefined) this.#keys[query] = own = [key];
      else own.push(key);
    }
  }

  pairs(): RelationPairs {
    const [queries, ends, keys]: number[][] = [[], [], []];
    this.#keys.forEach((own, query) => {
      if (own === undefined) return;
      if (!isInOrder(own)) own.sort((a, b) => a - b);
      for (let i = 0; i < own.length; i++) if (i === 0 || own[i] !== own[i - 1]) keys.push(own[i]);
      queries.push(query);
      ends.push(keys.length);
    });
    return { queries: Int32Array.from(queries), ends: Int32Array.from(ends), keys: Int32Array.from(keys) };
  }
}

function isInOrder(numbers: readonly number[]): boolean {
  for (let i = 1; i < numbers.length; i++) if (numbers[i] < numbers[i - 1]) return false;
  return true;
}

/** The pairs of each relation between the tokens of a program. Definitions that are known go before those of the grammar's scopes. */
export function relationPairs(
  stream: TokenStream,
  facts: SyntaxFacts,
  isCausal: boolean,
  known: readonly KnownDefinition[] = [],
): Readonly<Record<RelationId, RelationPairs>> {
  const places = new Places(stream);
  const gathered = Object.fromEntries(relationIds.map((id) => [id, new Gathered(isCausal)])) as Readonly<
    Record<RelationId, Gathered>
  >; // of the ids themselves
  for (const [opening, closing] of facts.brackets()) {
    gathered.matchingBracket.add(places.holding(closing), places.holding(opening));
    gathered.matchingBracket.add(places.holding(opening), places.holding(closing));
  }
  const knownAt = new Map(known.map(({ at, definition }) => [at, definition]));
  const last = new Map<string, Span>();
  for (const { span, text, definition } of facts.names()) {
    const tokens = tokensOf(places, span);
    const before = last.get(text);
    if (before !== undefined) gathered.previousOccurrence.add(tokens, tokensOf(places, before));
    last.set(text, span);
    const defined = knownAt.get(span[0]) ?? definition;
    if (defined !== undefined && defined[0] !== span[0]) gathered.definition.add(tokens, tokensOf(places, defined));
  }
  addNeighbours(stream, places, facts, gathered);
  addIndentation(stream, places, gathered.indentationAbove);
  return Object.fromEntries(relationIds.map((id) => [id, gathered[id].pairs()])) as Readonly<
    Record<RelationId, RelationPairs>
  >; // of the ids themselves
}

/** The tokens of a name: those that begin in it, or the one that it is a part of. */
function tokensOf(places: Places, span: Span): number[] {
  const within = places.within(span);
  const holding = places.holding(span[0]);
  return [...holding.filter((position) => !within.includes(position)), ...within];
}

function addNeighbours(
  { text }: TokenStream,
  places: Places,
  facts: SyntaxFacts,
  gathered: Readonly<Record<RelationId, Gathered>>,
): void {
  const byStatement = new Map<number, number[]>();
  const byLine = new Map<number, number[]>();
  /** The tokens of headers: many tokens have the same. */
  const ofHeaders = new Map<Span, readonly number[]>();
  let line = 0;
  let at = 0;
  places.positions.forEach((position, index) => {
    // Blanks alone are in no statement; where lines begin with the same ones is told by itself.
    if (!places.isVisible(index)) return;
    const place = places.place(index);
    for (; at < place; at++) if (isBreak(text, at)) line++;
    push(byLine, line, position);
    const node = facts.nodeAt(place);
    if (node === undefined) return;
    const statement = facts.statementOf(node);
    if (statement !== undefined) push(byStatement, statement, position);
    const header = facts.headerOf(node);
    if (header === undefined) return;
    let tokens = ofHeaders.get(header);
    if (tokens === undefined) ofHeaders.set(header, (tokens = places.within(header).slice(0, mostKeys)));
    gathered.blockHeader.addTo(position, tokens);
  });
  for (const [relation, groups] of [
    [gathered.sameStatement, byStatement],
    [gathered.sameLine, byLine],
  ] as const)
    for (const group of groups.values())
      group.forEach((position, i) =>
        relation.addTo(position, group, Math.max(0, i - mostKeys / 2), Math.min(group.length, i + mostKeys / 2)),
      );
}

/** From the blanks before a line's first visible character to those of the line above; lines of blanks alone are none. */
function addIndentation({ text }: TokenStream, places: Places, relation: Gathered): void {
  let above: readonly number[] = [];
  for (const { 0: blanks, index } of text.matchAll(/^[ \t]*(?=\S)/gm)) {
    const tokens = new Set<number>();
    for (let offset = index; offset < index + blanks.length; offset++)
      for (const position of places.holding(offset)) tokens.add(position);
    const own = [...tokens];
    relation.add(own, above);
    above = own;
  }
}

function isBreak(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit === 10 || (unit === 13 && text.charCodeAt(at + 1) !== 10);
}

function push(groups: Map<number, number[]>, key: number, position: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [position]);
  else group.push(position);
}
