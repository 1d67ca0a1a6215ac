import { TokenizerFormatError } from './jsonFields';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Decodes standard base64 with padding. Throws {@link TokenizerFormatError} where it is not. */
export function decodeBase64(text: string, path: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new TokenizerFormatError(`"${path}" is not base64`);
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array((digits.length * 3) >> 2);
  const values = new Uint8Array(128);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  let buffer = 0;
  let numBits = 0;
  let write = 0;
  for (let i = 0; i < digits.length; i++) {
    buffer = ((buffer << 6) | values[digits.charCodeAt(i)]) & 0xffffff;
    numBits += 6;
    if (numBits >= 8) {
      numBits -= 8;
      bytes[write++] = (buffer >> numBits) & 0xff;
    }
  }
  return bytes;
}
