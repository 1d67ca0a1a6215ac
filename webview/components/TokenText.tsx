import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { TextSpan } from '../../src/model/contextWindow';
import type { PanelRun } from '../../src/panelProtocol';
import { leadOf, type Piece, type Run, type TokenLine } from '../../src/model/tokenLines';

const glyphs = { tab: '→', break: '↵' } as const;

// Not components, of which a text would have thousands: nothing here changes by itself.
function runView(run: Run, key: number): JSX.Element | string {
  switch (run.kind) {
    case 'text':
      return run.text;
    case 'space':
      return (
        <span key={key} class="ws">
          {run.text}
        </span>
      );
    case 'tab':
      return (
        <span key={key} class="tab" data-glyph={glyphs.tab}>
          {run.text}
        </span>
      );
    case 'break':
      return <span key={key} class="nl" data-glyph={glyphs.break} />;
    case 'ghost':
      return <span key={key} class="ghost" data-glyph={run.text} />;
  }
}

function isOutside({ start, end }: TextSpan, focus: TextSpan | undefined): boolean {
  return focus !== undefined && (end <= focus.start || start >= focus.end);
}

/** Whether more than one token has something of what was selected. */
function isOfSeveral(lines: readonly TokenLine[], focus: TextSpan | undefined): boolean {
  if (focus === undefined) return false;
  const found = new Set<number>();
  for (const line of lines)
    if (!isOutside(line, focus))
      for (const piece of line.pieces) if (piece.token >= 0 && !isOutside(piece, focus)) found.add(piece.token);
  return found.size > 1;
}

function pieceView(piece: Piece, key: number, focus: TextSpan | undefined, isSeveral: boolean): JSX.Element {
  const runs = piece.runs.map(runView);
  if (piece.token < 0) {
    return (
      <span key={key} data-start={piece.start}>
        {runs}
      </span>
    );
  }
  const isPart = piece.label !== undefined && !piece.isChip;
  const part =
    focus === undefined ? '' : isOutside(piece, focus) ? ' context' : isSeveral ? ' selected several' : ' selected';
  return (
    <span
      key={key}
      class={`token${piece.isChip ? ' chip' : ''}${isPart ? ' part' : ''}${part}`}
      data-token={piece.token}
      data-start={piece.start}
      data-label={piece.isChip && piece.runs.some(({ kind }) => kind === 'text') ? undefined : piece.label}
    >
      {runs}
    </span>
  );
}

/** The lines of one stream, those around what was selected (`focus`) fainter. Rendered once for a run: whatever lights up later is painted on the elements that stand. */
export function TokenText({
  lines,
  firstNumber,
  indent,
  second,
  tabSize,
  focus,
}: {
  lines: readonly TokenLine[];
  firstNumber: number | undefined;
  indent: number;
  second?: PanelRun['second'] | undefined;
  tabSize: number;
  focus?: TextSpan | undefined;
}): JSX.Element {
  const secondAt = lines.findIndex(({ isSecond }) => isSecond === true);
  const numberOf = (i: number): number | undefined =>
    firstNumber === undefined
      ? undefined
      : secondAt < 0 || i < secondAt
        ? firstNumber + i
        : (second?.startLine ?? 0) + 1 + i - secondAt;
  const indentOf = (i: number): number => (i === 0 ? indent : i === secondAt ? (second?.startCharacter ?? 0) : 0);
  const isSeveral = isOfSeveral(lines, focus);
  return (
    <div class={`lines${lines.length > 200 ? ' many' : ''}`} style={{ tabSize: String(tabSize) }}>
      {lines.map((line, i) => {
        const lead = leadOf(line, tabSize);
        const isContext = isOutside(line, focus);
        const view = (
          <div
            key={i}
            class={isContext ? 'line context' : 'line'}
            data-number={numberOf(i)}
            data-from={line.start}
            data-to={line.end}
            {...(lead > 0 ? { style: { '--lead': lead } } : {})}
          >
            {indentOf(i) > 0 ? <span class="indent" style={{ width: `${indentOf(i)}ch` }} /> : null}
            {line.pieces.map((piece, at) => pieceView(piece, at, isContext ? undefined : focus, isSeveral))}
          </div>
        );
        return i === secondAt ? [<h2 key="second">{l10n.t('Second text')}</h2>, view] : view;
      })}
    </div>
  );
}
