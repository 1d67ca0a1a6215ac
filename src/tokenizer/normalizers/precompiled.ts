import { decodeBase64 } from '../base64';
import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import { byteLength, codePointAt, countCodePoints, unitLength } from '../unicode/characters';
import { forEachGrapheme } from '../unicode/graphemes';
import type { Edit } from '../normalizedString';
import { lazy } from '../unicode/codePointSet';
import { mostUnits, TooCostlyError } from '../workBounds';
import type { Normalizer } from './normalizer';

/** Only clusters of fewer UTF-8 bytes are looked up as a whole. */
const maxClusterBytes = 6;

/** SentencePiece's normaliser, whose rules are compiled into a double array (Darts) that the file carries. */
export function readPrecompiled(fields: JsonFields): Normalizer {
  const path = `${fields.path}.precompiled_charsmap`;
  const given = fields.raw('precompiled_charsmap');
  const rules = new CharacterMap(
    given instanceof Uint8Array ? given : decodeBase64(fields.string('precompiled_charsmap', ''), path),
    path,
  );
  // What may change, with the plain characters that could form a cluster with it.
  const changeable = lazy(() => new RegExp(`[${rules.plain}]?(?:[^${rules.plain}]+[${rules.plain}]?)+`, 'g'));
  return (piece) => {
    const edits: Edit[] = [];
    let { length } = piece.text;
    for (const { 0: stretch, index: start } of piece.text.matchAll(changeable())) {
      const edit = rewrite(rules, stretch);
      if (edit === undefined) continue;
      piece.checkGrowth((length += edit.text.length - stretch.length));
      // As in the reference library, what is removed at the very start is not accounted for: all that follows moves up.
      if (edit.removesStart && start === 0) {
        const whole = rewrite(rules, piece.text);
        return whole === undefined ? piece : piece.transform(whole.text, whole.changes);
      }
      edits.push({ start, end: start + stretch.length, text: edit.text, changes: edit.changes });
    }
    return edits.length === 0 ? piece : piece.edit(edits);
  };
}

/** What the rules make of a text; undefined where nothing changes. */
function rewrite(
  rules: CharacterMap,
  text: string,
): { readonly text: string; readonly changes: readonly number[]; readonly removesStart: boolean } | undefined {
  const pieces: string[] = [];
  const changes: number[] = [];
  let isChanged = false;
  let removesStart = false;
  const most = mostUnits(text.length);
  let length = 0;
  const replace = (part: string, replacement: string): void => {
    isChanged = true;
    pieces.push(replacement);
    if ((length += replacement.length) > most) throw new TooCostlyError('its steps make the text far too long');
    const before = changes.length;
    for (let i = 0; i < replacement.length; i += unitLength(codePointAt(replacement, i))) changes.push(0);
    const surplus = changes.length - before - countCodePoints(part);
    for (let i = changes.length - surplus; i < changes.length; i++) changes[i] = 1;
    if (surplus < 0 && changes.length > 0) changes[changes.length - 1] += surplus;
    removesStart ||= surplus < 0 && changes.length === 0;
  };
  forEachGrapheme(text, (grapheme) => {
    if (isShort(grapheme)) {
      const replacement = rules.lookUp(grapheme);
      if (replacement !== undefined) return replace(grapheme, replacement);
      if (grapheme.length === 1) {
        pieces.push(grapheme);
        changes.push(0);
        return;
      }
    }
    for (const character of grapheme) {
      const replacement = rules.lookUp(character);
      if (replacement !== undefined) {
        replace(character, replacement);
      } else {
        pieces.push(character);
        changes.push(0);
      }
    }
  });
  return isChanged ? { text: pieces.join(''), changes, removesStart } : undefined;
}

function isShort(text: string): boolean {
  if (text.length >= maxClusterBytes) return false;
  let bytes = 0;
  for (let i = 0; i < text.length; i += unitLength(codePointAt(text, i))) bytes += byteLength(codePointAt(text, i));
  return bytes < maxClusterBytes;
}

/** The compiled rules: a double-array trie over bytes whose values are places in a list of texts that end in NUL. */
class CharacterMap {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #found = new Map<string, string | undefined>();
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(bytes: Uint8Array, path: string) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const numBytes = bytes.byteLength < 4 ? -1 : view.getUint32(0, true);
    const numUnits = numBytes >>> 2;
    if (numBytes < 0 || 4 + numUnits * 4 > bytes.byteLength) throw new TokenizerFormatError(`"${path}" ends too early`);
    this.#units = Uint32Array.from({ length: numUnits }, (_, i) => view.getUint32(4 + i * 4, true));
    this.#texts = bytes.subarray(4 + numUnits * 4);
  }

  /** The visible ASCII characters, and the space, that no rule changes, as they are written between the brackets of a regular expression; never none. */
  get plain(): string {
    let plain = '\\x7f';
    for (let unit = 0x20; unit < 0x7f; unit++)
      if (this.lookUp(String.fromCharCode(unit)) === undefined) plain += `\\x${unit.toString(16)}`;
    return this.lookUp('\x7f') === undefined ? plain : plain.slice(4) || '\\ud800';
  }

  /** The replacement of the shortest rule that a text starts with. */
  lookUp(text: string): string | undefined {
    if (this.#found.has(text)) return this.#found.get(text);
    const replacement = this.#search(this.#encoder.encode(text));
    if (this.#found.size < 10_000) this.#found.set(text, replacement);
    return replacement;
  }

  #search(key: Uint8Array): string | undefined {
    const units = this.#units;
    if (units.length === 0) return undefined;
    let place = offsetOf(units[0]);
    for (const byte of key) {
      if (byte === 0) return undefined;
      place ^= byte;
      // A place outside of the array is a damaged file: no rule.
      if (place >= units.length || (units[place] & 0x800000ff) >>> 0 !== byte) return undefined;
      const unit = units[place];
      place ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) return place < units.length ? this.#textAt(units[place] & 0x7fffffff) : undefined;
    }
    return undefined;
  }

  #textAt(start: number): string {
    const end = this.#texts.indexOf(0, start);
    return this.#decoder.decode(this.#texts.subarray(start, end === -1 ? undefined : end));
  }
}

/** The offset field of a Darts unit. */
function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}
