import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { joinPlain, labelText, plain, type PlainText } from '../../base/safeText';
import { headLabel, headsOf } from '../../model/head';
import { columnTitle, isRelation, profileColumns, type ProfileColumn } from '../../model/profile/profileColumns';
import type { ModelLocation, ModelPlaces } from '../model/modelLocation';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { componentLabel } from '../selectionLabel';
import { askForFile } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import { countedChunks, countedPairs } from './countedWords';
import { profileAbout, type HeadProfiles } from './headProfiles';
import { isKeptOf } from './keptName';

/** What the commands on profiles act on. */
interface ProfileDependencies {
  readonly profiles: HeadProfiles;
  readonly places: ModelPlaces;
}

interface FolderItem extends ListItem {
  /** Undefined: the one that comes with the model, `null`: none, `ask`: one that is asked for. */
  readonly folder: vscode.Uri | undefined | null | 'ask';
}

/** The run whose heads are profiled, and its model; undefined where there is none, which is told. Throws `noModelHere` of an attention file. */
function profiledRun(
  { run }: ViewStore,
  profiles: HeadProfiles,
): { readonly run: ShownRun; readonly model: ModelLocation } | undefined {
  if (run === undefined) {
    showInformation(said('There are no heads yet: run "Explain Attention" first.'));
    return undefined;
  }
  const model = profiles.modelOf(run);
  if (model === undefined) throw new ExplorerError('noModelHere', [documentName(run.text.uri)]);
  return { run, model };
}

/** Lets the person choose the profile of the shown model's heads. */
export async function chooseProfile(store: ViewStore, deps: ProfileDependencies): Promise<void> {
  const profiled = profiledRun(store, deps.profiles);
  if (profiled === undefined) return;
  const { run, model } = profiled;
  const bundled = deps.profiles.bundledFolder(model.uri);
  const items = [
    ...(bundled === undefined
      ? []
      : [item(said('Sample texts'), said('The profile that comes with this model'), undefined)]),
    ...(await keptItems(deps.profiles, run)),
    item(said('From a Folder…'), said('What "attention-explorer profile" has written'), 'ask'),
    item(said('No Profile'), said('Heads then have no names, and no columns of a profile'), null),
  ];
  const folder = await folderOf(items, said('Choose Profile of Heads'));
  if (folder === undefined) return;
  // What cannot be read is told before it is chosen.
  if (folder.uri !== undefined && folder.uri !== null) await deps.profiles.read(run, folder.uri);
  await deps.profiles.choose(model, folder.uri);
}

/** Lets the person choose the profile that the shown one is compared with. Throws `noProfileYet` where none is shown, and what reading it throws. */
export async function compareProfiles(store: ViewStore, deps: ProfileDependencies): Promise<void> {
  const run = profiledRun(store, deps.profiles)?.run;
  if (run === undefined) return;
  if ((await deps.profiles.of(run)) === undefined) throw new ExplorerError('noProfileYet', [run.info.model.name]);
  const items = [
    ...(await bundledItems(deps)),
    ...(await keptItems(deps.profiles, undefined)),
    item(said('From a Folder…'), said('What "attention-explorer profile" has written'), 'ask'),
    item(said('Compare with Nothing'), plain(''), null),
  ];
  const folder = await folderOf(items, said('Compare with Profile'));
  if (folder === undefined) return;
  if (folder.uri !== undefined && folder.uri !== null) await deps.profiles.read(run, folder.uri);
  deps.profiles.compareWith(folder.uri ?? undefined);
}

function item(label: PlainText, detail: PlainText, folder: FolderItem['folder']): FolderItem {
  return { label: labelText(label), detail: labelText(detail), folder };
}

async function folderOf(
  items: readonly FolderItem[],
  title: PlainText,
): Promise<{ readonly uri: vscode.Uri | undefined | null } | undefined> {
  const chosen = await chooseOf(items, { title });
  if (chosen === undefined) return undefined;
  if (chosen.folder !== 'ask') return { uri: chosen.folder };
  const asked = await askForFile({ title, button: said('Choose'), kind: undefined });
  return asked && { uri: asked };
}

