import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { labelText, plain, type PlainText } from '../../base/safeText';
import type { PageWords } from '../../model/figures/pageData';
import { mostPageBytes, pageFile, type PageLook } from '../../model/figures/pageFile';
import { pageSentences } from '../../model/figures/pageWords';
import { formatBytes } from '../../model/fileLimits';
import { components } from '../../base/component';
import { headLabel } from '../../model/head';
import { joinedSelection, joinsHeads, methodOf } from '../../model/methods';
import { noticeText } from '../../model/modelInfo';
import { weightBytes, writtenLayers, type ChosenNumbers } from '../../model/numbers/numbers';
import { editorColours, rampFor } from '../../model/ramp';
import type { SeenView } from '../../panelProtocol';
import { panelAppearance } from '../panel/panelSnapshots';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { askWhereToSave } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import { componentLabel } from '../selectionLabel';
import type { ViewStore } from '../view/viewStore';
import { componentsOf, readingFrom, withProgress } from './exportNumbers';
import { readBuilt, version } from './ownExtension';
import { writeFile, type WriteWhole } from './writeFile';
import { offeredName } from './offeredName';

/** Writes a stand-alone page of the run that is shown: of all heads, or of those that are. */
export async function exportPage(
  store: ViewStore,
  seen: SeenView | undefined,
  writeWhole: WriteWhole | undefined,
): Promise<void> {
  const { run } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const numbers = await chooseHeads(store, run);
  const colours = numbers && (await chooseColours(seen));
  if (numbers === undefined || colours === undefined) return;
  const target = await askWhereToSave({
    title: said('Save Page'),
    name: offeredName(documentName(run.text.uri), `-${numbers.method}.html`),
    kind: { name: said('HTML page'), extensions: ['html'] },
    besides: run.text.uri,
  });
  if (target === undefined) return;
  const [look, script, style] = await Promise.all([
    lookOf(store, run, colours),
    readBuilt('page.js'),
    readBuilt('page.css'),
  ]);
  const ended = new AbortController();
  try {
    await withProgress(
      (report) =>
        writeFile(
          target,
          pageFile(readingFrom(run, numbers, { signal: ended.signal, report }), look, { script, style }),
          writeWhole,
        ),
      ended,
      said('Export'),
    );
  } catch (error) {
    if (!ended.signal.aborted) throw error;
    return;
  }
  showInformation(said('The page was written to {0}.', target.fsPath));
}

/** All heads of the run, or those that are shown, as far as a page holds so much. */
async function chooseHeads(store: ViewStore, run: ShownRun): Promise<ChosenNumbers | undefined> {
  const { view } = store;
  const { method } = view;
  const selection = joinsHeads(method) ? joinedSelection(view.selection) : view.selection;
  const all: ChosenNumbers = {
    model: run.info.model,
    notices: run.info.notices.map(noticeText),
    streams: run.info.streams,
    method,
    components: componentsOf(run, store),
    heads: undefined,
  };
  const shown: ChosenNumbers = {
    ...all,
    components: all.components.filter(({ component }) => component === selection.component),
    heads: selection.heads,
  };
  const sizeOf = (numbers: ChosenNumbers): number => weightBytes(writtenLayers(numbers), 'float16');
  const item = (label: PlainText, numbers: ChosenNumbers): ListItem & { readonly numbers: ChosenNumbers } => ({
    label: labelText(label),
    description: labelText(plain(formatBytes(sizeOf(numbers)))),
    numbers,
  });
  const items = [
    item(said('All layers'), all),
    item(
      selection.heads.length === 1
        ? said('The head that is shown')
        : said('The {0} heads that are shown', selection.heads.length),
      shown,
    ),
  ].filter(({ numbers }) => sizeOf(numbers) <= mostPageBytes);
  if (items.length === 0)
    throw new ExplorerError('fileNotWritten', [
      said('the page'),
      said('it would hold more than {0} of numbers', formatBytes(mostPageBytes)),
    ]);
  const chosen = await chooseOf(items, {
    title: said('Export'),
    staysOpen: true,
    placeholder: said(
      'Which heads? Sizes are those of their numbers, of which a page holds {0}',
      formatBytes(mostPageBytes),
    ),
  });
  return chosen?.numbers;
}

async function chooseColours(
  seen: SeenView | undefined,
): Promise<Pick<SeenView, 'background' | 'foreground'> | undefined> {
  if (seen === undefined) return editorColours.light;
  const chosen = await chooseOf(
    [
      { label: labelText(said('Light Page')), colours: editorColours.light },
      { label: labelText(said('As Seen')), colours: seen },
    ],
    {
      title: said('Export'),
      staysOpen: true,
      placeholder: said('For what page? As seen: in the colours of the theme'),
    },
  );
  return chosen?.colours;
}

/** How the page looks: as the view does, of tokens as the model has them. */
async function lookOf(
  { view }: ViewStore,
  run: ShownRun,
  { background, foreground }: Pick<SeenView, 'background' | 'foreground'>,
): Promise<PageLook> {
  const { method, scale } = view;
  const selection = joinsHeads(method) ? joinedSelection(view.selection) : view.selection;
  const { ceiling } = method === 'attention' ? { ceiling: 1 } : await run.held.weighing(selection.component, method);
  const { colourMap, tabSize } = panelAppearance(run);
  const scales = { absolute: said('absolute scale'), row: said('scale by row'), log: said('logarithmic scale') };
  return {
    language: vscode.env.language,
    words: pageWords(),
    caption: [
      [
        run.info.model.name,
        documentName(run.text.uri),
        said(methodOf(method).title), // eslint-disable-line no-restricted-syntax -- the table is ours
        scales[scale],
      ].join(' · '),
      `${said('Numbers in half precision')} · Attention Explorer ${version()}`,
    ],
    componentName: (name) => {
      const known = [...components, ...run.info.components.map(({ component }) => component)].find(
        (each) => each === name,
      );
      return known === undefined ? name : componentLabel(known);
    },
    first: {
      head: headLabel(selection.heads[0]),
      component: selection.component,
      pinned: view.pinned[0],
    },
    scale,
    ceiling,
    ramps: {
      reads: rampFor(colourMap, background, foreground, 'reads'),
      readBy: rampFor(colourMap, background, foreground, 'readBy'),
    },
    background,
    foreground,
    tabSize,
  };
}

function pageWords(): PageWords {
  const translated = Object.entries(pageSentences).map(([name, sentence]) => [name, said(sentence)]); // eslint-disable-line no-restricted-syntax -- the table is ours
  return { ...pageSentences, ...(Object.fromEntries(translated) as Partial<PageWords>) }; // the same names
}
