import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { usePanel } from './context';

/** The keys, what a pointer does, and what the marks mean, in a dialog. */
export function KeysOverlay(): JSX.Element {
  const { panel } = usePanel();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    const before = document.activeElement;
    element.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="keys" aria-labelledby="keys-title" onClose={() => panel.looking.showKeys(false)}>
      <h2 id="keys-title">{l10n.t('Keys')}</h2>
      <dl>
        {keyList().map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <WordList title={l10n.t('Pointer')} words={pointerList()} />
      <WordList title={l10n.t('Marks')} words={markList()} />
      <vscode-button onClick={() => dialog.current?.close()}>{l10n.t('Close')}</vscode-button>
    </dialog>
  );
}

function WordList({
  title,
  words,
}: {
  title: string;
  words: readonly (readonly [name: string, what: string])[];
}): JSX.Element {
  return (
    <>
      <h3>{title}</h3>
      <dl>
        {words.map(([name, what]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** The keys of the panel and what they do, in the order in which the overlay lists them. */
function keyList(): readonly (readonly [keys: string, what: string])[] {
  return [
    ['← → ↑ ↓', l10n.t('Source: walk the tokens. Grid: walk the heads. Matrix: pan.')],
    ['Home End', l10n.t('Source: first and last token of the line; with Ctrl, of the text.')],
    ['Enter', l10n.t('Pin the token, or let it go; with Shift, pin it beside the others.')],
    ['Escape', l10n.t('Let go of what is pinned.')],
    ['Alt + ← →', l10n.t('Previous and next head.')],
    ['Alt + ↑ ↓', l10n.t('The same head in the layer above and below.')],
    ['Ctrl + Space', l10n.t('Grid: add the head to the selection, or take it out; Shift selects up to it.')],
    ['+ − 0', l10n.t('Matrix: zoom in, zoom out, fit.')],
    ['Shift + ← → ↑ ↓', l10n.t('Matrix: move the crosshair.')],
    [
      'H',
      l10n.t(
        'Rank all heads: by the weight between the pinned and the hovered token, which stays held, or by a metric; again, back to the sources.',
      ),
    ],
    ['T', l10n.t("Tiles: patterns, the pinned token's row in every head, the weight of one pair in every head.")],
    [
      'O',
      l10n.t(
        'Grid: order the heads of each layer by a metric, the strongest first, then all heads, then as the model has them.',
      ),
    ],
    ['B', l10n.t('All heads with their metrics, as a table or a scatter; again, close it.')],
    ['W', l10n.t('How the weight of what is looked at came about, step by step; again, close it.')],
    ['Ctrl + Enter', l10n.t('Mark the token as one that is read: which head reads it from the pinned ones?')],
    ['M', l10n.t('Several pinned tokens: the mean over all of them, or over those that can see the other token.')],
    ['C', l10n.t('Relations of the program and what heads read along them; again, close them.')],
    ['X', l10n.t('The run beside another one: compare; again, close it.')],
    ['P', l10n.t('What the model predicts at the token that is looked at; again, close it.')],
    ['E', l10n.t('What heads do to a prediction: interventions and their effects; again, close it.')],
    ['K', l10n.t('Block the weight that is looked at in the selected heads; of one token alone, all that reads it.')],
    ['Z', l10n.t('Silence the selected heads.')],
    ['L', l10n.t('The next level: tokens, words, lines, symbols.')],
    ['S', l10n.t('What becomes of sinks: shown, faded, removed, removed with rows renormalised.')],
    ['N', l10n.t('The next method: what a number between two tokens is.')],
    ['R', l10n.t('Change between "reads" and "is read by".')],
    ['/', l10n.t('Find a token.')],
    ['?', l10n.t('Show these keys.')],
  ];
}

/** What a pointer does in the panel, and where. */
function pointerList(): readonly (readonly [act: string, what: string])[] {
  return [
    [l10n.t('Click'), l10n.t('Source, matrix: pin the token, or let it go. Grid: select the head.')],
    [
      l10n.t('Shift + click'),
      l10n.t('Source, matrix: pin several tokens, whose rows are averaged. Grid: select all heads in between.'),
    ],
    [
      l10n.t('Ctrl + click'),
      l10n.t('Source: hold a second token beside the pinned one; the tiles show the weight of the pair in every head.'),
    ],
    [
      l10n.t('Ctrl + Shift + click'),
      l10n.t(
        'Source: mark tokens that are read; the metrics of heads then tell which head reads them from the pinned ones.',
      ),
    ],
    [l10n.t('Ctrl + click'), l10n.t('Grid: add the head to the selection, or take it out.')],
    [l10n.t('Click on a number'), l10n.t('Grid: select a layer, a head of every layer, or all heads.')],
    [l10n.t('Double click'), l10n.t('Matrix: how the weight came about, step by step.')],
    [l10n.t('Wheel, drag'), l10n.t('Matrix: zoom, pan.')],
  ];
}

/** The marks of the panel and what they mean. */
function markList(): readonly (readonly [mark: string, what: string])[] {
  return [
    [l10n.t('Hatching'), l10n.t('Matrix: ahead of the query, which a causal model never reads.')],
    [l10n.t('Bars below'), l10n.t('Matrix: the mean weight with which a key is read, beside the largest.')],
    [l10n.t('Bars beside'), l10n.t('Matrix: the sum of a row, where rows do not sum to one.')],
    [l10n.t('Triangle, dots'), l10n.t('A sink: queries all over the text put much of their weight on it')],
    [l10n.t('Stroke across a corner'), l10n.t('Grid: the effect of that head is below zero.')],
    [
      l10n.t('Struck through'),
      l10n.t('Matrix: blocked in the intervened run; the pattern itself is that of the plain run.'),
    ],
    [l10n.t('Solid, dashed'), l10n.t('Source: a pinned token, and the one that the keyboard is at.')],
  ];
}
