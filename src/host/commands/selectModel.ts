import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { iconLabel, joinLabels, labelText, plain, type LabelText, type PlainText } from '../../base/safeText';
import { chooseFromHub } from '../hub/chooseFromHub';
import type { HubModels } from '../hub/hubModels';
import {
  bundledChoices,
  downloadedChoices,
  recentChoices,
  workspaceChoices,
  type ListedDownload,
  type ModelChoice,
  type Reads,
} from '../model/modelChoices';
import { findCompanions, listVariants } from '../model/modelFolders';
import { modelUri, settingOf, type ModelPlaces } from '../model/modelLocation';
import { bundledPrefix } from '../model/modelPath';
import type { RecentModels } from '../model/recentModels';
import { readSettings } from '../readSettings';
import { settingsSection } from '../settings';
import { chooseTokenizer } from './chooseTokenizer';
import { chooseVariant, fileSize } from './chooseVariant';
import { askForFile } from '../say/dialogs';
import { createList, itemButton, separator, type ListHead, type ListItem } from '../say/lists';
import { said } from '../say/said';

interface ModelItem extends ListItem {
  readonly choice?: ModelChoice;
  readonly action?: 'browseFile' | 'browseFolder' | 'hub' | 'trust';
}

/** What the person did with the list. */
interface Picked {
  readonly item: ModelItem;
  /** Whether the item is to go, and is not chosen. */
  readonly isUnwanted: boolean;
}

/** What choosing a model needs of the window. */
export interface SelectModelDependencies {
  readonly places: ModelPlaces;
  readonly recent: RecentModels;
  /** Undefined where nothing can be downloaded to. */
  readonly hub: HubModels | undefined;
}

/** Lets the person choose a model, of those that read what is wanted; writes the setting, and resolves to whether it was changed or confirmed. */
export async function selectModel(deps: SelectModelDependencies, wanted?: Reads): Promise<boolean> {
  const path = await chooseModel(deps, wanted);
  if (path !== undefined) await writeModelPath(path);
  return path !== undefined;
}

/** Lets the person choose a model, of those that read what is wanted; resolves to what the setting would be, and writes nothing. `head` says what it is chosen for. */
export async function chooseModel(
  deps: SelectModelDependencies,
  wanted?: Reads,
  head?: ListHead,
): Promise<string | undefined> {
  const picked = await pickModel(deps, wanted, head);
  if (picked === undefined) return undefined;
  const { item, isUnwanted } = picked;
  const download = item.choice?.download;
  if (isUnwanted) {
    if (download !== undefined) await deps.hub?.remove(download);
    return chooseModel(deps, wanted, head);
  }
  if (item.action === 'trust') {
    await vscode.commands.executeCommand('workbench.trust.manage');
    return undefined;
  }
  if (item.choice?.group === 'bundled') return item.choice.path;
  const uri = await addressOf(item, deps.hub);
  return uri && openModel(deps, uri, item.choice?.path);
}

/** Where the model is that an item stands for, once it is there. */
async function addressOf({ choice, action }: ModelItem, hub: HubModels | undefined): Promise<vscode.Uri | undefined> {
  if (action === 'hub') return hub && chooseFromHub(hub);
  if (choice?.download?.isComplete === false) return hub?.download(choice.download);
  return choice?.uri ?? browse(action === 'browseFolder' ? 'folder' : 'file');
}

/** Lets the person choose among the model files of the folder that the setting names; resolves to whether one was chosen. */
export async function chooseModelFile(deps: SelectModelDependencies): Promise<boolean> {
  const uri = currentModel(deps.places);
  if (uri === undefined) return selectModel(deps);
  const path = await openModel(deps, uri);
  if (path !== undefined) await writeModelPath(path);
  return path !== undefined;
}

/** Asks for the tokenizer of the model in use; resolves to whether one was chosen. */
export async function chooseTokenizerOfModel({ places }: SelectModelDependencies): Promise<boolean> {
  const uri = currentModel(places);
  return uri !== undefined && chooseTokenizer(uri, places.tokenizers);
}

/** Writes the model path to the user's settings, and to the workspace's where those would hide it. An untrusted workspace's hide nothing. */
async function writeModelPath(path: string): Promise<void> {
  const { configuration, target, globalValue } = pathTarget();
  // The default is not written down: it may move.
  await configuration.update('modelPath', path === '' ? undefined : path, target);
  if (path === '' && target !== vscode.ConfigurationTarget.Global && globalValue)
    await configuration.update('modelPath', '', target);
}

