import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { plain } from '../../src/base/safeText';
import { headLabel, headsOf, type Aggregation, type ComponentInfo, type HeadSelection } from '../../src/model/head';
import { numTokensOf } from '../../src/model/modelInfo';
import { scales, type Scale } from '../../src/model/viewState';
import type { PanelRun } from '../../src/panelProtocol';
import { formatWeight, methodName, scaleName } from '../words';
import { usePanel } from './context';
import { FormChoice } from './FormChoice';
import { LiveSign } from './LiveSign';
import { MethodChoice } from './MethodChoice';
import { Select, type Choice } from './Select';

const thresholds = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5] as const;
const several = 'several';

function nearestThreshold(threshold: number): number {
  let nearest = 0;
  thresholds.forEach((value, i) => {
    if (Math.abs(value - threshold) < Math.abs(thresholds[nearest] - threshold)) nearest = i;
  });
  return nearest;
}

/** The choice that a selection is: one head, a layer, all, or several. */
function choiceOf({ heads }: HeadSelection, component: ComponentInfo): string {
  const [first] = heads;
  if (heads.length === 1) return headLabel(first);
  if (heads.length === headsOf(component).length) return 'all';
  return heads.every(({ layer }) => layer === first.layer) && heads.length === component.layers[first.layer]?.numHeads
    ? `layer ${first.layer}`
    : several;
}

function HeadPicker({ component }: { component: ComponentInfo }): JSX.Element {
  const { panel } = usePanel();
  const selection = panel.selection.value;
  const value = choiceOf(selection, component);
  const count = selection.heads.length;
  const choices = useMemo(() => {
    const areJoined = component.areHeadsJoined === true;
    const list: Choice[] =
      value === several
        ? [{ value: several, label: areJoined ? l10n.t('{0} layers', count) : l10n.t('{0} heads', count) }]
        : [];
    list.push({ value: 'all', label: areJoined ? l10n.t('All layers') : l10n.t('All heads') });
    if (areJoined) {
      for (const head of headsOf(component))
        list.push({ value: headLabel(head), label: l10n.t('Layer {0}', head.layer) });
      return list;
    }
    component.layers.forEach((_, layer) => list.push({ value: `layer ${layer}`, label: l10n.t('Layer {0}', layer) }));
    for (const head of headsOf(component))
      list.push({ value: headLabel(head), label: l10n.t('Head {0}', headLabel(head)) });
    return list;
  }, [component, value === several ? count : 0]);
  const onChange = (chosen: string): void => {
    if (chosen === several) return;
    if (chosen === 'all') return panel.select(headsOf(component));
    const layer = /^layer (\d+)$/.exec(chosen)?.[1];
    if (layer !== undefined) return panel.select(headsOf(component, { layer: Number(layer) }));
    const [first, second] = chosen.split('.').map(Number);
    panel.select([{ layer: first, head: second }]);
  };
  return <Select label={l10n.t('Heads')} value={value} choices={choices} width={104} isFiltered onChange={onChange} />;
}

function DirectionSwitch(): JSX.Element {
  const { panel } = usePanel();
  const { direction } = panel.view.value;
  return (
    <div class="segmented" role="group" aria-label={l10n.t('Direction')}>
      <button
        type="button"
        aria-pressed={direction === 'reads'}
        title={l10n.t('What the token reads (R)')}
        onClick={() => panel.change({ direction: 'reads' })}
      >
        {l10n.t('Reads')}
      </button>
      <button
        type="button"
        aria-pressed={direction === 'readBy'}
        title={l10n.t('What reads the token (R)')}
        onClick={() => panel.change({ direction: 'readBy' })}
      >
        {l10n.t('Read by')}
      </button>
    </div>
  );
}

/** A threshold as the number that it stands for: of lengths a part of the largest. */
function formatThreshold(threshold: number, ceiling: number): string {
  return threshold === 0 || ceiling === 1 ? String(threshold) : formatWeight(threshold * ceiling);
}

