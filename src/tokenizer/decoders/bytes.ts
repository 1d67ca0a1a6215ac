import { bytesOfCharacters } from '../unicode/characters';

/** Reads the byte-level alphabet as UTF-8; a piece with any other character stands for itself. */
export function decodeByteLevel(pieces: readonly string[]): readonly string[] {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const piece of pieces) {
    const known = Array.from(piece, (character) => bytesOfCharacters.get(character));
    if (known.includes(undefined)) for (const byte of encoder.encode(piece)) bytes.push(byte);
    else for (const byte of known) bytes.push(byte ?? 0);
  }
  return [new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))];
}

/** Reads runs of pieces such as `<0x0A>` as UTF-8; a run that is not UTF-8 becomes one replacement character per byte. */
export function decodeByteFallback(pieces: readonly string[]): readonly string[] {
  const parts: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) parts.push(...decodeStrictly(bytes));
    bytes = [];
  };
  for (const piece of pieces) {
    const byte = /^<0x(?:[0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/.test(piece) ? parseInt(piece.slice(3, 5), 16) : undefined;
    if (byte !== undefined) {
      bytes.push(byte);
      continue;
    }
    flush();
    parts.push(piece);
  }
  flush();
  return parts;
}

function decodeStrictly(bytes: readonly number[]): string[] {
  try {
    return [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))];
  } catch {
    return bytes.map(() => '\uFFFD');
  }
}
