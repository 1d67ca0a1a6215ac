import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { plain } from '../../src/base/safeText';
import type { Comparison } from '../../src/model/compare/comparison';
import type { UnitPrediction } from '../../src/model/compare/comparePredictions';
import { signedFixed } from '../../src/model/signedFixed';
import type { PanelRun } from '../../src/panelProtocol';
import type { PredictionsOfBoth } from '../state/comparisonView';
import { tokenName } from '../words';
import { usePanel } from './context';

/** Places that are listed, those that changed most. */
const mostListed = 60;

/** What both models predict, side by side: asked for by a button, as both read their texts again for it. */
export function ComparedPredictions({ run, table }: { run: PanelRun; table: Comparison }): JSX.Element {
  const { comparison } = usePanel().panel;
  const shown = comparison.predictions.value;
  const error = comparison.predictionError.value;
  if (!comparison.arePredictionsWanted.value)
    return (
      <p>
        <button type="button" class="random-switch" onClick={() => comparison.wantPredictions()}>
          {l10n.t('Predictions Side by Side')}
        </button>
      </p>
    );
  if (error !== undefined)
    return (
      <p class="hint" role="alert">
        {error.message}
      </p>
    );
  if (shown === undefined)
    return (
      <p class="hint" role="status">
        {l10n.t('Both are read again for what they predict…')}
      </p>
    );
  switch (shown.kind) {
    case 'unlike':
      return <p class="hint">{l10n.t('What both predict is of different kinds.')}</p>;
    case 'labels':
      return (
        <table class="head-table" aria-label={l10n.t('Labels')}>
          <thead>
            <tr>
              <th scope="col">{l10n.t('Label')}</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {shown.rows.map(({ label, a, b }) => (
              <tr key={label}>
                <th scope="row">{plain(label)}</th>
                <td>{a.toFixed(4)}</td>
                <td>{b.toFixed(4)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      );
    case 'tokens':
      return <Tokens run={run} table={table} shown={shown} />;
  }
}

function Tokens({
  run,
  table,
  shown: { a, places },
}: {
  run: PanelRun;
  table: Comparison;
  shown: Extract<PredictionsOfBoth, { readonly kind: 'tokens' }>;
}): JSX.Element {
  const { panel } = usePanel();
  if (places.length === 0)
    return (
      <p class="hint">
        {l10n.t('Neither tells a token that both have: a masked language model tells those that it does not see.')}
      </p>
    );
  const firstOf = (unit: number): number => table.texts[a.stream].unitsOfA.indexOf(unit);
  const changes = [...places].sort(
    (x, y) => Math.abs(y.b.surprisal - y.a.surprisal) - Math.abs(x.b.surprisal - x.a.surprisal),
  );
  return (
    <table class="head-table" aria-label={l10n.t('Predictions side by side')}>
      <caption class="hint">
        {l10n.t('Surprisal in bits of {0} tokens that both predict; those that changed most first.', places.length)}
      </caption>
      <thead>
        <tr>
          <th scope="col">{l10n.t('Token')}</th>
          <th scope="col">A</th>
          <th scope="col">B</th>
          <th scope="col">B − A</th>
          <th scope="col">{l10n.t('most probable in A')}</th>
          <th scope="col">{l10n.t('in B')}</th>
        </tr>
      </thead>
      <tbody>
        {changes.slice(0, mostListed).map((place) => {
          const token = { stream: a.stream, position: firstOf(place.unit) };
          return (
            <tr
              key={place.unit}
              onPointerEnter={() => panel.looking.point(token)}
              onPointerLeave={() => panel.looking.point(undefined)}
            >
              <th scope="row">{tokenName(run.info.streams, token)}</th>
              <td>{place.a.surprisal.toFixed(2)}</td>
              <td>{place.b.surprisal.toFixed(2)}</td>
              <td>{signedFixed(place.b.surprisal - place.a.surprisal, 2)}</td>
              <td>{best(place.a)}</td>
              <td>{best(place.b)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function best({ tokens: [first] }: UnitPrediction): string {
  const [top] = first.alternatives;
  return top === undefined ? '–' : plain(`“${top.text}” ${top.probability.toFixed(3)}`);
}
