import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { hexText } from '../../base/hexText';
import { plain } from '../../base/safeText';
import type { ProfileExample } from '../../model/profile/headProfile';
import type { PanelIntents } from '../../panelProtocol';
import { sampleScheme } from '../course/scenes';
import type { ModelPlaces } from '../model/modelLocation';
import { readFileAtMost } from '../readFileAtMost';
import { documentName } from '../run/documentName';
import type { ExplainController } from '../run/explainController';
import { openDocument } from '../run/explainSource';
import type { ShownRun } from '../run/shownRun';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import type { HeadProfiles, ReadProfile } from './headProfiles';

/** What opening an example needs of the window. */
interface OpeningDependencies {
  readonly store: ViewStore;
  readonly profiles: HeadProfiles;
  readonly places: ModelPlaces;
  readonly controller: ExplainController;
}

/** Files of one name that are looked into, and names of one text. */
const maxCandidates = 50;

/**
 * Opens the chunk of an example in the editor, explained alone, as it was read, with its head selected. Its file is found by its hash; one that stands
 * at its place and was changed since is told. Throws `profileExampleGone` where there is none.
 */
export async function openExample(
  asked: PanelIntents['openExample'],
  { store, profiles, places, controller }: OpeningDependencies,
): Promise<void> {
  const { run } = store;
  const read = run && (await profiles.of(run));
  const example = read?.profile.examples.find(
    ({ component, layer, head, metric, rank }) =>
      component === asked.component &&
      layer === asked.layer &&
      head === asked.head &&
      metric === asked.metric &&
      rank === asked.rank,
  );
  if (run === undefined || read === undefined || example === undefined) throw new ExplorerError('unknownRun');
  const { uri, isChanged } = await findText(example, read, places);
  const document = await openDocument(uri);
  const { line, column, endLine, endColumn } = example;
  const range = document.validateRange(new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1));
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One, selection: range });
  if (isChanged)
    showInformation(
      said('{0} was changed since it was profiled: what stands at its place now is shown.', documentName(uri)),
    );
  await controller.explain(() => ({
    document,
    range: { start: document.offsetAt(range.start), end: document.offsetAt(range.end) },
    mode: 'alone',
  }));
  selectHead(store, run, asked);
}

/** Selects the example's head, where its model has read it. */
function selectHead(store: ViewStore, former: ShownRun, { component, layer, head }: PanelIntents['openExample']): void {
  const { run } = store;
  if (run === undefined || run.info.model.name !== former.info.model.name) return;
  store.changeView({ selection: { component, heads: [{ layer, head }], aggregation: 'mean' } });
}

/** Where a text is: in the workspace, or among the samples. Nothing outside of both is looked at, whatever a profile says. */
async function findText(
  { hash }: Pick<ProfileExample, 'hash'>,
  { profile, folder }: ReadProfile,
  { extensionUri }: ModelPlaces,
): Promise<{ readonly uri: vscode.Uri; readonly isChanged: boolean }> {
  const told = profile.texts.filter((text) => text.hash === hash).map(({ file }) => file.replaceAll('\\', '/'));
  const names = [...new Set(told)].slice(0, maxCandidates);
  const roots = [
    ...(folder.toString().startsWith(extensionUri.toString())
      ? [extensionUri, vscode.Uri.from({ scheme: sampleScheme, path: '/' })]
      : []),
    ...(vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri),
  ];
  const places = names.flatMap((name) => roots.flatMap((root) => placeIn(root, name)));
  let changed: vscode.Uri | undefined;
  for (const uri of places) {
    const found = await hashOf(uri);
    if (found === hash) return { uri, isChanged: false };
    if (found !== undefined) changed ??= uri;
  }
  // It may have moved, or been profiled from another folder.
  for (const name of new Set(names.map((each) => each.slice(each.lastIndexOf('/') + 1)))) {
    if (!/^[^*?{}[\]\\/]+$/.test(name)) continue;
    for (const uri of await vscode.workspace.findFiles(`**/${name}`, undefined, maxCandidates))
      if ((await hashOf(uri)) === hash) return { uri, isChanged: false };
  }
  if (changed === undefined) throw new ExplorerError('profileExampleGone', [plain(names[0] ?? hash)]);
  return { uri: changed, isChanged: true };
}

/** A file by its name, within a folder. */
function placeIn(root: vscode.Uri, name: string): vscode.Uri[] {
  const isAbsolute = name.startsWith('/') || /^[A-Za-z]:\//.test(name);
  const uri = isAbsolute
    ? root.with({ path: name.startsWith('/') ? name : `/${name}` })
    : vscode.Uri.joinPath(root, name);
  return uri.path.startsWith(`${root.path.replace(/\/$/, '')}/`) && !uri.path.split('/').includes('..') ? [uri] : [];
}

/** SHA-256 of a file; undefined where it cannot be read. */
async function hashOf(uri: vscode.Uri): Promise<string | undefined> {
  try {
    const bytes = await readFileAtMost(uri, 'text', documentName(uri));
    const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes));
    return hexText(new Uint8Array(digest));
  } catch {
    return undefined;
  }
}
