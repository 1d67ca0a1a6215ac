import { ExplorerError } from '../base/errors';
import { formatBytes } from '../model/fileLimits';

/** The MIME type of a cell's output that holds an attention file. */
export const outputType = 'application/vnd.attention-explorer.v1+json';
/** The most bytes of such a file: it is saved with its notebook, and as text takes a third more. */
export const maxOutputBytes = 2 ** 25;
/** What its arrays may take when they are unpacked, and its weights in single precision. */
export const maxOutputUnpackedBytes = 2 ** 28;
/** UTF-16 units of the text: base64 with line breaks, and what stands around it. */
const maxOutputUnits = Math.ceil(maxOutputBytes * 1.5);

/**
 * The attention file of a cell's output: `{ "file": "…" }` in JSON, with the base64 of its bytes; or base64 alone, with or without quotes.
 * Throws `outputTooLarge` and `outputInvalid`.
 * @param text what the notebook holds, of which nothing is believed.
 */
export function readOutput(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > maxOutputUnits) throw tooLarge(text.length);
  const trimmed = text.trim();
  const file = trimmed.startsWith('{') || trimmed.startsWith('"') ? fileOf(trimmed) : trimmed;
  let binary: string;
  try {
    binary = atob(file);
  } catch {
    throw new ExplorerError('outputInvalid', []);
  }
  if (binary.length > maxOutputBytes) throw tooLarge(binary.length);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function fileOf(json: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ExplorerError('outputInvalid', []);
  }
  const file = typeof value === 'string' ? value : (Object(value) as { readonly file?: unknown }).file;
  if (typeof file !== 'string') throw new ExplorerError('outputInvalid', []);
  return file;
}

const tooLarge = (bytes: number): ExplorerError =>
  new ExplorerError('outputTooLarge', [formatBytes(bytes), formatBytes(maxOutputBytes)]);
