import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ComponentInfo } from '../../src/model/head';
import type { PanelRun } from '../../src/protocol';
import { neighbourHead } from '../layout/headGrid';
import type { Panel } from '../state/panel';
import { ComponentTabs } from './ComponentTabs';
import { usePanel } from './context';
import { HeadsView } from './HeadsView';
import { ImageView } from './ImageView';
import { Legend } from './Legend';
import { LiveTrouble } from './LiveSign';
import { LiveRegion } from './LiveRegion';
import { MatrixPane } from './MatrixPane';
import { FindBar, KeysOverlay } from './Overlays';
import { Readout } from './Readout';
import { SourceList } from './SourceList';
import { SourceView } from './SourceView';
import { Splitter } from './Splitter';
import { StatusView } from './StatusViews';
import { Toolbar } from './Toolbar';
import { useSize } from './useSize';

const wideFrom = 900;
const mediumFrom = 520;
/** In less height no part of the medium panel would have room for what it shows. */
const mediumHeightFrom = 600;
/** About what the toolbar and the line at the foot take. */
const heightAround = 64;

/** Keys that work wherever the focus is in the panel. Returns whether the key was one of them. */
function handleKey(panel: Panel, event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  const isTyping = target instanceof HTMLInputElement && target.type !== 'range';
  if (panel.run.peek() === null || isTyping || panel.areKeysShown.peek()) return false;
  const component = panel.component.peek();
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.key.startsWith('Arrow') && component !== undefined) {
    const next = neighbourHead(component, panel.selection.peek().heads[0], event.key);
    if (next !== undefined) panel.select([next]);
    return true;
  }
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  switch (event.key) {
    case 'Escape':
      if (panel.isFinding.peek()) panel.isFinding.value = false;
      else panel.letGo();
      return true;
    case '/':
      panel.isFinding.value = true;
      return true;
    case '?':
      panel.areKeysShown.value = true;
      return true;
    case 'r':
    case 'R':
      panel.change({ direction: panel.view.peek().direction === 'reads' ? 'readBy' : 'reads' });
      return true;
    default:
      return false;
  }
}

