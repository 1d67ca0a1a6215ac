type Offsets = readonly (readonly number[])[];

/**
 * Why offsets differ from the reference library's and are right nevertheless, undefined where they are not. It misplaces tokens where
 * characters were dropped (all that follow move up), where one text replaced several characters (it has the last one's place), and after a
 * space that was put in front (the first letter is skipped in its place).
 */
export function whyOffsetsDiffer(text: string, ours: Offsets, reference: Offsets): 'dropped' | 'replaced' | undefined {
  if (ours.length !== reference.length) return undefined;
  if (ours.every(([start, end], i) => start <= reference[i][0] && end >= reference[i][1])) return 'replaced';
  if (ours.every(([start, end], i) => start >= reference[i][0] && end >= reference[i][1])) return 'dropped';
  const isCovered = new Uint8Array(text.length);
  for (const [start, end] of ours) isCovered.fill(1, start, end);
  return isCovered.some((is, i) => is === 0 && !/\s/.test(text[i])) ? 'dropped' : undefined;
}
