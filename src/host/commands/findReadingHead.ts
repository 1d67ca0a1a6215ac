import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { selectedTokens } from '../../model/selectedTokens';
import type { TokenRef } from '../../model/token';
import type { ExplorerPanels } from '../panel/explorerPanels';
import type { ShownRun } from '../run/shownRun';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';

/** Of more tokens than this a mean says little, and the view keeps no more. */
const mostTokens = 64;

/**
 * Which head reads this? Of two ranges that are selected in the text the tokens become what reads and what is read: in a causal model the later one reads,
 * else the one that was selected first. With fewer ranges it is about what is pinned and marked. Throws `unknownRun`.
 */
export function findReadingHead(store: ViewStore, panels: Pick<ExplorerPanels, 'showView'>): void {
  const { run, view } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const [first, second] = selectedRanges(run);
  if (first === undefined || second === undefined) {
    if (view.pinned.length === 0 || view.marked.length === 0)
      showInformation(
        said(
          'Select two parts of the explained text, with Alt + drag for the second; or, in the panel, pin what reads and mark what is read with Ctrl + Shift + click.',
        ),
      );
    panels.showView('heads');
    return;
  }
  if (first.length > mostTokens || second.length > mostTokens) {
    showInformation(
      said('These are {0} and {1} tokens: select at most {2} for each part.', first.length, second.length, mostTokens),
    );
    return;
  }
  const component = run.info.components.find((each) => each.component === view.selection.component);
  const isAhead = component?.isCausal === true && first[0].position < second[0].position;
  store.changeView(isAhead ? { pinned: second, marked: first } : { pinned: first, marked: second });
  panels.showView('heads');
}

/** The tokens of the first two parts of the text that are selected in its editor. */
function selectedRanges({ text, source, sourceIndex, isPicture }: ShownRun): TokenRef[][] {
  const editor = vscode.window.visibleTextEditors.find(
    ({ document }) => document.uri.toString() === text.uri.toString(),
  );
  if (editor === undefined || isPicture || text.isEdited) return [];
  return editor.selections
    .filter(({ isEmpty }) => !isEmpty)
    .slice(0, 2)
    .map(({ start, end }) => ({
      start: editor.document.offsetAt(start) - text.range.start,
      end: editor.document.offsetAt(end) - text.range.start,
    }))
    .map((span) => selectedTokens(source, span).map((position) => ({ stream: sourceIndex, position })))
    .filter((tokens) => tokens.length > 0);
}
