import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { visibleText } from '../../src/model/token';
import type { PanelRun } from '../../src/panelProtocol';
import { findTokens } from '../layout/tokenMoves';
import { usePanel } from './context';

/** Finds tokens by their text or vocabulary piece; Enter goes through them, Escape ends at the one found. */
export function FindBar({ run, onDone }: { run: PanelRun; onDone: () => void }): JSX.Element {
  const { panel } = usePanel();
  const input = useRef<HTMLInputElement>(null);
  const [current, setCurrent] = useState(0);
  const texts = useMemo(
    () =>
      run.info.streams.flatMap((stream, index) =>
        stream.tokens.map(({ start, end, piece }, position) => ({
          token: { stream: index, position },
          text: `${stream.text.slice(start, end)}\n${visibleText(stream, position)}\n${piece}`,
        })),
      ),
    [run],
  );
  const found = panel.looking.found.value;
  // Before the next key comes: whoever types «/fib» without a pause finds «fib».
  useLayoutEffect(() => {
    input.current?.focus();
    return () => panel.looking.forgetFound();
  }, []);
  const go = (index: number): void => {
    if (found.length === 0) return;
    const next = (index + found.length) % found.length;
    setCurrent(next);
    panel.looking.moveCursor(found[next]);
    panel.looking.point(found[next]);
  };
  return (
    <div class="find" role="search">
      <input
        ref={input}
        type="text"
        aria-label={l10n.t('Find a token')}
        placeholder={l10n.t('Find a token')}
        spellcheck={false}
        onInput={(event) => {
          const positions = findTokens(
            texts.map(({ text }) => text),
            event.currentTarget.value,
          );
          panel.looking.find(positions.map((position) => texts[position].token));
          setCurrent(0);
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter') go(current + (event.shiftKey ? -1 : 1));
          else if (event.key === 'Escape') {
            panel.looking.showFinding(false);
            onDone();
          } else return;
          event.preventDefault();
        }}
      />
      <span class="count" role="status">
        {found.length === 0
          ? input.current?.value
            ? l10n.t('No token')
            : ''
          : l10n.t('{0} of {1}', current + 1, found.length)}
      </span>
      <button
        type="button"
        class="link"
        onClick={() => {
          panel.looking.showFinding(false);
          onDone();
        }}
      >
        {l10n.t('Close')}
      </button>
    </div>
  );
}