function RunView({ run, component }: { run: PanelRun; component: ComponentInfo }): JSX.Element {
  const { panel, kept } = usePanel();
  const body = useRef<HTMLDivElement>(null);
  const size = useSize(body);
  // In the first rendering what it will have, or nearly.
  const { width, height } = size.width > 0 ? size : { width: window.innerWidth, height: window.innerHeight - heightAround };
  const layout = kept.layout.value;
  // What has room neither beside nor below each other stands in one column that scrolls.
  const kind = width >= wideFrom ? 'wide' : width >= mediumFrom && height >= mediumHeightFrom ? 'medium' : 'narrow';
  const { components } = run.info;
  const isPicture = run.info.streams.some(({ grid }) => grid !== undefined);
  const source = (
    <section class={`pane source-pane${isPicture ? ' picture-pane' : ''}`} aria-label={isPicture ? l10n.t('Picture') : l10n.t('Source')}>
      {panel.isFinding.value ? <FindBar run={run} onDone={() => body.current?.querySelector<HTMLElement>('.source-scroll')?.focus()} /> : null}
      {isPicture ? <ImageView key={run.info.runId} run={run} /> : <SourceView key={panel.generation.value} run={run} />}
      <Readout />
    </section>
  );
  const heads = (
    <section class="pane heads-pane" aria-label={l10n.t('Heads')}>
      <HeadsView key={`${panel.generation.value}/${component.component}`} component={component} />
      <Legend />
    </section>
  );
  // A picture is about as wide as high: in the medium panel it stands beside the heads and above the matrix, which then has as much room.
  const isBeside = kind === 'medium' && isPicture;
  // In the medium panel the matrix's share is of what is below the source.
  const sourceShare = isPicture ? layout.picture : layout.source;
  const above = kind === 'medium' ? sourceShare : 0;
  const matrixShare = kind === 'medium' ? layout.mediumMatrix : layout.matrix;
  const splitMatrix = <Splitter area="split-matrix" within={kind === 'medium' ? '.body' : '.detail'} label={l10n.t('Height of the matrix')} isVertical={false} share={above + matrixShare * (1 - above)} onMove={(share) => kept.move({ [kind === 'medium' ? 'mediumMatrix' : 'matrix']: Math.max(0.1, (share - above) / (1 - above)) })} />;
  const detail = (
    <div class="detail">
      <MatrixPane />
      {kind === 'narrow' || isBeside ? null : splitMatrix}
      <SourceList run={run} />
    </div>
  );
  const splitHeads = <Splitter area="split-heads" label={l10n.t('Width of the heads')} isVertical share={kind === 'wide' ? layout.heads : isBeside ? layout.besideHeads : layout.mediumHeads} onMove={(share) => kept.move(kind === 'wide' ? { heads: Math.min(share, 0.9 - layout.detail) } : isBeside ? { besideHeads: share } : { mediumHeads: share })} />;
  const splitDetail = <Splitter area="split-detail" label={l10n.t('Width of the matrix')} isVertical share={1 - layout.detail} onMove={(share) => kept.move({ detail: Math.min(1 - share, 0.9 - layout.heads) })} />;
  const splitSource = <Splitter area="split-source" label={l10n.t('Height of the source')} isVertical={false} share={sourceShare} onMove={(share) => kept.move(isPicture ? { picture: share } : { source: share })} />;
  return (
    <>
      <Toolbar run={run} component={component} />
      {components.length > 1 ? <ComponentTabs components={components} current={component} /> : null}
      <LiveTrouble />
      {run.notices.map((notice) => (
        <p key={notice} class="notice">
          <vscode-icon name="info" /> {notice}
        </p>
      ))}
      <div id="panel-body" ref={body} class={`body ${kind}${isPicture ? ' of-picture' : ''}`} role={components.length > 1 ? 'tabpanel' : undefined} aria-labelledby={components.length > 1 ? `tab-${component.component}` : undefined} style={{ '--heads': kind === 'wide' ? layout.heads : layout.mediumHeads, '--detail': layout.detail, '--source': sourceShare, '--matrix': matrixShare, '--beside': layout.besideHeads }}>
        {source}
        {kind === 'medium' ? splitSource : null}
        {heads}
        {kind === 'narrow' ? null : splitHeads}
        {kind === 'wide' ? splitDetail : null}
        {detail}
      </div>
    </>
  );
}

/** The panel: what it is doing, and the run that it shows. */
export function App(): JSX.Element {
  const { panel } = usePanel();
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (!handleKey(panel, event)) return;
      event.preventDefault();
      // VS Code listens on the window, and has its own use for Alt and the arrows.
      event.stopPropagation();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
  const run = panel.run.value;
  const component = panel.component.value;
  // Another language is another panel: every sentence is made anew.
  const language = panel.appearance.value.l10n;
  const keyOfLanguage = useRef({ language, count: 0 });
  if (keyOfLanguage.current.language !== language) keyOfLanguage.current = { language, count: keyOfLanguage.current.count + 1 };
  return (
    <main key={keyOfLanguage.current.count} class={`panel${run === null ? ' without-run' : ''}`} aria-label={l10n.t('Attention Explorer')}>
      <h1 class="visually-hidden">{run === null ? l10n.t('Attention Explorer') : l10n.t('Attention Explorer: {0}', run.documentName)}</h1>
      <StatusView hasRun={run !== null} />
      {run === null || component === undefined ? null : <RunView run={run} component={component} />}
      <footer>{l10n.t('Attention shows where a head looked, not why the model answered.')}</footer>
      <LiveRegion />
      {panel.areKeysShown.value ? <KeysOverlay /> : null}
    </main>
  );
}