function pathTarget(): {
  readonly configuration: vscode.WorkspaceConfiguration;
  readonly target: vscode.ConfigurationTarget;
  readonly globalValue: string | undefined;
} {
  const configuration = vscode.workspace.getConfiguration(
    settingsSection,
    vscode.window.activeTextEditor?.document.uri ?? null,
  );
  const found = configuration.inspect<string>('modelPath');
  const target = !vscode.workspace.isTrusted
    ? vscode.ConfigurationTarget.Global
    : found?.workspaceFolderValue !== undefined
      ? vscode.ConfigurationTarget.WorkspaceFolder
      : found?.workspaceValue !== undefined
        ? vscode.ConfigurationTarget.Workspace
        : vscode.ConfigurationTarget.Global;
  return { configuration, target, globalValue: found?.globalValue };
}

/** What the setting becomes for a chosen file or folder: of several model files one is chosen, and one without a tokenizer gets its own. */
async function openModel(
  { places, recent }: SelectModelDependencies,
  chosen: vscode.Uri,
  written?: string,
): Promise<string | undefined> {
  const variants = /\.onnx$/i.test(chosen.path) ? [] : await listVariants(chosen);
  const uri = variants.length > 1 ? await chooseVariant(chosen, variants) : chosen;
  if (uri === undefined) return undefined;
  if (places.tokenizers.get(uri) === undefined) {
    const { hasTokenizer, hasPreprocessor } = await findCompanions(uri);
    // Whoever has none goes on: the graph can be inspected without.
    if (!hasTokenizer && !hasPreprocessor) await chooseTokenizer(uri, places.tokenizers);
  }
  const path = uri === chosen && written !== undefined ? written : settingOf(uri, places.hasFilePaths);
  if (!path.startsWith(bundledPrefix)) await recent.add(path);
  return path;
}

function currentModel(places: ModelPlaces): vscode.Uri | undefined {
  const resource = vscode.window.activeTextEditor?.document.uri;
  try {
    return modelUri(readSettings(resource).modelPath, places, resource);
  } catch (error) {
    if (error instanceof ExplorerError) return undefined; // it leads nowhere from here
    throw error;
  }
}

/** Shows what is known at once, and the rest as it is found. */
async function pickModel(
  { places, recent, hub }: SelectModelDependencies,
  wanted: Reads | undefined,
  head: ListHead | undefined,
): Promise<Picked | undefined> {
  const title =
    wanted === undefined
      ? said('Select Model')
      : wanted === 'text'
        ? said('Select a Model That Reads Text')
        : said('Select a Model That Reads Images');
  const placeholder =
    pathTarget().target === vscode.ConfigurationTarget.Global
      ? said('The choice is kept in your settings')
      : said('The choice is kept in the settings of this workspace, which name a model');
  const picker = createList<ModelItem>(head ?? { title, placeholder });
  picker.busy = true;
  const current = currentModel(places);
  const buttons = {
    card: itemButton('book', said('Open the Model Card')),
    remove: itemButton('trash', said('Remove This Download')),
  };
  const keyOf = ({ choice, action }: ModelItem): string | undefined => choice?.uri.toString() ?? action;
  /** What is active without the person having moved there. */
  let untouched: string | undefined;
  const show = (choices: readonly ModelChoice[]): void => {
    const [active] = picker.activeItems;
    const moved = active === undefined || keyOf(active) === untouched ? undefined : keyOf(active);
    const items = modelItems(choices, { current, wanted, buttons, hasHub: hub !== undefined });
    picker.keepScrollPosition = true;
    picker.items = items;
    const used = items.find(({ choice }) => choice !== undefined && isInUse(choice, current));
    const first =
      items.find((item) => moved !== undefined && keyOf(item) === moved) ??
      used ??
      items.find(({ choice }) => choice !== undefined);
    if (first !== undefined) picker.activeItems = [first];
    if (moved === undefined) untouched = first && keyOf(first);
  };
  const chosen = new Promise<Picked | undefined>((resolve) => {
    picker.onDidAccept(() => {
      const [item] = picker.selectedItems;
      resolve(item && { item, isUnwanted: false });
      picker.hide();
    });
    picker.onDidTriggerItemButton(({ item, button }) => {
      if (button === buttons.remove) {
        resolve({ item, isUnwanted: true });
        picker.hide();
      } else if (item.choice !== undefined)
        void vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.joinPath(item.choice.uri, 'README.md'));
    });
    picker.onDidHide(() => resolve(undefined));
  });
  picker.show();
  void (async () => {
    const bundled = await bundledChoices(places);
    const downloaded = await downloadedChoices((await hub?.list()) ?? [], places, wanted);
    const lately = withoutThose(await recentChoices(places, recent, wanted), downloaded);
    show([...bundled, ...downloaded, ...lately]);
    const inWorkspace = withoutThose(await workspaceChoices(places, wanted), downloaded);
    show([...bundled, ...inWorkspace, ...downloaded, ...withoutThose(lately, inWorkspace)]);
    picker.busy = false;
  })();
  const picked = await chosen;
  picker.dispose();
  return picked;
}

