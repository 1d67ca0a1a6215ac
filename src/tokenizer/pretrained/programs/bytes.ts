import type { Model, Pieces } from '../../models/model';
import { codePointAt, unitLength } from '../../unicode/characters';
import type { PythonTokens } from './pythonTokens';

const encoder = new TextEncoder();

const isByte = (piece: string): boolean => piece.length === 1 && piece.charCodeAt(0) < 256;

/** The pieces of a tokenizer with one for each byte, which stand from `offset` on. */
export function bytePieces(offset: number): Pieces {
  return {
    idOf: (piece) => (isByte(piece) ? piece.charCodeAt(0) + offset : undefined),
    pieceOf: (id) => (id >= offset && id < 256 + offset ? String.fromCharCode(id - offset) : undefined),
    size: 256,
    maxId: 255 + offset,
  };
}

/** Cuts a text into the bytes of its UTF-8. */
export function byteModel(vocabulary: Pieces, offset: number, added: PythonTokens): Model {
  return {
    vocabulary,
    tokenize: (word) => {
      const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
      for (let start = 0; start < word.length;) {
        const end = start + unitLength(codePointAt(word, start));
        for (const byte of encoder.encode(word.slice(start, end))) {
          const piece = String.fromCharCode(byte);
          // A byte that is an added token too has that one's id.
          tokens.ids.push(added.ownIdOf(piece) ?? byte + offset);
          tokens.pieces.push(piece);
          tokens.starts.push(start);
          tokens.ends.push(end);
        }
        start = end;
      }
      return tokens;
    },
  };
}

/** The text that bytes, and added tokens among them, are. */
export function decodeBytes(pieces: readonly string[]): string {
  const bytes = pieces.flatMap((piece) => (isByte(piece) ? [piece.charCodeAt(0)] : [...encoder.encode(piece)]));
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
