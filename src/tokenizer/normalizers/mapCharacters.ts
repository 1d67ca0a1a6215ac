import type { NormalizedString } from '../normalizedString';
import { codePointAt, unitLength } from '../unicode/characters';

/** Replaces code points one for one; `map` gives a character of the basic plane, or undefined to keep the code point. */
export function mapCharacters(piece: NormalizedString, map: (codePoint: number) => string | undefined): NormalizedString {
  const { text } = piece;
  const pieces: string[] = [];
  let keptFrom = 0;
  let isSameShape = true;
  for (let i = 0; i < text.length; ) {
    const codePoint = codePointAt(text, i);
    const end = i + unitLength(codePoint);
    const mapped = map(codePoint);
    if (mapped !== undefined) {
      pieces.push(text.slice(keptFrom, i), mapped);
      keptFrom = end;
      isSameShape &&= mapped.length === end - i;
    }
    i = end;
  }
  pieces.push(text.slice(keptFrom));
  const result = pieces.join('');
  return isSameShape ? piece.withText(result) : piece.transform(result, new Int8Array(result.length));
}
