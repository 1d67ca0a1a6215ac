import 'vscode-jsonrpc/browser';
import { effect } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import { render } from 'preact';
import type { PanelApi, PanelEvents, PanelIntents } from '../src/panelProtocol';
import { openConnection } from '../src/rpc/connection';
import { panelMethods } from '../src/rpc/methods';
import { App } from './components/App';
import { PanelContext } from './components/context';
import { followContextMenu } from './contextMenu';
import { answerFigures } from './figures';
import { KeptLayout } from './state/layoutState';
import { Panel } from './state/panel';
import { block, openEffects, silence } from './components/openEffects';
import { openHow } from './components/openHow';
import { awaitElements, loadElements } from './loadElements';
import { loadViews } from './loadViews';
import './shared';
import './styles/panel.css';
import './styles/toolbar.css';
import './styles/source.css';
import './styles/parts.css';
import { levelRules } from './theme/palette';
import { followTheme } from './theme/theme';
import { windowChannel } from './windowChannel';

/** An editor that has said nothing for so long is told of. */
const silentMilliseconds = 300;

const api = acquireVsCodeApi();
const theme = followTheme();
const kept = new KeptLayout(api);
const connection = openConnection<object, PanelApi, PanelIntents, PanelEvents>(
  windowChannel(api),
  panelMethods,
  {},
  (what) => console.warn(what),
);
const panel = new Panel(connection, theme, (persist) => kept.keepPersisted(persist));

// One sheet holds the colours of all depths: a theme or another ramp replaces its text and touches no token.
const levels = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, levels];
effect(() => {
  // Colours of nothing take time that the first picture needs.
  if (panel.run.value === null) return;
  const { isHighContrast, outline } = theme.value;
  levels.replaceSync(levelRules(panel.textRamp.value, isHighContrast ? outline : undefined, panel.isDifference.value));
});
const followEffects = (): void =>
  panel.effects.follow(kept.layout.peek().effects, (effects) => kept.arrangeEffects(effects));
followEffects();
const menu = followContextMenu(panel);
connection.on('arrangement', () => connection.fire('arrangement', kept.arrangement));
connection.on('restore', ({ arrangement }) => {
  kept.restore(arrangement);
  followEffects();
});
connection.on('show', ({ view, does }) => {
  if (view === 'how') {
    openHow(panel, kept, menu().pair ?? panel.how.pairHere());
    return;
  }
  if (view === 'effects') {
    if (does === 'block') block(panel, kept, menu().pair, menu().token);
    else if (does === 'silence') silence(panel, kept);
    else {
      // It then asks about what is pinned, where the model predicts that.
      if (does === 'ask') panel.effects.change({ question: undefined });
      openEffects(panel, kept);
    }
    return;
  }
  if (view === 'relations' || view === 'predictions' || view === 'compare') {
    if (view === 'predictions') panel.predictions.wantFocus();
    if (view === 'compare') panel.comparison.wantFocus();
    kept.toggleView(view, true);
    return;
  }
  panel.tables.wantFocus();
  kept.toggleView('headTable', true);
  // Whoever has asked about tokens sees the answer first, also where the page is a new one.
  if (panel.tables.asked.peek() !== undefined) kept.arrangeHeadTable({ sort: 'reads', isAscending: false });
});
connection.on('arrange', ({ open }) => {
  kept.openAlone(open?.view);
  if (open?.view === 'headTable')
    kept.arrangeHeadTable({ kind: 'table', sort: open.sort, isAscending: false, filter: '' });
  if (open?.view === 'how') panel.how.ask({ query: open.query, key: open.key }, open.step);
});
connection.on('appearance', ({ l10n: contents }) => {
  if (contents !== undefined)
    l10n.config({ contents: contents as Record<string, string> /* the host's bundle, in the package's own format */ });
});

// VS Code shows the page and hands over its messages when it has loaded, and a style sheet on its way would hold that up: the icons
// come after it. Until then the link says no more than where they are, to what draws them.
const { codicons, elements, views } = document.body.dataset;
const { nonce = '' } = (document.currentScript ?? {}) as Partial<HTMLScriptElement>; // this bundle is a classic script
if (elements === '') awaitElements();
else if (elements !== undefined) loadElements(panel, elements, nonce);
if (views !== undefined && views !== '') loadViews(views, nonce);
if (codicons !== undefined) {
  const link = document.createElement('link');
  Object.assign(link, { id: 'vscode-codicon-stylesheet', href: codicons, nonce });
  document.head.append(link);
  const loadIcons = (): void => void (link.rel = 'stylesheet');
  if (document.readyState === 'complete') loadIcons();
  else addEventListener('load', loadIcons, { once: true });
}

// Who opens the panel by the keyboard is at the text at once; a click has its own place.
let isAwaited = false;
const focusText = (): void => {
  const text = document.querySelector<HTMLElement>('.source-scroll');
  isAwaited = text === null;
  if (document.activeElement === null || document.activeElement === document.body) text?.focus({ preventScroll: true });
};
addEventListener('focus', () => requestAnimationFrame(focusText));
effect(() => {
  if (panel.run.value !== null && isAwaited && document.hasFocus())
    requestAnimationFrame(() => requestAnimationFrame(focusText));
});

answerFigures(panel, kept, connection);

const root = document.getElementById('root');
if (root !== null) {
  panel.ready();
  // The editor's first words mostly wait for the page already: until they are here, what it shows so far stays.
  let isDrawn = false;
  const draw = (): void => {
    if (isDrawn) return;
    isDrawn = true;
    root.replaceChildren();
    render(
      <PanelContext.Provider value={{ panel, kept }}>
        <App />
      </PanelContext.Provider>,
      root,
    );
  };
  const stop = effect(() => {
    if (panel.status.value !== undefined || panel.run.value !== null) requestAnimationFrame(draw); // with all that is said until then
  });
  setTimeout(() => {
    stop();
    draw();
  }, silentMilliseconds);
}
