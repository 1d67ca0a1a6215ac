import type { JsonFields } from '../jsonFields';
import type { NormalizedString } from '../normalizedString';
import { codePointAt, controls, isWhitespace, nonspacingMarks, unitLength } from '../unicode/characters';
import { normalForm } from '../unicode/normalForms';
import { lowercase } from './lowercase';
import { mapCharacters } from './mapCharacters';
import type { Normalizer } from './normalizer';

/** BERT's clean-up: control characters, spaces around CJK characters, accents, case. */
export function readBertNormalizer(fields: JsonFields): Normalizer {
  const cleansText = fields.boolean('clean_text', true);
  const spacesChinese = fields.boolean('handle_chinese_chars', true);
  const lowercases = fields.boolean('lowercase', true);
  const stripsAccents = fields.has('strip_accents') ? fields.boolean('strip_accents') : lowercases;
  return (piece) => {
    let current = piece;
    if (cleansText) current = cleanText(current);
    if (spacesChinese) current = spaceChinese(current);
    if (stripsAccents) current = stripAccents(current);
    return lowercases ? lowercase(current) : current;
  };
}

function cleanText(piece: NormalizedString): NormalizedString {
  const control = controls();
  return mapCharacters(
    piece.filter((codePoint) => codePoint !== 0 && !control.has(codePoint)),
    (codePoint) => (codePoint !== 0x20 && isWhitespace(codePoint) ? ' ' : undefined),
  );
}

function spaceChinese(piece: NormalizedString): NormalizedString {
  const { text } = piece;
  const pieces: string[] = [];
  const changes: number[] = [];
  let keptFrom = 0;
  for (let i = 0; i < text.length; ) {
    const codePoint = codePointAt(text, i);
    const end = i + unitLength(codePoint);
    if (isChinese(codePoint)) {
      pieces.push(text.slice(keptFrom, i), ' ', text.slice(i, end), ' ');
      changes.push(0, 1, 1);
      keptFrom = end;
    } else {
      changes.push(0);
    }
    i = end;
  }
  if (keptFrom === 0) return piece.withText(text);
  pieces.push(text.slice(keptFrom));
  return piece.transform(pieces.join(''), changes);
}

function stripAccents(piece: NormalizedString): NormalizedString {
  const nonspacing = nonspacingMarks();
  const decomposed = normalForm(piece.text, 'NFD');
  const current = decomposed === undefined ? piece.withText(piece.text) : piece.transform(decomposed.text, decomposed.changes);
  return current.filter((codePoint) => codePoint < 0x300 || !nonspacing.has(codePoint));
}

/** The CJK ideographs as BERT's tokenizer defines them (not kana, not Hangul). */
function isChinese(c: number): boolean {
  return (
    c >= 0x3400 &&
    ((c >= 0x4e00 && c <= 0x9fff) ||
      c <= 0x4dbf ||
      (c >= 0x20000 && c <= 0x2a6df) ||
      (c >= 0x2a700 && c <= 0x2b81f) ||
      (c >= 0x2b920 && c <= 0x2ceaf) ||
      (c >= 0xf900 && c <= 0xfaff) ||
      (c >= 0x2f800 && c <= 0x2fa1f))
  );
}
