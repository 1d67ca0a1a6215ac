import type { NormalizedString } from '../normalizedString';
import { codePointAt, unitLength } from '../unicode/characters';

/** Lower case of each character by itself, whatever stands around it (so Σ is always σ). */
export function lowercase(piece: NormalizedString): NormalizedString {
  const { text } = piece;
  // Of the other characters, two alone depend on what is around them or become longer.
  if (!/[\u0130\u03a3]/.test(text)) return piece.withText(text.toLowerCase());
  if (!text.includes('\u0130')) return piece.withText(text.replaceAll('\u03a3', '\u03c3').toLowerCase());
  const pieces: string[] = [];
  const changes: number[] = [];
  let isSameShape = true;
  for (const character of text) {
    const lower = character.toLowerCase();
    pieces.push(lower);
    changes.push(0);
    for (let i = unitLength(codePointAt(lower, 0)); i < lower.length; i += unitLength(codePointAt(lower, i)))
      changes.push(1);
    isSameShape &&= lower.length === character.length;
  }
  const result = pieces.join('');
  return isSameShape ? piece.withText(result) : piece.transform(result, changes);
}
