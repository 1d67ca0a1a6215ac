import type { JsonFields } from '../jsonFields';
import type { Edit, NormalizedString } from '../normalizedString';
import { controls, nonspacingMarks, unusualSpaces } from '../unicode/characters';
import { lazy } from '../unicode/codePointSet';
import { lowercase } from './lowercase';
import { toNormalForm } from './normalForm';
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

const printable = /^[ -~]*$/;
const controlRuns = lazy(() => new RegExp(`[\\0${controls().members}]+`, 'gu'));
const accents = lazy(() => new RegExp(`[${nonspacingMarks().members}]+`, 'gu'));
const mayHaveAccents = /[^\0-\u02ff]/;

function cleanText(piece: NormalizedString): NormalizedString {
  if (printable.test(piece.text)) return piece.withText(piece.text);
  const cleaned = piece.remove(controlRuns());
  return cleaned.withText(cleaned.text.replace(unusualSpaces, ' '));
}

function spaceChinese(piece: NormalizedString): NormalizedString {
  const edits: Edit[] = [];
  for (const { 0: run, index } of piece.text.matchAll(chinese)) {
    const characters = [...run];
    edits.push({
      start: index,
      end: index + run.length,
      text: ` ${characters.join('  ')} `,
      changes: characters.flatMap(() => [0, 1, 1]),
    });
  }
  return edits.length === 0 ? piece.withText(piece.text) : piece.edit(edits);
}

function stripAccents(piece: NormalizedString): NormalizedString {
  const decomposed = toNormalForm(piece, 'NFD');
  return mayHaveAccents.test(decomposed.text) ? decomposed.remove(accents()) : decomposed.withText(decomposed.text);
}

/** The CJK ideographs as BERT's tokenizer defines them (not kana, not Hangul). */
const chinese =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]+/gu;
