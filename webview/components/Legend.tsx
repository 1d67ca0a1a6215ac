import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { hasSinks } from '../../src/model/lighting';
import type { Direction } from '../../src/model/pattern';
import { plainForm } from '../../src/model/patternForm';
import { cssColour, type Ramp } from '../../src/model/ramp';
import { depthOf, logFloor, type Scale } from '../../src/model/viewState';
import type { Thumbnails } from '../../src/protocol';
import { effectUnit, experimentName, questionMeasure, shareSentence, signSentence } from '../effectWords';
import { measureLegend } from '../headWords';
import type { Ordering } from '../layout/headOrder';
import { methodNote, surprisalNote } from '../methodWords';
import { comparedName, sinksName } from '../formWords';
import { directionWord, formatWeight, methodName, scaleName } from '../words';
import type { Panel } from '../state/panel';
import { usePanel } from './context';

/** The colours with the numbers that they stand for, and what the other marks are. What it says does not hang on what is hovered: nothing around it moves. */
export function Legend(): JSX.Element {
  const { panel } = usePanel();
  const { scale, direction } = panel.view.value;
  // Between two texts a token has one direction only: then its colours are not those of the matrix.
  const directions = panel.direction.value === direction ? [direction] : [direction, panel.direction.value];
  const ends = colourEnds(panel);
  const matrix = panel.matrix.value;
  const [{ layer } = { layer: undefined }, ...others] = matrix?.selection.heads ?? [];
  const note = matrix && methodNote(matrix.form.method, matrix.weighing, others.length > 0 ? undefined : layer);
  return (
    <figure
      class={`legend${note || panel.methods.chosen.value !== 'attention' ? ' of-method' : ''}`}
      aria-label={l10n.t('Colour scale: {0}, from {1} to {2}', scaleName(scale), ends.low, ends.high)}
    >
      <SurprisalScale />
      {directions.map((of) => (
        <ColourScale key={of} direction={of} ends={ends} />
      ))}
      {note ? <figcaption class="legend-method">{note}</figcaption> : null}
      <MatrixMarks />
      <TilesNote />
    </figure>
  );
}

/** What the ends of the colours stand for, and where between them, in [0, 1], nothing is drawn below. */
interface ColourEnds {
  readonly low: string;
  readonly high: string;
  readonly cut: number | undefined;
}

function colourEnds(panel: Panel): ColourEnds {
  const { scale, threshold } = panel.view.value;
  // Looked at only where it is shown: the rest does not hang on what is hovered.
  const maximum = scale === 'row' || threshold > 0 ? panel.lighting.value?.maximum : undefined;
  const ceiling = panel.ceiling.value;
  const most = mostShown(scale, maximum, ceiling);
  if (isDifference(panel)) return { low: `−${most}`, high: `+${most}`, cut: undefined };
  return {
    low: scale === 'log' ? `≤ ${ceiling === 1 ? logFloor : (logFloor * ceiling).toExponential(0)}` : '0',
    high: most,
    cut: threshold > 0 ? depthOf(threshold, scale, (maximum ?? ceiling) / (ceiling || 1)) : undefined,
  };
}

/** What full depth stands for. */
function mostShown(scale: Scale, maximum: number | undefined, ceiling: number): string {
  if (scale !== 'row') return ceiling === 1 ? '1' : formatWeight(ceiling);
  return maximum === undefined ? l10n.t("row's strongest") : formatWeight(maximum);
}

const isDifference = (panel: Panel): boolean => panel.matrix.value?.form.compared === 'difference';

/** What the colours are of, how they are scaled, and the direction they are for. */
function scaleTitle(panel: Panel, direction: Direction): string {
  const { scale, sinks, isRenormalized } = panel.view.value;
  const component = panel.component.value;
  const { compared, method } = panel.matrix.value?.form ?? plainForm;
  const ofWeights = component === undefined ? '' : methodName(panel.selection.value, component, method);
  return [
    compared === undefined ? ofWeights : comparedName(compared),
    scaleName(scale),
    directionWord(direction),
    ...(sinks === 'show' || compared !== undefined ? [] : [sinksName(sinks, isRenormalized)]),
  ].join(' · ');
}

/** The colours of a direction, between the numbers at their ends. */
function ColourScale({ direction, ends }: { direction: Direction; ends: ColourEnds }): JSX.Element {
  const { panel } = usePanel();
  const { threshold } = panel.view.value;
  const ceiling = panel.ceiling.value;
  const ramp = panel.ramps.value[direction];
  const isSigned = isDifference(panel);
  const stops = useMemo(() => stopsOf(ramp, isSigned), [ramp, isSigned]);
  return (
    <div class="legend-scale">
      <span class="legend-title">{scaleTitle(panel, direction)}</span>
      <span class="legend-number">{ends.low}</span>
      <span class="legend-ramp" style={{ backgroundImage: `linear-gradient(to right, ${stops})` }}>
        {ends.cut !== undefined ? (
          <span
            class="legend-cut"
            style={{ left: `${ends.cut * 100}%` }}
            title={l10n.t('threshold {0}', ceiling === 1 ? threshold : formatWeight(threshold * ceiling))}
          />
        ) : null}
      </span>
      <span class="legend-number">{ends.high}</span>
    </div>
  );
}

