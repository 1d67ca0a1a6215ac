import { plain } from '../../base/safeText';
import { joinTerminal, line, type TerminalText } from '../../base/terminalText';
import { visibleNext } from '../../model/token';
import { counted } from '../counted';
import type { Source } from '../openModel';
import { uniformText } from '../rolloutBaseline';
import { quoted } from '../tokenWords';
import type { ExplainedComponent, Listing, MeasuredHead } from './explainComponent';

/** What is read less than this is not listed, unless nothing is read more. */
const leastListed = 0.01;

const fixed = (value: number, width: number): TerminalText => line`${plain(value.toFixed(2).padStart(width))}`;

/** What is told of a component, for people. */
export function componentLines(explained: ExplainedComponent, listing: Listing): TerminalText[] {
  const { component, heads, queryStream, keyStream } = explained;
  const { method, token, streams } = listing;
  const unit = method.joinsHeads ? 'layer' : 'head';
  const isSelf = queryStream === keyStream;
  return [
    line``,
    line`${plain(component)}: ${counted(heads.length, unit)}`,
    ...(token === undefined
      ? [
          headingOf(explained, listing),
          ...heads.map((each) =>
            each.written === undefined
              ? shareLine(each, each.muchRead && quoted(streams[keyStream], each.muchRead.position))
              : writtenLine(each, each.written),
          ),
        ]
      : []),
    line``,
    explained.isOne
      ? line`What each token reads (${plain(explained.pattern)}):`
      : line`What each token reads most${isSelf ? line`, beside itself and the token before,` : line``} and in which ${plain(unit)}:`,
    ...readLines(explained, listing),
  ];
}

/** The names of the columns of heads. */
function headingOf({ heads, queryStream, keyStream }: ExplainedComponent, { method }: Listing): TerminalText {
  const unit = plain((method.joinsHeads ? 'layer' : 'head').padEnd(8));
  if (method.unit === 'norm')
    return line`${unit}for a token, summed  largest for a pair${heads.some(({ mixing }) => mixing !== undefined) ? line`  of others (mixing ratio)` : line``}`;
  return line`${unit}${queryStream === keyStream ? line`previous  induction  self  ` : line``}entropy  much read by all`;
}

/** A head by how much it writes. */
function writtenLine(
  { head, mixing }: MeasuredHead,
  { mean, largest }: NonNullable<MeasuredHead['written']>,
): TerminalText {
  const ofOthers =
    mixing === undefined ? line`` : fixed(mixing.reduce((sum, share) => sum + share, 0) / mixing.length, 26);
  return line`${plain(head.padEnd(8))}${fixed(mean, 19)}${fixed(largest, 20)}${ofOthers}`;
}

/** A head by its metrics. @param key what it reads from everywhere. */
function shareLine(
  { head, self, previousToken = NaN, induction = NaN, entropy = NaN, muchRead }: MeasuredHead,
  key: TerminalText | undefined,
): TerminalText {
  const own = self === undefined ? line`` : line`${fixed(previousToken, 8)}${fixed(induction, 11)}${fixed(self, 6)}  `;
  const word =
    muchRead === undefined || key === undefined
      ? line`-`
      : line`${muchRead.isSink ? line`sink` : line`often read`} ${key}: ${fixed(muchRead.weight, 4)}`;
  return line`${plain(head.padEnd(8))}${own}${fixed(entropy, 7)}  ${word}`;
}

/** What the mean of several tokens reads, and what each of them does. */
function readLines(explained: ExplainedComponent, { streams, selected }: Listing): TerminalText[] {
  const { isOne, reads, meanReads, queryStream, keyStream } = explained;
  const isSelf = queryStream === keyStream;
  const listed = (sources: readonly Source[], isNear: (position: number) => boolean): TerminalText => {
    // Itself and the token before are what some head reads of every token: the numbers above tell of those.
    const told = isOne || !isSelf ? sources : sources.filter(({ position }) => !isNear(position));
    const read = (told.length > 0 ? told : sources)
      .slice(0, 4)
      .filter(({ weight }, i) => i === 0 || weight >= leastListed)
      .map((source) => {
        const { position, weight, head: by } = source;
        return line`${quoted(streams[keyStream], position)}: ${plain(weight.toFixed(3))}${by === undefined ? line`` : line` in ${plain(by)}`}${uniformText(source)}`;
      });
    return read.length === 0 ? line`no key` : joinTerminal(read, ', ');
  };
  const lines: TerminalText[] = [];
  if (selected !== undefined && meanReads !== undefined)
    lines.push(
      line`mean of ${counted(selected.length, 'token')} reads ${listed(meanReads, (position) => selected.includes(position) || selected.includes(position + 1))}`,
    );
  reads.forEach((sources, query) => {
    if (selected !== undefined && !selected.includes(query)) return;
    const next = visibleNext(streams[queryStream], query);
    lines.push(
      line`${quoted(streams[queryStream], query)}${next === undefined ? line`` : line`, next "${next}",`} reads ${listed(sources, (position) => position === query || position === query - 1)}`,
    );
  });
  return lines;
}
