import { isId, type JsonFields, TokenizerFormatError } from '../jsonFields';

/** Pieces and their ids, both ways. */
export class Vocabulary {
  readonly #ids = new Map<string, number>();
  readonly #pieces = new Map<number, string>();
  #maxId = -1;

  /** Reads an object of piece → id. */
  static read(fields: JsonFields): Vocabulary {
    const vocabulary = new Vocabulary();
    for (const [piece, id] of fields.entries()) {
      if (!isId(id)) throw new TokenizerFormatError(`the id of "${piece}" in "${fields.path}" is not a whole number`);
      vocabulary.set(piece, id);
    }
    return vocabulary;
  }

  get size(): number {
    return this.#ids.size;
  }

  get maxId(): number {
    return this.#maxId;
  }

  set(piece: string, id: number): void {
    this.#ids.set(piece, id);
    this.#pieces.set(id, piece);
    if (id > this.#maxId) this.#maxId = id;
  }

  idOf(piece: string): number | undefined {
    return this.#ids.get(piece);
  }

  pieceOf(id: number): string | undefined {
    return this.#pieces.get(id);
  }

  entries(): IterableIterator<[string, number]> {
    return this.#ids.entries();
  }
}

/** Pieces `<0x00>` … `<0xFF>` by byte, undefined where the vocabulary lacks one. */
export function readByteIds(idOf: (piece: string) => number | undefined): readonly (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) => idOf(bytePiece(byte)));
}

/** The piece that stands for one byte. */
export function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** A token for the whole word. */
export function wholeWord(
  id: number,
  piece: string,
  word: string,
): { ids: number[]; pieces: string[]; starts: number[]; ends: number[] } {
  return { ids: [id], pieces: [piece], starts: [0], ends: [word.length] };
}

/** What to say where a text needs an unknown token. */
export function missingUnknown(): TokenizerFormatError {
  return new TokenizerFormatError('the text has unknown characters, and there is no token for these');
}
