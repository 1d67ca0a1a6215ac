import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ComponentInfo } from '../../src/model/head';
import type { PanelRun } from '../../src/panelProtocol';
import { layoutHeadGrid, neighbourHead } from '../layout/headGrid';
import { headAtPlace, placeOfHead, rowsOf } from '../layout/headOrder';
import { layoutKindFor, paneNames, placePanes, type PaneName, type PaneRoom } from '../layout/paneLayout';
import { ComponentTabs } from './ComponentTabs';
import { nextLevel, nextSinks } from '../state/formedPatterns';
import { usePanel, type PanelServices } from './context';
import { nextOrder } from './HeadMeasure';
import { block, openEffects, silence } from './openEffects';
import { toggleHow } from './openHow';
import { Legend } from './Legend';
import { LiveTrouble } from './LiveSign';
import { LiveRegion } from './LiveRegion';
import { later } from './later';
import { MethodRefusal } from './MethodChoice';
import { Notices } from './Notices';
import { panes, splitLabel } from './panes';
import { PaneTabs } from './PaneTabs';
import { styleOf } from './place';
import { Splitter } from './Splitter';
import { StatusView } from './StatusViews';
import { Toolbar } from './Toolbar';
import { useSize } from './useSize';

/** About what the toolbar, the legend and the line at the foot take. */
const heightAround = 84;
/** Of the lines above and below the grid, and of the edges around it. */
const aroundHeads = { width: 16, height: 62, heightOfNarrow: 36 };
/** In less width the line that names a head is left out: the matrix has the name too. */
const narrowHeads = 260;

const KeysOverlay = later('KeysOverlay');

/** Views of heads and their weights. */
const ofHeads: readonly PaneName[] = ['headTable', 'how', 'relations', 'effects', 'compare'];

/** What keys do wherever the focus is in the panel; a letter stands for its capital, too. */
const keyActions: Readonly<Record<string, (services: PanelServices) => void>> = {
  Escape: ({ panel }) => {
    if (panel.looking.isFinding.peek()) panel.looking.showFinding(false);
    else panel.letGo();
  },
  '/': ({ panel }) => panel.looking.showFinding(true),
  '?': ({ panel }) => panel.looking.showKeys(true),
  h: ({ panel, kept }) => {
    if (panel.heads.toggleList()) kept.showTab('list');
  },
  b: ({ kept }) => kept.toggleView('headTable'),
  w: ({ panel, kept }) => toggleHow(panel, kept),
  o: ({ panel, kept }) => nextOrder(panel, kept),
  t: ({ panel }) => panel.heads.nextMeasure(),
  m: ({ panel }) => panel.change({ pinnedMean: panel.view.peek().pinnedMean === 'all' ? 'seeing' : 'all' }),
  c: ({ kept }) => kept.toggleView('relations'),
  p: ({ kept }) => kept.toggleView('predictions'),
  e: ({ panel, kept }) => {
    if (kept.layout.peek().open.includes('effects')) kept.toggleView('effects', false);
    else openEffects(panel, kept);
  },
  k: ({ panel, kept }) =>
    block(panel, kept, panel.how.pairHere(), panel.looking.hovered.peek() ?? panel.looking.cursor.peek()),
  z: ({ panel, kept }) => silence(panel, kept),
  x: ({ kept }) => kept.toggleView('compare'),
  l: ({ panel }) => nextLevel(panel),
  s: ({ panel }) => nextSinks(panel),
  n: ({ panel }) => void panel.methods.next(),
  r: ({ panel }) => panel.change({ direction: panel.view.peek().direction === 'reads' ? 'readBy' : 'reads' }),
};
/** Keys that change the form or the method. */
const keysOfForm = ['l', 's', 'n'];

function isTypedInto(target: EventTarget | undefined): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'range' && target.type !== 'checkbox';
  return target instanceof HTMLTextAreaElement;
}

/** Selects the head that an arrow leads to from the one that is shown. */
function selectBeside({ panel, kept }: PanelServices, component: ComponentInfo, key: string): void {
  const order = panel.heads.orderOf(kept.layout.peek().ordering);
  const place = placeOfHead(order, panel.selection.peek().heads[0]);
  const next = neighbourHead(rowsOf(component, order), place, key);
  if (next !== undefined) panel.select([headAtPlace(order, next)]);
}