/** What asks the editor to do something. */
function EditorActions(): JSX.Element {
  const { panel } = usePanel();
  return (
    <>
      <vscode-toolbar-button
        icon="refresh"
        label={l10n.t('Run again')}
        title={l10n.t('Run again')}
        onClick={() => panel.act('rerun')}
      />
      <vscode-toolbar-button
        icon="output"
        label={l10n.t('Show the extraction report')}
        title={l10n.t('Show the extraction report')}
        onClick={() => panel.act('showReport')}
      />
      <vscode-toolbar-button
        icon="settings-gear"
        label={l10n.t('Open the settings')}
        title={l10n.t('Open the settings')}
        onClick={() => panel.act('openSettings')}
      />
    </>
  );
}

/** What is shown of what, on one line that wraps: the model, the method, and every choice about the view. */
export function Toolbar({ run, component }: { run: PanelRun; component: ComponentInfo }): JSX.Element {
  const { panel } = usePanel();
  const { scale, threshold, selection, method } = panel.view.value;
  const { ceiling } = panel;
  const { model } = run.info;
  const isSingle = panel.selection.value.heads.length === 1;
  const scaleChoices = useMemo(() => scales.map((value) => ({ value, label: scaleName(value) })), []);
  const aggregations = useMemo(
    () => [
      { value: 'mean', label: l10n.t('Mean') },
      { value: 'max', label: l10n.t('Maximum') },
    ],
    [],
  );
  return (
    <div class="toolbar" role="toolbar" aria-label={l10n.t('View')}>
      <LiveSign />
      <span
        class="model"
        title={[plain(model.path, 1000), model.backendReason].filter((text) => text !== '').join('\n')}
      >
        {run.isOutput === true ? (
          model.name
        ) : (
          <button
            type="button"
            class="link plain"
            title={l10n.t('Select another model')}
            onClick={() => panel.act('selectModel')}
          >
            {model.name}
          </button>
        )}
        <span> · {l10n.t('{0} tokens', numTokensOf(run.info))}</span>
        <span> · {model.backend}</span>
        <span> · </span>
        <span class="method" title={l10n.t('What the colours and numbers are')}>
          {panel.heat.value === undefined ? '' : `${l10n.t('text: surprisal')} · `}
          {methodName(panel.selection.value, component, method)}
        </span>
      </span>
      <DirectionSwitch />
      <HeadPicker component={component} />
      <Select
        label={l10n.t('Aggregation of several heads')}
        value={selection.aggregation}
        choices={aggregations}
        width={92}
        isDisabled={isSingle}
        onChange={(value) =>
          panel.change({
            selection: { ...panel.selection.peek(), aggregation: value as Aggregation /* one of the choices */ },
          })
        }
      />
      <Select
        label={l10n.t('Colour scale')}
        value={scale}
        choices={scaleChoices}
        width={108}
        onChange={(value) => panel.change({ scale: value as Scale /* one of the choices */ })}
      />
      <MethodChoice />
      <FormChoice run={run} component={component} />
      <label class="threshold">
        <span>{l10n.t('Threshold')}</span>
        <input
          type="range"
          min={0}
          max={thresholds.length - 1}
          step={1}
          value={nearestThreshold(threshold)}
          aria-valuetext={formatThreshold(threshold, ceiling.value)}
          onInput={(event) => panel.change({ threshold: thresholds[Number(event.currentTarget.value)] ?? 0 })}
        />
        <output>{formatThreshold(threshold, ceiling.value)}</output>
      </label>
      <span class="actions">
        <vscode-toolbar-button
          icon="search"
          label={l10n.t('Find a token')}
          title={l10n.t('Find a token (/)')}
          onClick={() => panel.looking.showFinding(true)}
        />
        {run.isOutput === true ? null : <EditorActions />}
        <vscode-toolbar-button
          icon="question"
          label={l10n.t('Show the keys')}
          title={l10n.t('Show the keys (?)')}
          onClick={() => panel.looking.showKeys(true)}
        />
      </span>
    </div>
  );
}
