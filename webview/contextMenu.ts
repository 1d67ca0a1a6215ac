import type { TokenRef } from '../src/model/token';
import type { AskedPair } from './state/howView';
import type { Panel } from './state/panel';

/** The query and key, and the token, that the context menu was opened over. */
export interface MenuPlace {
  readonly pair?: AskedPair | undefined;
  readonly token?: TokenRef | undefined;
}

/** The token that a menu is opened over: under the pointer, in the text, a picture or the matrix, or where the keyboard is. */
function tokenOf(panel: Panel): TokenRef | undefined {
  const cell = panel.looking.crosshair.peek();
  const component = panel.component.peek();
  if (cell === undefined || component === undefined) return panel.looking.hovered.peek() ?? panel.looking.cursor.peek();
  return panel.view.peek().direction === 'reads'
    ? { stream: component.queryStream, position: cell.query }
    : { stream: component.keyStream, position: cell.key };
}

/** Tells VS Code, which makes the menu, what it is opened over: our entries stand in the place of Cut, Copy and Paste, but where text is selected or typed. Returns what tells where it was opened last. */
export function followContextMenu(panel: Panel): () => MenuPlace {
  let place: MenuPlace = {};
  // Before VS Code's own listener, which looks at the attributes then.
  window.addEventListener(
    'contextmenu',
    (event) => {
      const target = event.composedPath()[0];
      const isText = target instanceof HTMLInputElement || document.getSelection()?.isCollapsed === false;
      const runId = panel.run.peek()?.info.runId;
      const token = tokenOf(panel);
      // The menu takes the pointer away before it answers.
      place = { pair: panel.how.pairHere(), token };
      const context =
        isText || runId === undefined
          ? {}
          : {
              preventDefaultContextMenuItems: true,
              webviewSection: token === undefined ? 'panel' : 'token',
              ...(token === undefined ? {} : { runId, ...token }),
            };
      document.body.dataset['vscodeContext'] = JSON.stringify(context);
    },
    { capture: true },
  );
  return () => place;
}
