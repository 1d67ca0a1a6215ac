import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { headLabel } from '../../src/model/head';
import type { TokenPrediction } from '../../src/model/predictions';
import { signedFixed } from '../../src/model/signedFixed';
import { visibleText } from '../../src/model/token';
import { headsOf, strongestWriters, type Writes, type WrittenHead, type WrittenPart } from '../../src/model/writes';
import type { PanelRun } from '../../src/panelProtocol';
import { usePanel } from './context';
import { Select, type Choice } from './Select';

/** Heads, and tokens that one reads, that are listed. */
const mostListed = 8;
const none = 'none';

/** What heads write to a prediction directly: of which token, beside which, and in which heads; asked for by a button. */
export function WritesSection({
  run,
  stream,
  prediction: { position, alternatives },
}: {
  run: PanelRun;
  stream: number;
  prediction: TokenPrediction;
}): JSX.Element {
  const { writes } = usePanel().panel;
  const { runId, streams } = run.info;
  const { tokens } = streams[stream];
  const actual = position < tokens.length ? tokens[position].id : undefined;
  const [token, setToken] = useState(String(alternatives[0].id));
  const [against, setAgainst] = useState(none);
  useEffect(() => {
    setToken(String(alternatives[0].id));
    setAgainst(none);
  }, [runId, position]);
  const words: readonly Choice[] = [
    ...alternatives.map(({ id, text }) => ({ value: String(id), label: text })),
    ...(actual === undefined || alternatives.some(({ id }) => id === actual)
      ? []
      : [{ value: String(actual), label: l10n.t('{0} (stands here)', visibleText(streams[stream], position)) }]),
  ];
  const told = writes.told.value;
  const error = writes.error.value;
  const isHere = told?.runId === runId && told.value.position === position && told.value.stream === stream;
  return (
    <section class="writes" aria-label={l10n.t('What heads write')}>
      <h3>{l10n.t('What heads write')}</h3>
      <p class="writes-choice">
        <Select label={l10n.t('Token')} value={token} choices={words} width={130} onChange={setToken} />{' '}
        {l10n.t('less')}{' '}
        <Select
          label={l10n.t('Less that of')}
          value={against}
          choices={[{ value: none, label: l10n.t('nothing') }, ...words]}
          width={130}
          onChange={setAgainst}
        />{' '}
        <button
          type="button"
          class="random-switch"
          title={l10n.t('Runs the model again for what adds to this token’s logit directly.')}
          disabled={writes.isAsking.value}
          onClick={() =>
            writes.ask({ position, token: Number(token), ...(against === none ? {} : { against: Number(against) }) })
          }
        >
          {l10n.t('Show What Heads Write')}
        </button>
      </p>
      {writes.isAsking.value ? (
        <p class="hint" role="status">
          {l10n.t('The model reads the text again…')}
        </p>
      ) : null}
      {error?.runId === runId ? (
        <p class="hint" role="alert">
          {error.error.message}
        </p>
      ) : null}
      {isHere ? <Told run={run} found={told.value} /> : null}
    </section>
  );
}

function Told({ run, found }: { run: PanelRun; found: Writes }): JSX.Element {
  const { panel } = usePanel();
  const { logit, token, against, behind, parts } = found;
  const writers = strongestWriters(found);
  const { component, heads } = panel.selection.value;
  const own = heads.length === 1 ? heads[0] : undefined;
  const layer = found.layers.find((each) => each.component === component && each.layer === own?.layer);
  const sum = (kind: WrittenPart['kind']): number =>
    parts.reduce((total, part) => (part.kind === kind ? total + part.value : total), 0);
  const what =
    against === undefined
      ? l10n.t('Logit of {0}: {1}', token.text, logit.toFixed(3))
      : l10n.t('Logit of {0} less that of {1}: {2}', token.text, against.text, logit.toFixed(3));
  const select = (head: WrittenHead): void => {
    if (head.component !== component) panel.showComponent(head.component);
    panel.select([{ layer: head.layer, head: head.head }]);
  };
  return (
    <div aria-live="polite">
      <p>
        <strong>{what}</strong>
        {behind === 'nothing' ? null : (
          <span class="hint">
            {' '}
            {behind === 'softCap' ? l10n.t('before the model’s soft cap') : l10n.t('before the model scales it')}
          </span>
        )}
      </p>
      <Numbers
        caption={l10n.t('What adds up to it')}
        rows={[
          { key: 'embedding', name: l10n.t('embedding'), value: sum('embedding') },
          { key: 'heads', name: l10n.t('all heads'), value: sum('heads') },
          { key: 'mlp', name: l10n.t('all MLPs'), value: sum('mlp') },
          { key: 'bias', name: l10n.t('biases'), value: sum('bias') },
        ]}
      />
      <Numbers
        caption={l10n.t('Heads that write most, for it or against it')}
        rows={writers.slice(0, mostListed).map((head) => ({
          key: `${head.component} ${headLabel(head)}`,
          name:
            head.component === 'cross'
              ? l10n.t('head {0}, reading the source', headLabel(head))
              : l10n.t('head {0}', headLabel(head)),
          value: head.value,
          onSelect: () => select(head),
        }))}
      />
      {layer === undefined || own === undefined ? null : (
        <Sources run={run} found={found} layer={layer} head={own.head} />
      )}
      <p class="hint">
        {l10n.t('Direct paths alone, with the final norm’s own scale: what later layers make of it is not in it.')}
      </p>
    </div>
  );
}

function Sources({
  run,
  layer: { component, layer, numHeads, numKeys, sources },
  head,
}: {
  run: PanelRun;
  found: Writes;
  layer: Writes['layers'][number];
  head: number;
}): JSX.Element {
  const { components, streams } = run.info;
  const keys = streams[components.find((each) => each.component === component)?.keyStream ?? 0];
  const row = sources.subarray(head * numKeys, (head + 1) * numKeys);
  const total = headsOf({ component, layer, numHeads, numKeys, sources })[head];
  const order = Array.from(row, (_, key) => key)
    .sort((a, b) => Math.abs(row[b]) - Math.abs(row[a]))
    .slice(0, mostListed);
  return (
    <Numbers
      caption={l10n.t(
        'Head {0}, which writes {1}, by the tokens that it reads',
        headLabel({ layer, head }),
        signedFixed(total, 3),
      )}
      rows={order.map((key) => ({
        key: String(key),
        name: `${visibleText(keys, key)} (${key})`,
        value: row[key],
      }))}
    />
  );
}

/** Numbers with bars, of which those below zero are hollow. */
function Numbers({
  caption,
  rows,
}: {
  caption: string;
  rows: readonly {
    readonly key: string;
    readonly name: string;
    readonly value: number;
    readonly onSelect?: () => void;
  }[];
}): JSX.Element {
  const largest = Math.max(1e-9, ...rows.map(({ value }) => Math.abs(value)));
  return (
    <table class="how-array prediction-shares writes-numbers">
      <caption>{caption}</caption>
      <tbody>
        {rows.map(({ key, name, value, onSelect }) => (
          <tr key={key}>
            <th scope="row">
              {onSelect === undefined ? (
                name
              ) : (
                <button type="button" class="link" title={l10n.t('Select this head')} onClick={onSelect}>
                  {name}
                </button>
              )}
            </th>
            <td class="number">{signedFixed(value, 3)}</td>
            <td class="bar" aria-hidden="true">
              <span class={value < 0 ? 'negative' : ''} style={{ width: `${(100 * Math.abs(value)) / largest}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
