import { ExplorerError } from '../../base/errors';
import { labelText, plain, type PlainText } from '../../base/safeText';
import { formatBytes } from '../../model/fileLimits';
import { weightBytes, writtenLayers, type ChosenNumbers } from '../../model/numbers/numbers';
import { noticeText } from '../../model/modelInfo';
import { plainFileForm } from '../../model/numbers/numbersFile';
import { continuationOf } from '../../model/writtenTokens';
import { writeNumbersFile } from '../export/exportNumbers';
import { offeredName } from '../export/offeredName';
import { writeFile, type WriteWhole } from '../export/writeFile';
import { bundledModelsUri } from '../model/bundledModels';
import type { ChosenLanguages } from '../model/chosenLanguages';
import { locateModel, settingOf, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { bundledPrefix } from '../model/modelPath';
import type { ExplorerPanels } from '../panel/explorerPanels';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { askWhereToSave } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import { explanationEnding, writeExplanation, type Explanation } from './explanationFile';

/** What saving needs of the window. */
export interface SavingDependencies {
  readonly places: ModelPlaces;
  readonly languages: ChosenLanguages;
  readonly writeWhole: WriteWhole | undefined;
  /** The explanation that is open and shown, where it is one: its text stands in no editor. */
  readonly saved: Explanation | undefined;
}

/** Saves what is shown to a file that opens the same view again: by running the model again, or from its numbers. */
export async function saveExplanation(
  store: ViewStore,
  panel: Pick<ExplorerPanels, 'arrangement'>,
  deps: SavingDependencies,
): Promise<void> {
  const { run, view } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const numbers: ChosenNumbers = {
    model: run.info.model,
    notices: run.info.notices.map(noticeText),
    streams: run.info.streams,
    components: run.info.components,
    method: 'attention',
    heads: undefined,
  };
  const kind = await chooseKind(run, numbers);
  if (kind === undefined) return;
  const arrangement = await panel.arrangement();
  const target = await askWhereToSave({
    title: said('Save Explanation'),
    name: offeredName(documentName(run.text.uri), kind === 'numbers' ? '.attention.npz' : explanationEnding),
    kind:
      kind === 'numbers'
        ? { name: plain('NumPy'), extensions: ['npz'] }
        : { name: plain('JSON'), extensions: ['json'] },
    besides: run.text.uri,
  });
  if (target === undefined) return;
  if (kind === 'numbers') {
    const form = { format: 'npz', ...plainFileForm } as const;
    const lookedAt = { component: view.selection.component, method: view.method };
    const { difference } = await run.held.weighing(lookedAt.component, lookedAt.method);
    const isWritten = await writeNumbersFile(
      run,
      { target, numbers: { ...numbers, difference, explanation: { view, arrangement } }, form, lookedAt },
      deps.writeWhole,
    );
    if (!isWritten) return;
  } else await writeFile(target, oneOf(await explanationOf(run, store, arrangement, deps)), deps.writeWhole);
  showInformation(said('The explanation was saved as {0}.', target.fsPath));
}

async function chooseKind(run: ShownRun, numbers: ChosenNumbers): Promise<'again' | 'numbers' | undefined> {
  // Pictures stand in files of their own, and attention files have no model.
  if (run.isPicture || run.info.model.backend === 'file') return 'numbers';
  const item = (
    opens: 'again' | 'numbers',
    label: PlainText,
    detail: PlainText,
  ): ListItem & { readonly opens: 'again' | 'numbers' } => ({
    label: labelText(label),
    detail: labelText(detail),
    opens,
  });
  const size = plain(formatBytes(weightBytes(writtenLayers(numbers), 'float32')));
  const chosen = await chooseOf(
    [
      item('again', said('To Run Again'), said('The text, the model by its path and hash, and the view')),
      item('numbers', said('With Its Numbers ({0})', size), said('An attention file, which opens without a model')),
    ],
    { title: said('Save Explanation') },
  );
  return chosen?.opens;
}

async function explanationOf(
  run: ShownRun,
  { view }: ViewStore,
  arrangement: unknown,
  { places, languages, saved }: SavingDependencies,
): Promise<Uint8Array> {
  const { uri, text, texts } = run.text;
  const model = run.model ?? locateModel(readSettings(uri), places, uri);
  const [stream] = run.info.streams;
  const named = {
    path: pathOf(model, places),
    name: run.info.model.name,
    sha256: await run.held.modelHash(model.spec),
  };
  if (saved !== undefined) return writeExplanation({ ...saved, model: named, view, arrangement });
  return writeExplanation({
    model: named,
    text: texts?.[0] ?? text,
    second: texts?.[1],
    target: run.target,
    isChatMessage: run.isChatMessage,
    focus: run.focus === undefined ? undefined : { start: run.focus.start, end: run.focus.end },
    languages: languages.of(model.spec.path),
    continuation: continuationOf(stream),
    tokenLimit: readSettings(uri).tokenLimit,
    view,
    arrangement,
  });
}

/** How a file names a model: those that come with the extension by name, whose folder moves with each version. */
function pathOf({ uri }: ModelLocation, { extensionUri, hasFilePaths }: ModelPlaces): string {
  const bundled = `${bundledModelsUri(extensionUri).toString()}/`;
  return uri.toString().startsWith(bundled)
    ? `${bundledPrefix}${uri.toString().slice(bundled.length)}`
    : settingOf(uri, hasFilePaths);
}

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