function withoutThose(choices: readonly ModelChoice[], known: readonly ModelChoice[]): readonly ModelChoice[] {
  const addresses = new Set(known.map(({ uri }) => uri.toString()));
  return choices.filter(({ uri }) => !addresses.has(uri.toString()));
}

function isInUse({ uri, numVariants }: ModelChoice, current: vscode.Uri | undefined): boolean {
  return (
    current !== undefined &&
    (uri.toString() === current.toString() || (numVariants > 1 && current.toString().startsWith(`${uri.toString()}/`)))
  );
}

/** What is known beside the models that are listed. */
interface Listing {
  readonly current: vscode.Uri | undefined;
  readonly wanted: Reads | undefined;
  readonly buttons: { readonly card: vscode.QuickInputButton; readonly remove: vscode.QuickInputButton };
  readonly hasHub: boolean;
}

function modelItems(choices: readonly ModelChoice[], listing: Listing): ModelItem[] {
  const { wanted } = listing;
  const fitting = choices.filter(({ reads }) => wanted === undefined || fits(reads, wanted));
  const group = (name: ModelChoice['group'], label: PlainText): ModelItem[] => {
    const items = fitting.filter((choice) => choice.group === name).map((choice) => modelItem(choice, listing));
    return items.length === 0 ? [] : [separator(labelText(label)), ...items];
  };
  return [
    ...group('bundled', said('bundled')),
    ...(vscode.workspace.isTrusted
      ? group('workspace', said('in this workspace'))
      : [
          separator(labelText(said('in this workspace'))),
          {
            label: iconLabel('shield', said('Trust This Workspace to Use Its Models')),
            action: 'trust',
          } satisfies ModelItem,
        ]),
    ...group('downloaded', said('from the hub')),
    ...group('recent', said('recent')),
    separator(labelText(said('elsewhere'))),
    ...(listing.hasHub
      ? [{ label: iconLabel('cloud-download', said('From the Hugging Face Hub …')), action: 'hub' } satisfies ModelItem]
      : []),
    { label: iconLabel('folder-opened', said('Browse for a File …')), action: 'browseFile' },
    { label: iconLabel('folder-opened', said('Browse for a Folder …')), action: 'browseFolder' },
  ];
}

/** Whether a model may read what is wanted. Of one that is not known to read pictures, a text can be tried with a tokenizer of one's own. */
function fits(reads: Reads | undefined, wanted: Reads): boolean {
  return wanted === 'image' ? reads === 'image' : reads !== 'image';
}

function iconOf({ group, download, uri }: ModelChoice): string {
  if (group === 'bundled') return 'package';
  if (download !== undefined)
    return download.isComplete ? 'cloud' : download.isUnderWay ? 'cloud-download' : 'debug-pause';
  return /\.onnx$/i.test(uri.path) ? 'file' : 'folder';
}

function modelItem(choice: ModelChoice, { current, buttons }: Listing): ModelItem {
  const { group, title, detail, reads, numVariants, download } = choice;
  const facts: LabelText[] = [
    ...(reads === undefined ? [] : [labelText(reads === 'text' ? said('reads text') : said('reads images'))]),
    ...(numVariants > 1 ? [labelText(said('{0} model files', numVariants))] : []),
    ...(download === undefined ? [] : [labelText(progressOf(download))]),
    ...(isInUse(choice, current) ? [iconLabel('check', said('in use'))] : []),
  ];
  return {
    label: iconLabel(iconOf(choice), plain(title)),
    description: joinLabels(facts),
    detail: labelText(plain(detail)),
    choice,
    ...(group === 'bundled' ? { buttons: [buttons.card] } : {}),
    ...(download === undefined ? {} : { buttons: [buttons.remove] }),
  };
}

/** How large a download is, or how much of it is there. */
function progressOf({ isComplete, isUnderWay, presentBytes, totalBytes }: ListedDownload): PlainText {
  if (isComplete) return fileSize(totalBytes);
  return isUnderWay
    ? said('being downloaded: {0} of {1} are here', fileSize(presentBytes), fileSize(totalBytes))
    : said('paused: {0} of {1} are here; choose it to go on', fileSize(presentBytes), fileSize(totalBytes));
}

function browse(kind: 'file' | 'folder'): Promise<vscode.Uri | undefined> {
  return askForFile({
    title: said('Select Model'),
    button: said('Use This Model'),
    kind: kind === 'file' ? { name: said('ONNX models'), extensions: ['onnx'] } : undefined,
  });
}
