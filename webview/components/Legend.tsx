import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { cssColour } from '../../src/model/ramp';
import { depthOf, logFloor } from '../../src/model/viewState';
import { directionWord, formatWeight, scaleName } from '../words';
import { usePanel } from './context';

/** The colours with the numbers that they stand for. */
export function Legend(): JSX.Element {
  const { panel } = usePanel();
  const { scale, threshold } = panel.view.value;
  const direction = panel.direction.value;
  const ramp = panel.ramps.value[direction];
  const maximum = panel.lighting.value?.maximum;
  const stops = Array.from({ length: 17 }, (_, i) => cssColour(ramp.colour(i / 16))).join(', ');
  const low = scale === 'log' ? `≤ ${logFloor}` : '0';
  const high = scale === 'row' ? (maximum === undefined ? l10n.t("row's strongest") : formatWeight(maximum)) : '1';
  const middle = scale === 'log' ? formatWeight(Math.sqrt(logFloor)) : scale === 'row' ? (maximum === undefined ? '' : formatWeight(maximum / 2)) : '0.5';
  const cut = threshold > 0 ? depthOf(threshold, scale, maximum ?? 1) : undefined;
  return (
    <figure class="legend" aria-label={l10n.t('Colour scale: {0}, from {1} to {2}', scaleName(scale), low, high)}>
      <figcaption>
        {l10n.t('attention weight')} · {scaleName(scale)} · {directionWord(direction)}
      </figcaption>
      <div class="legend-ramp" style={{ backgroundImage: `linear-gradient(to right, ${stops})` }}>
        {cut !== undefined ? <span class="legend-cut" style={{ left: `${cut * 100}%` }} title={l10n.t('threshold {0}', threshold)} /> : null}
      </div>
      <div class="legend-numbers">
        <span>{low}</span>
        <span>{middle}</span>
        <span>{high}</span>
      </div>
      {panel.component.value?.isCausal === true ? (
        <div class="legend-note">
          <span class="hatch-sample" aria-hidden="true" /> {l10n.t('ahead of the query: never read')}
        </div>
      ) : null}
      {panel.sinks.value.length > 0 ? (
        <div class="legend-note">
          <span class="sink-sample" aria-hidden="true" /> {panel.sinks.value.length === 1 ? l10n.t('1 sink token') : l10n.t('{0} sink tokens', panel.sinks.value.length)}
        </div>
      ) : null}
    </figure>
  );
}
