import { longestCommon } from './longestCommon';

/** A half-open range of UTF-16 offsets in a text. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Where a part of a text stands in another version of it: from the line that its first one became to the one that its last one became, by a longest common
 * subsequence of their lines, and within a line that both have at the same place of it. What stands in the one version alone, in or beside that part, belongs to it.
 */
export function rangeInOther(text: string, other: string, { start, end }: Range): Range {
  const lines = linesOf(text);
  const others = linesOf(other);
  const numbers = new Map<string, number>();
  const numbered = (each: Lines): number[] =>
    each.texts.map((line) => {
      const number = numbers.get(line) ?? numbers.size;
      numbers.set(line, number);
      return number;
    });
  const places = longestCommon(numbered(lines), numbered(others));
  const first = lineAt(lines, start);
  const last = lineAt(lines, end);
  const found = places[first];
  // A line that the other does not have: what stands there comes behind the line before it, and ends before the line that follows.
  const before = places.subarray(0, first).findLast((place) => place >= 0) ?? -1;
  const after = places.subarray(last + 1).find((place) => place >= 0) ?? others.texts.length;
  const otherStart = found >= 0 ? others.starts[found] + start - lines.starts[first] : startOf(others, before + 1);
  const otherEnd =
    places[last] >= 0 ? others.starts[places[last]] + end - lines.starts[last] : endBefore(others, after);
  return { start: otherStart, end: Math.max(otherStart, otherEnd) };
}

interface Lines {
  readonly texts: readonly string[];
  readonly starts: readonly number[];
  readonly length: number;
}

/** Lines without their ends, so that another convention of line ends makes no other line. */
function linesOf(text: string): Lines {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const texts = starts.map((start, i) => text.slice(start, starts[i + 1]).replace(/\r?\n$/, ''));
  return { texts, starts, length: text.length };
}

function lineAt({ starts }: Lines, offset: number): number {
  return starts.findLastIndex((start) => start <= offset);
}

function startOf({ starts, length }: Lines, line: number): number {
  return starts[line] ?? length;
}

/** The end of the line before one, without its line end. */
function endBefore({ texts, starts }: Lines, line: number): number {
  return line === 0 ? 0 : starts[line - 1] + texts[line - 1].length;
}
