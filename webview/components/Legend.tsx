import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { cssColour, type Ramp } from '../../src/model/ramp';
import { depthOf, logFloor } from '../../src/model/viewState';
import { directionWord, formatWeight, methodName, scaleName } from '../words';
import { usePanel } from './context';
import { Precision } from './Precision';

/** The colours with the numbers that they stand for. */
export function Legend(): JSX.Element {
  const { panel } = usePanel();
  const { scale, threshold } = panel.view.value;
  const { direction } = panel.view.value;
  // Between two texts a token has one direction only: then its colours are not those of the matrix.
  const directions = panel.direction.value === direction ? [direction] : [direction, panel.direction.value];
  const maximum = panel.lighting.value?.maximum;
  const component = panel.component.value;
  const method = component === undefined ? '' : methodName(panel.selection.value, component);
  const ramps = panel.ramps.value;
  const shown = directions.join(' ');
  const stops = useMemo(() => directions.map((of) => stopsOf(ramps[of])), [ramps, shown]);
  const low = scale === 'log' ? `≤ ${logFloor}` : '0';
  const high = scale === 'row' ? (maximum === undefined ? l10n.t("row's strongest") : formatWeight(maximum)) : '1';
  const middle = scale === 'log' ? formatWeight(Math.sqrt(logFloor)) : scale === 'row' ? (maximum === undefined ? '' : formatWeight(maximum / 2)) : '0.5';
  const cut = threshold > 0 ? depthOf(threshold, scale, maximum ?? 1) : undefined;
  return (
    <figure class="legend" aria-label={l10n.t('Colour scale: {0}, from {1} to {2}', scaleName(scale), low, high)}>
      {directions.map((of, i) => (
        <div key={of}>
          <div class="legend-title">
            {method} · {scaleName(scale)} · {directionWord(of)}
          </div>
          <div class={`legend-ramp${i > 0 ? ' second' : ''}`} style={{ backgroundImage: `linear-gradient(to right, ${stops[i]})` }}>
            {cut !== undefined ? <span class="legend-cut" style={{ left: `${cut * 100}%` }} title={l10n.t('threshold {0}', threshold)} /> : null}
          </div>
        </div>
      ))}
      <div class="legend-numbers">
        <span>{low}</span>
        <span>{middle}</span>
        <span>
          {high}
          {component === undefined ? null : <Precision selection={panel.selection.value} component={component} />}
        </span>
      </div>
      {panel.component.value?.isCausal === true ? (
        <div class="legend-note">
          <span class="hatch-sample" aria-hidden="true" /> {l10n.t('ahead of the query: never read')}
        </div>
      ) : null}
      {panel.thumbnails.value?.value.sinks.some((sinks) => sinks.length > 0) === true ? (
        <div class="legend-note">
          <span class="sink-mark" aria-hidden="true" /> {l10n.t('below a column: a sink token')}
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

function stopsOf(ramp: Ramp): string {
  return Array.from({ length: 17 }, (_, i) => cssColour(ramp.colour(i / 16))).join(', ');
}
