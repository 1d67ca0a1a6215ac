import { TokenizerFormatError } from '../jsonFields';

/**
 * The compiled rules of SentencePiece's normaliser, looked up as that library does: the longest rule that the text goes on with.
 * A double-array trie over bytes (Darts) whose values are places in a list of texts that end in NUL.
 */
export class LongestRules {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The texts by their places. */
  readonly #found = new Map<number, string>();
  #steps = 0;

  /** Throws `TokenizerFormatError` where the rules end too early. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const numBytes = bytes.byteLength < 4 ? -1 : view.getUint32(0, true);
    const numUnits = numBytes >>> 2;
    if (numBytes < 0 || 4 + numUnits * 4 > bytes.byteLength)
      throw new TokenizerFormatError('its rules of normalisation end too early');
    this.#units = Uint32Array.from({ length: numUnits }, (_, i) => view.getUint32(4 + i * 4, true));
    this.#texts = bytes.subarray(4 + numUnits * 4);
  }

  /** Steps that {@link match} has taken so far, for those that bound them. */
  get steps(): number {
    return this.#steps;
  }

  /** The longest rule that the bytes from a place on begin with: how many bytes it replaces, and by what. Undefined where there is none. */
  match(bytes: Uint8Array, from: number): { readonly length: number; readonly text: string } | undefined {
    const units = this.#units;
    if (units.length === 0) return undefined;
    let place = offsetOf(units[0]);
    let length = 0;
    let value = -1;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      this.#steps++;
      place ^= byte;
      // A place outside of the array is a damaged file: no rule.
      if (place >= units.length || (units[place] & 0x800000ff) >>> 0 !== byte) break;
      const unit = units[place];
      place ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1 && place < units.length) {
        length = at + 1 - from;
        value = units[place] & 0x7fffffff;
      }
    }
    return length === 0 ? undefined : { length, text: this.#textAt(value) };
  }

  #textAt(start: number): string {
    let text = this.#found.get(start);
    if (text === undefined) {
      const end = this.#texts.indexOf(0, start);
      text = this.#decoder.decode(this.#texts.subarray(start, end === -1 ? undefined : end));
      this.#found.set(start, text);
    }
    return text;
  }
}

/** The offset field of a Darts unit. */
function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}
