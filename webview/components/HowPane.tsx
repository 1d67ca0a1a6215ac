import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { headLabel } from '../../src/model/head';
import { agrees, howTexts, keyAt, type How, type HowNumbers, type HowStep } from '../../src/model/how/how';
import { numpySnippet } from '../../src/model/how/numpySnippet';
import { Formula } from '../formula';
import { exactWeight, readerName, tokenName } from '../words';
import { usePanel } from './context';
import type { PaneProps } from './paneProps';

/** Numbers of an array that are listed; of larger ones the first, or the largest. */
const mostListed = 64;

/** How one weight came about: one step at a time, with its formula, its numbers and the node that does it. */
export function HowPane({ run, component }: PaneProps): JSX.Element {
  const { panel, kept } = usePanel();
  const { how } = panel;
  const pane = useRef<HTMLElement>(null);
  const { step: at, isSorted } = kept.layout.value.how;
  const shown = how.shown.value;
  const cell = how.cell.value;
  const error = how.error.value;
  const streams = run.info.streams;

  useEffect(() => {
    how.open();
    if (how.takesFocus()) pane.current?.focus();
    return () => how.close();
  }, []);
  // What is asked about outlives a reload of the window.
  const pair = how.pair.value;
  useEffect(() => {
    const before = kept.layout.peek().how.pair;
    if (pair !== undefined) kept.arrangeHow({ pair });
    else if (before !== undefined) how.askAgain(before);
  }, [pair]);

  useEffect(() => {
    const wanted = shown && how.takeStep(shown);
    if (wanted !== undefined) kept.arrangeHow({ step: wanted });
  }, [shown, pair]);

  const steps = shown?.steps ?? [];
  const current = Math.min(at, Math.max(0, steps.length - 1));
  const step = steps[current];
  const go = (to: number): void => {
    if (to >= 0 && to < steps.length) kept.arrangeHow({ step: to });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const to = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined) return;
    go(to);
    event.preventDefault();
    event.stopPropagation();
  };
  const title =
    cell === undefined
      ? l10n.t('How a weight came about')
      : l10n.t(
          'Head {0}: {1} reads {2}',
          headLabel(cell),
          readerName(streams, { stream: component.queryStream, position: cell.query }),
          tokenName(streams, { stream: component.keyStream, position: cell.key }),
        );
  return (
    <section
      ref={pane}
      class="pane how-pane"
      aria-label={l10n.t('How a weight came about')}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <header>
        <h2 title={title}>
          {title}
          {shown === undefined ? null : <span class="number weight"> {exactWeight(shown.weight)}</span>}
        </h2>
        <span class="actions">
          <vscode-toolbar-button
            icon="chevron-left"
            label={l10n.t('Previous step')}
            title={l10n.t('Previous step (←)')}
            onClick={() => go(current - 1)}
          />
          <vscode-toolbar-button
            icon="chevron-right"
            label={l10n.t('Next step')}
            title={l10n.t('Next step (→)')}
            onClick={() => go(current + 1)}
          />
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Close how a weight came about')}
            title={l10n.t('Close how a weight came about (W)')}
            onClick={() => kept.toggleView('how', false)}
          />
        </span>
      </header>
      {step === undefined || shown === undefined ? (
        <p class="hint" role="status">
          {error !== undefined
            ? error.message
            : cell !== undefined
              ? l10n.t('The model computes this weight again…')
              : panel.selection.value.heads.length > 1
                ? l10n.t('Several heads are shown: select one, whose weight it is.')
                : l10n.t(
                    'Click a cell of the matrix twice, or pin a token, hover another and press W: here is then how that weight came about.',
                  )}
        </p>
      ) : (
        <StepView
          how={shown}
          step={step}
          number={current}
          isSorted={isSorted}
          keyName={(key) => tokenName(streams, { stream: component.keyStream, position: key })}
        />
      )}
    </section>
  );
}

interface StepProps {
  readonly how: How;
  readonly step: HowStep;
  readonly number: number;
  readonly isSorted: boolean;
  readonly keyName: (key: number) => string;
}