/** Does what a key is for. Returns whether it was one of the panel's. */
function handleKey(services: PanelServices, event: KeyboardEvent): boolean {
  const { panel } = services;
  if (panel.run.peek() === null || isTypedInto(event.composedPath()[0]) || panel.looking.areKeysShown.peek())
    return false;
  if (event.ctrlKey || event.metaKey) return false;
  const component = panel.component.peek();
  if (event.altKey) {
    if (!event.key.startsWith('Arrow') || component === undefined) return false;
    selectBeside(services, component, event.key);
    return true;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // What is compared are the weights as both models have them.
  if (panel.form.peek().compared !== undefined && keysOfForm.includes(key)) return true;
  const act = keyActions[key];
  act?.(services);
  return act !== undefined;
}

function RunView({ run, component }: { run: PanelRun; component: ComponentInfo }): JSX.Element {
  const { panel, kept } = usePanel();
  const body = useRef<HTMLDivElement>(null);
  const size = useSize(body);
  const { shares, tab, open } = kept.layout.value;
  const { components, streams, runId } = run.info;
  const isPicture = streams.some(({ grid }) => grid !== undefined);
  const { kind, placed } = useMemo(() => {
    // In the first rendering what it will have, or nearly.
    const { width, height } =
      size.width > 0 ? size : { width: window.innerWidth, height: window.innerHeight - heightAround };
    const room: PaneRoom = {
      width,
      height,
      isPicture,
      open,
      heightOfHeads: (within) =>
        layoutHeadGrid(component, { width: within - aroundHeads.width, height: Infinity }).height +
        (within < narrowHeads ? aroundHeads.heightOfNarrow : aroundHeads.height),
    };
    const chosen = layoutKindFor(room);
    return { kind: chosen, placed: placePanes(chosen, room, shares) };
  }, [size, isPicture, component, shares, open]);
  // These are about heads, whatever method is shown.
  const own = panel.ownComponent.value ?? component;
  const { splits, tabs } = placed;
  const shown = tabs === undefined ? undefined : tabs.panes.includes(tab) ? tab : tabs.panes[0];
  const placeOf = (name: PaneName): JSX.Element | null => {
    const { Content } = panes[name];
    const rect = placed.panes[name];
    if (rect === undefined) return null;
    const isTab = tabs?.panes.includes(name) === true;
    // What is behind a tab stays drawn: it is there at once when it is asked for.
    return (
      <div
        key={name}
        id={`pane-${name}`}
        class={`place${isTab && name !== shown ? ' behind' : ''}`}
        style={styleOf(rect)}
        {...(isTab ? { role: 'tabpanel', 'aria-labelledby': `tab-of-${name}` } : {})}
      >
        <Content run={run} component={ofHeads.includes(name) ? own : component} />
      </div>
    );
  };
  return (
    <>
      <Toolbar run={run} component={component} />
      {components.length > 1 ? <ComponentTabs components={components} current={component} /> : null}
      <LiveTrouble />
      <MethodRefusal />
      <Notices key={runId} notices={run.notices} />
      <div
        id="panel-body"
        ref={body}
        class={`body ${kind}${isPicture ? ' of-picture' : ''}`}
        role={components.length > 1 ? 'tabpanel' : undefined}
        aria-labelledby={components.length > 1 ? `tab-${component.component}` : undefined}
      >
        {placeOf('source')}
        {tabs === undefined || shown === undefined ? null : (
          <PaneTabs
            panes={tabs.panes}
            rect={tabs.rect}
            shown={shown}
            titleOf={(pane) => panes[pane].title(panel)}
            onShow={(pane) => kept.showTab(pane)}
          />
        )}
        {paneNames.filter((name) => name !== 'source').map(placeOf)}
        {splits.map((split) => (
          <Splitter
            key={split.name}
            label={splitLabel(split)}
            split={split}
            onMove={(share) => kept.move(split.name, share)}
          />
        ))}
      </div>
      <Legend />
    </>
  );
}

/** The panel: what it is doing, and the run that it shows. */
export function App(): JSX.Element {
  const services = usePanel();
  const { panel } = services;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (!handleKey(services, event)) return;
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
  if (keyOfLanguage.current.language !== language)
    keyOfLanguage.current = { language, count: keyOfLanguage.current.count + 1 };
  return (
    <main
      key={keyOfLanguage.current.count}
      class={`panel${run === null ? ' without-run' : ''}`}
      aria-label={l10n.t('Attention Explorer')}
    >
      <h1 class="visually-hidden">
        {run === null ? l10n.t('Attention Explorer') : l10n.t('Attention Explorer: {0}', run.documentName)}
      </h1>
      <StatusView hasRun={run !== null} />
      {run === null || component === undefined ? null : <RunView run={run} component={component} />}
      <footer>{l10n.t('Attention shows where a head looked, not why the model answered.')}</footer>
      <LiveRegion />
      {panel.looking.areKeysShown.value ? <KeysOverlay /> : null}
    </main>
  );
}
