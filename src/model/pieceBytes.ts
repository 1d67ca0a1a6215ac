/** The characters by which byte-level vocabularies spell the 256 bytes (Radford et al. 2019, `bytes_to_unicode`). */
const byteOfCharacter = new Map<string, number>();
{
  const isPlain = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let shifted = 256;
  for (let byte = 0; byte < 256; byte++)
    byteOfCharacter.set(String.fromCharCode(isPlain(byte) ? byte : shifted++), byte);
}

const encoder = new TextEncoder();

/** The bytes that a vocabulary piece stands for, if it is spelt as bytes: `ðŁ`, `<0xF0>`. */
export function bytesOfPiece(piece: string): number[] | undefined {
  const fallback = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece)?.[1];
  if (fallback !== undefined) return [parseInt(fallback, 16)];
  const bytes: number[] = [];
  for (const character of piece) {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

/**
 * One label for each of the tokens that share a text: their bytes in hexadecimal, where together they are the text's
 * UTF-8, else their pieces, or `2/3` where a piece says nothing.
 */
export function partLabels(pieces: readonly string[], text: string): string[] {
  const bytes = pieces.map(bytesOfPiece);
  const all = bytes.flatMap((part) => part ?? []);
  const wanted = encoder.encode(text);
  if (
    bytes.every((part) => part !== undefined) &&
    all.length === wanted.length &&
    all.every((byte, i) => byte === wanted[i])
  ) {
    return bytes.map((part) => (part ?? []).map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' '));
  }
  return pieces.map((piece, i) => piece.replace(/^(▁|##|Ġ)/, '') || `${i + 1}/${pieces.length}`);
}
