import type { NormalizedString } from '../normalizedString';

const dropped = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]+/g;
const spaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

/** SentencePiece's clean-up for translation: drops control characters and makes unusual white space a space. */
export function normalizeNmt(piece: NormalizedString): NormalizedString {
  const kept = piece.remove(dropped);
  return kept.withText(kept.text.replace(spaces, ' '));
}
