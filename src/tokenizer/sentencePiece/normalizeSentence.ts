import { NormalizedString } from '../normalizedString';
import type { SentencePieceModel } from '../pretrained/sentencePieceFile';
import { Trie } from '../trie';
import { byteLength, codePointAt, unitLength } from '../unicode/characters';
import { mostSearchSteps, mostUnits, TooCostlyError } from '../workBounds';
import { LongestRules } from './longestRules';

/** What {@link sentenceNormalizer} needs of a file. */
export type NormalizerSpec = Pick<
  SentencePieceModel,
  'characterMap' | 'addsSpace' | 'hasSpaceAfter' | 'removesSpaces' | 'showsSpaces'
>;

const shownSpace = '▁';

/**
 * SentencePiece's own normaliser (`Normalizer::Normalize` of its sources), which `tokenizers` has only in parts: rules by their longest match, spaces that are
 * dropped, put in front and made visible. Each unit stands for the text from where it begins to where the next one begins.
 * @param whole symbols of the user's own, which no rule changes.
 */
export function sentenceNormalizer(
  spec: NormalizerSpec,
  whole: readonly string[],
): (text: string, start: number) => NormalizedString {
  const rules = spec.characterMap.length === 0 ? undefined : new LongestRules(spec.characterMap);
  const symbols = new Trie();
  for (const symbol of whole) if (symbol !== '') symbols.set(symbol, 0);
  const encoder = new TextEncoder();
  const space = spec.showsSpaces ? shownSpace : ' ';
  return (text, start) => {
    const pieces: string[] = [];
    const places: number[] = [];
    const push = (part: string, place: number): void => {
      pieces.push(part);
      for (let i = 0; i < part.length; i++) places.push(place);
    };
    const bytes = rules === undefined ? new Uint8Array() : encoder.encode(text);
    const most = mostUnits(text.length);
    const mostSteps = symbols.steps + (rules?.steps ?? 0) + mostSearchSteps(text.length);
    let at = 0;
    let byteAt = 0;
    /** What the next part of the text becomes. */
    const next = (): { readonly result: string; readonly units: number; readonly numBytes: number } => {
      const symbolEnd = whole.length === 0 ? -1 : symbols.longestMatch(text, at);
      if (symbols.steps + (rules?.steps ?? 0) > mostSteps)
        throw new TooCostlyError('its rules are too long and too much alike');
      if (symbolEnd === -1 && rules !== undefined) {
        const rule = rules.match(bytes, byteAt);
        if (rule !== undefined) {
          let units = 0;
          for (let numBytes = 0; numBytes < rule.length;) {
            const codePoint = codePointAt(text, at + units);
            numBytes += byteLength(codePoint);
            units += unitLength(codePoint);
          }
          return { result: rule.text, units, numBytes: rule.length };
        }
      }
      const end = symbolEnd === -1 ? at + unitLength(codePointAt(text, at)) : symbolEnd;
      const result = text.slice(at, end);
      let numBytes = 0;
      for (let i = 0; i < result.length; i += unitLength(codePointAt(result, i)))
        numBytes += byteLength(codePointAt(result, i));
      return { result, units: end - at, numBytes };
    };
    const skip = ({ units, numBytes }: { readonly units: number; readonly numBytes: number }): void => {
      at += units;
      byteAt += numBytes;
    };
    if (spec.removesSpaces) {
      while (at < text.length) {
        const part = next();
        if (part.result !== ' ') break;
        skip(part);
      }
    }
    if (at >= text.length) return NormalizedString.placed('', new Int32Array(), new Int32Array(), start);
    if (spec.addsSpace && !spec.hasSpaceAfter) push(space, at);
    let wasSpace = spec.removesSpaces;
    while (at < text.length) {
      const part = next();
      let { result } = part;
      if (wasSpace) result = result.replace(/^ +/, '');
      if (result !== '') {
        push(spec.showsSpaces ? result.replaceAll(' ', shownSpace) : result, at);
        wasSpace = result.endsWith(' ');
        if (places.length > most) throw new TooCostlyError('its steps make the text far too long');
      }
      skip(part);
      if (!spec.removesSpaces) wasSpace = false;
    }
    let normalized = pieces.join('');
    let end = at;
    if (spec.removesSpaces) {
      let kept = normalized.length;
      while (kept > 0 && normalized[kept - 1] === space) end = places[--kept];
      normalized = normalized.slice(0, kept);
      places.length = kept;
    }
    if (spec.addsSpace && spec.hasSpaceAfter) {
      normalized += space;
      places.push(end);
    }
    const starts = Int32Array.from(places, (place) => place + start);
    const ends = new Int32Array(places.length);
    for (let i = 0; i < places.length; i++) ends[i] = start + (i + 1 < places.length ? places[i + 1] : end);
    // Units of one character have one place, and what several characters became ends where the last of them does.
    for (let i = places.length - 2; i >= 0; i--) if (places[i] === places[i + 1]) ends[i] = ends[i + 1];
    return NormalizedString.placed(normalized, starts, ends, start);
  };
}
