const alphabet = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const padding = 61;

/** Bytes in base64 with padding (RFC 4648, 4), as the bytes of its ASCII. */
export function base64Bytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3));
  let to = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    // Past the end there is nothing, which counts as zero here.
    const three = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    text[to++] = alphabet[three >> 18];
    text[to++] = alphabet[(three >> 12) & 63];
    text[to++] = alphabet[(three >> 6) & 63];
    text[to++] = alphabet[three & 63];
  }
  const numLeft = bytes.length % 3;
  if (numLeft > 0) text.fill(padding, to - (3 - numLeft));
  return text;
}

/** The same as a text. */
export function base64(bytes: Uint8Array): string {
  return new TextDecoder().decode(base64Bytes(bytes));
}