function StepView({ how, step, number, isSorted, keyName }: StepProps): JSX.Element {
  const { kept } = usePanel();
  const { title, sentence, formula } = howTexts[step.kind];
  const snippet = numpySnippet(how, step);
  const args = step.args.map((arg) => (typeof arg === 'number' ? shortNumber(arg) : arg));
  return (
    <div class="how-step">
      <h3 aria-live="polite">{l10n.t('{0} of {1}: {2}', number + 1, how.steps.length, l10n.t(title))}</h3>
      {formula === '' ? null : <Formula formula={formula} />}
      <p>{l10n.t(sentence, ...args)}</p>
      {step.nodes.length === 0 ? null : (
        <p class="how-nodes">
          {step.nodes.map(({ name, operator }, i) => (
            <span key={i}>
              <code>{operator}</code> <span class="hint">{name}</span>
            </span>
          ))}
        </p>
      )}
      <p class="how-actions">
        {step.numbers.length === 0 ? null : (
          <button
            type="button"
            class="link"
            aria-pressed={isSorted}
            onClick={() => kept.arrangeHow({ isSorted: !isSorted })}
          >
            {isSorted ? l10n.t('In order') : l10n.t('Sort by Size')}
          </button>
        )}
        {snippet === undefined ? null : (
          <button type="button" class="link" onClick={() => copy(snippet)}>
            {l10n.t('Copy as NumPy')}
          </button>
        )}
        {step.check === undefined ? null : agrees(step) ? (
          <span class="hint">{l10n.t('Computed anew: the same within {0}', step.check.difference.toPrecision(2))}</span>
        ) : (
          <span role="alert">
            {l10n.t(
              'Computed anew, it is another number (by {0}): this step is not understood, and its numbers are not shown.',
              step.check.difference.toPrecision(2),
            )}
          </span>
        )}
      </p>
      <div class="how-arrays">
        {step.numbers.map((array) => (
          <ArrayView
            key={`${step.kind}/${array.name}`}
            array={array}
            isSorted={isSorted}
            at={step.at}
            nameOf={
              step.at !== undefined && array.dims.length === 1 && array.dims[0] >= how.numKeys
                ? (index) => {
                    const key = keyAt(how, index);
                    return key === undefined ? l10n.t('no token') : keyName(key);
                  }
                : undefined
            }
          />
        ))}
      </div>
    </div>
  );
}

interface ArrayProps {
  readonly array: HowNumbers;
  readonly isSorted: boolean;
  /** The number in question, of arrays over keys. */
  readonly at: number | undefined;
  readonly nameOf: ((index: number) => string) | undefined;
}

/** An array with its shape: its numbers in order or by size, each with a bar; any of them is copied by a click. */
function ArrayView({ array, isSorted, at, nameOf }: ArrayProps): JSX.Element {
  const { name, dims, values } = array;
  const own = nameOf === undefined ? undefined : at;
  const order = Array.from({ length: values.length }, (_, i) => i);
  if (isSorted) order.sort((a, b) => sizeOf(values[b]) - sizeOf(values[a]));
  const listed = order.slice(0, mostListed);
  if (own !== undefined && !listed.includes(own)) listed.push(own);
  const largest = values.reduce((most, value) => (sizeOf(value) > most ? sizeOf(value) : most), 0);
  const width = dims.at(-1) ?? 1;
  return (
    <table class="how-array">
      <caption>
        <code>{name}</code> {dims.length === 0 ? '' : `[${dims.join(' × ')}]`}{' '}
        <button
          type="button"
          class="link"
          aria-label={l10n.t('Copy all numbers of {0}', name)}
          onClick={() => copy(Array.from(values, String).join(', '))}
        >
          {l10n.t('Copy')}
        </button>
      </caption>
      <tbody>
        {listed.map((index) => (
          <tr key={index} {...(index === own ? { 'aria-current': 'true' } : {})}>
            <th scope="row">
              {nameOf?.(index) ?? (dims.length < 2 ? index : `${Math.floor(index / width)}, ${index % width}`)}
            </th>
            <td class="number">
              <button type="button" title={l10n.t('Copy this number')} onClick={() => copy(String(values[index]))}>
                {shortNumber(values[index])}
              </button>
            </td>
            <td class="bar" aria-hidden="true">
              <span
                class={values[index] < 0 ? 'negative' : ''}
                style={{ width: `${largest > 0 ? (100 * sizeOf(values[index])) / largest : 0}%` }}
              />
            </td>
          </tr>
        ))}
      </tbody>
      {listed.length < values.length ? (
        <tfoot>
          <tr>
            <td colSpan={3} class="hint">
              {l10n.t('{0} of {1}', listed.length, values.length)}
            </td>
          </tr>
        </tfoot>
      ) : null}
    </table>
  );
}

/** How large a number is drawn: what takes a score out is drawn as nothing. */
function sizeOf(value: number): number {
  return Number.isFinite(value) && Math.abs(value) < 1e6 ? Math.abs(value) : 0;
}

function shortNumber(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(5))) : value > 0 ? '∞' : value < 0 ? '−∞' : '–';
}

function copy(text: string): void {
  void navigator.clipboard.writeText(text);
}