/** The colours of the text where they are of surprisal, with what that is. */
function SurprisalScale(): JSX.Element | null {
  const { panel } = usePanel();
  const ramp = panel.surprisalRamp.value;
  const stops = useMemo(() => stopsOf(ramp, false), [ramp]);
  const heat = panel.heat.value;
  if (panel.view.value.light !== 'surprisal' || panel.form.value.compared !== undefined) return null;
  return (
    <>
      <div
        class="legend-scale surprisal-scale"
        title={l10n.t('Full colour: as many bits as a guess among all tokens alike has, or more.')}
      >
        <span class="legend-title">{l10n.t('text: surprisal · linear')}</span>
        <span class="legend-number">0</span>
        <span class="legend-ramp" style={{ backgroundImage: `linear-gradient(to right, ${stops})` }} />
        <span class="legend-number">{heat === undefined ? '…' : l10n.t('≥ {0} bits', heat.ceiling.toFixed(1))}</span>
      </div>
      <figcaption class="legend-method">{surprisalNote(heat)}</figcaption>
    </>
  );
}

/** Queries and keys of what is shown, in tokens. */
function numTokens(panel: Panel): readonly [numQueries: number, numKeys: number] {
  const component = panel.component.value;
  const lengthOf = (stream: number | undefined): number =>
    stream === undefined ? 0 : (panel.run.value?.info.streams[stream]?.tokens.length ?? 0);
  return [lengthOf(component?.queryStream), lengthOf(component?.keyStream)];
}

/** What is hatched or marked in the matrix. */
function MatrixMarks(): JSX.Element {
  const { panel } = usePanel();
  const component = panel.component.value;
  const [numQueries] = numTokens(panel);
  const canHaveSinks = component !== undefined && component.areHeadsJoined !== true && hasSinks(component, numQueries);
  return (
    <>
      {component?.isCausal === true ? (
        <span class="legend-note">
          <span class="hatch-sample" aria-hidden="true" /> {l10n.t('ahead: never read')}
        </span>
      ) : null}
      {canHaveSinks ? (
        <span class="legend-note" title={l10n.t('A sink: queries all over the text put much of their weight on it')}>
          <span class="sink-mark" aria-hidden="true" />
          <span class="sink-sample" aria-hidden="true" /> {l10n.t('sink token')}
        </span>
      ) : null}
    </>
  );
}

/** What the tiles of the grid show: a number of their heads, or small pictures. */
function TilesNote(): JSX.Element | null {
  const { panel, kept } = usePanel();
  const { scale } = panel.view.value;
  const [numQueries, numKeys] = numTokens(panel);
  const measured = panel.heads.shown.value;
  const { ordering } = kept.layout.value;
  if (measured?.measure === 'effect') return <EffectScale ceiling={measured.ceiling} />;
  if (measured !== undefined)
    return (
      <span
        class="legend-note"
        title={l10n.t(
          'Every tile has one colour, or one row of colours, for its head; its number is the value itself.',
        )}
      >
        {measureLegend(measured, numKeys, numQueries, scale)}
        {panel.matrix.value?.form.compared === undefined ? '' : ` ${l10n.t('(of A)')}`}
        {panel.heads.orderOf(ordering) === undefined ? '' : orderClause(ordering)}
      </span>
    );
  const tiles = panel.shown.thumbnails.value;
  if (tiles?.value === undefined || tiles.component !== panel.component.value?.component) return null;
  return (
    <span
      class="legend-note"
      title={l10n.t(
        'The small pictures share one scale, so that heads can be compared: absolute, or logarithmic where that is chosen.',
      )}
    >
      {tilesSentence(tiles.value, numQueries, numKeys, scale)}
    </span>
  );
}

/** How heads are ordered, behind what their tiles show. */
function orderClause(ordering: Ordering): string {
  if (ordering === 'model') return '';
  return `; ${ordering === 'all' ? l10n.t('the strongest of all first') : l10n.t('the strongest of each layer first')}`;
}

/** Colours on both sides of zero, for what silencing each head does. */
function EffectScale({ ceiling }: { ceiling: number }): JSX.Element {
  const { panel, kept } = usePanel();
  const diverging = panel.diverging.value;
  const stops = useMemo(
    () => Array.from({ length: 17 }, (_, i) => cssColour(diverging.colour(i / 8 - 1))).join(', '),
    [diverging],
  );
  const chosen = panel.effects.chosen.value;
  const question = panel.effects.question.value;
  const end = formatWeight(ceiling);
  return (
    <div
      class="legend-scale effect-legend"
      title={[
        ...(chosen?.by === 'swap' ? [shareSentence()] : question === undefined ? [] : [signSentence(question)]),
        l10n.t('A stroke across the corner of a tile: below zero.'),
      ].join(' ')}
    >
      <span class="legend-title">
        {l10n.t('tiles: effect on {0}', question === undefined ? '…' : questionMeasure(question))}
        {chosen === undefined ? '' : ` · ${experimentName(chosen.path, chosen.by)}`}
        {orderClause(kept.layout.value.ordering)}
      </span>
      <span class="legend-number">−{end}</span>
      <span class="legend-ramp" style={{ backgroundImage: `linear-gradient(to right, ${stops})` }} />
      <span class="legend-number">+{end}</span>
      <span class="legend-note">{effectUnit(chosen?.by ?? 'zero')}</span>
    </div>
  );
}

/** What the small pictures show, which is not always what the legend's colours are for. */
function tilesSentence({ rows, columns }: Thumbnails, numQueries: number, numKeys: number, scale: Scale): string {
  const [height, width] = [Math.ceil(numQueries / Math.max(1, rows)), Math.ceil(numKeys / Math.max(1, columns))];
  const parts = [
    ...(scale === 'row' ? [l10n.t('absolute')] : []),
    ...(height > 1 || width > 1 ? [l10n.t('strongest of {0} × {1}', height, width)] : []),
  ];
  return parts.length === 0 ? '' : l10n.t('tiles: {0}', parts.join(', '));
}

function stopsOf(ramp: Ramp, isSigned: boolean): string {
  return Array.from({ length: 17 }, (_, i) => cssColour(ramp.colour(isSigned ? i / 8 - 1 : i / 16))).join(', ');
}