/** The profiles that come with bundled models. */
async function bundledItems({ places }: ProfileDependencies): Promise<FolderItem[]> {
  const folder = vscode.Uri.joinPath(places.extensionUri, 'media', 'profiles');
  return (await foldersIn(folder)).map((uri) => item(plain(documentName(uri)), said('Over the sample texts'), uri));
}

/** The profiles that were made here, the latest first; of one model where a run is given. */
async function keptItems(profiles: HeadProfiles, run: ShownRun | undefined): Promise<FolderItem[]> {
  const { storageUri } = profiles;
  if (storageUri === undefined) return [];
  const items: FolderItem[] = [];
  for (const uri of (await foldersIn(storageUri)).reverse()) {
    const name = documentName(uri);
    if (run === undefined || isKeptOf(name, run.info.model.name))
      items.push(item(plain(name), said('Made in this workspace'), uri));
  }
  return items;
}

async function foldersIn(uri: vscode.Uri): Promise<vscode.Uri[]> {
  try {
    return (await vscode.workspace.fs.readDirectory(uri))
      .filter(([, type]) => type === vscode.FileType.Directory)
      .map(([name]) => vscode.Uri.joinPath(uri, name))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch {
    return []; // nothing was kept yet, or the place cannot be listed
  }
}

interface FoundItem extends ListItem {
  readonly find: { readonly component: ShownRun['info']['components'][number]; readonly at: number };
}

/** Heads of a column that are listed: the strongest. */
const maxOfColumn = 5;

/** Searches the profile for heads by what they do: a metric, or a relation in a language, the strongest heads of each. */
export async function findInProfile(store: ViewStore, deps: ProfileDependencies): Promise<void> {
  const run = profiledRun(store, deps.profiles)?.run;
  if (run === undefined) return;
  const read = await deps.profiles.of(run);
  if (read === undefined) throw new ExplorerError('noProfileYet', [run.info.model.name]);
  const items = run.info.components.flatMap((component) =>
    profileColumns(read.profile, component).flatMap((column): FoundItem[] =>
      strongestOf(column).map((at) => ({ ...foundItem(run, component, column, at), find: { component, at } })),
    ),
  );
  const chosen = await chooseOf(items, {
    title: said('Find Heads in Profile'),
    placeholder: said('What do you look for? For example: definition typescript · {0}', profileAbout(read)),
  });
  if (chosen === undefined || run !== store.run) return;
  const { component, at } = chosen.find;
  store.changeView({
    selection: { component: component.component, heads: [headsOf(component)[at]], aggregation: 'mean' },
  });
}

/** The places of the heads with the largest numbers; of relations by how many times their baseline these are. */
function strongestOf({ id, values, ratios }: ProfileColumn): number[] {
  const by = isRelation(id) ? ratios : values;
  return [...by.keys()]
    .filter((at) => by[at] > 0)
    .sort((a, b) => by[b] - by[a] || a - b)
    .slice(0, maxOfColumn);
}

function foundItem(
  run: ShownRun,
  component: FoundItem['find']['component'],
  column: ProfileColumn,
  at: number,
): ListItem {
  const title = said(columnTitle(column)); // eslint-disable-line no-restricted-syntax -- titles of metrics and relations are ours
  const name = headLabel(headsOf(component)[at]);
  const ratio = column.ratios[at];
  const parts = [
    column.language === '' ? title : said('{0}, in {1}', title, column.language),
    plain(column.values[at].toFixed(3)),
    ...(Number.isNaN(ratio)
      ? []
      : [said('{0} times its baseline of {1}', ratio.toFixed(1), column.baselines[at].toFixed(3))]),
    isRelation(column.id) ? countedPairs(column.counts[at]) : countedChunks(column.counts[at]),
    ...(run.info.components.length > 1 ? [componentLabel(component.component)] : []),
  ];
  return { label: labelText(plain(name)), description: labelText(joinPlain(parts, ' · ')) };
}
