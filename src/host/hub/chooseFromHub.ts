import type * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { iconLabel, joinLabels, labelText, plain } from '../../base/safeText';
import type { HubDownload, HubModel, HubRepository } from '../../hub/hub';
import { isRepositoryName } from '../../hub/hubAnswers';
import { neededFiles } from '../../hub/neededFiles';
import { modelVariants } from '../../model/modelVariants';
import { pickVariant } from '../commands/chooseVariant';
import { errorSentence } from '../localize';
import { showWaiting } from '../run/showProgress';
import { createList, separator, type ListItem } from '../say/lists';
import { said } from '../say/said';
import type { HubModels } from './hubModels';

interface FoundItem extends ListItem {
  /** The repository that it stands for. */
  readonly name?: string;
  readonly action?: 'again' | 'token';
}

/** How long nothing is written before the hub is searched. */
const searchMilliseconds = 300;

/** Lets the person search the hub, choose a model and one of its files, and downloads it; resolves to the file, or undefined where it did not come. */
export async function chooseFromHub(models: HubModels): Promise<vscode.Uri | undefined> {
  try {
    const name = await chooseRepository(models);
    const repository = name === undefined ? undefined : await read(models, name);
    const wanted = repository && (await chooseFile(repository));
    return wanted && (await models.download(wanted));
  } catch (error) {
    models.tell(error);
    return undefined;
  }
}

/** A repository, which can be waited for in vain. */
async function read(models: HubModels, name: string): Promise<HubRepository | undefined> {
  const ended = new AbortController();
  const work = models.ask((hub) => hub.repository(name, ended.signal));
  const waiting = showWaiting(said('Asking the hub for {0}', name), work, () => ended.abort());
  try {
    return await work;
  } finally {
    waiting.dispose();
  }
}

/** Lets the person search as they write; the name of a repository that is written in full is offered, too. */
async function chooseRepository(models: HubModels): Promise<string | undefined> {
  const list = createList<FoundItem>({
    title: said('Models from the Hugging Face Hub'),
    placeholder: said('Search models that have ONNX files, or write owner/name'),
  });
  let asked = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const search = async (text: string): Promise<void> => {
    asked.abort();
    const { signal } = (asked = new AbortController());
    list.busy = true;
    const items = await itemsFor(models, text, signal);
    if (signal.aborted) return;
    list.items = items;
    list.busy = false;
  };
  const chosen = new Promise<FoundItem | undefined>((resolve) => {
    list.onDidChangeValue((value) => {
      clearTimeout(timer);
      timer = setTimeout(() => void search(value.trim()), searchMilliseconds);
    });
    list.onDidAccept(() => {
      const [item] = list.selectedItems;
      if (item?.action === 'again') return void search(list.value.trim());
      resolve(item);
      list.hide();
    });
    list.onDidHide(() => resolve(undefined));
  });
  list.show();
  void search('');
  const item = await chosen;
  clearTimeout(timer);
  asked.abort();
  list.dispose();
  if (item?.action !== 'token') return item?.name;
  await models.askForToken(said('For models that are not for everyone; empty forgets the one that is kept'));
  return chooseRepository(models);
}

async function itemsFor(models: HubModels, text: string, signal: AbortSignal): Promise<FoundItem[]> {
  const last = [
    separator(labelText(plain(''))),
    { ...shown(iconLabel('key', said('Access Token…'))), action: 'token' },
  ] as const;
  try {
    const found = (await models.ask((hub) => hub.search(text, signal))) ?? [];
    const written = isRepositoryName(text) && !found.some(({ name }) => name === text) ? [text] : [];
    return [
      ...written.map((name) => ({ ...shown(iconLabel('repo', plain(name))), name })),
      ...found.map(foundItem),
      ...last,
    ];
  } catch (error) {
    if (signal.aborted) return [];
    const again: FoundItem = {
      ...shown(iconLabel('refresh', said('Try Again'))),
      detail: labelText(errorSentence(ExplorerError.from(error))),
      action: 'again',
    };
    return [again, ...last];
  }
}

/** The hub has searched: what it found is shown, whatever was written. */
function shown(label: ListItem['label']): Pick<FoundItem, 'label' | 'alwaysShow'> {
  return { label, alwaysShow: true };
}

function foundItem({ name, task, downloads, isGated }: HubModel): FoundItem {
  const facts = [
    ...(task === undefined ? [] : [labelText(plain(task))]),
    labelText(said('{0} downloads', downloads)),
    ...(isGated ? [iconLabel('lock', said('asks for its conditions to be accepted'))] : []),
  ];
  return { ...shown(iconLabel('repo', plain(name))), description: joinLabels(facts), name };
}

/** Lets the person choose among the models of a repository, each with the size of all that it needs. Throws `hubNoModel`. */
async function chooseFile(repository: HubRepository): Promise<HubDownload | undefined> {
  const variants = modelVariants(repository.files.map(({ path, size }) => ({ name: path, size }))).map((variant) => ({
    ...variant,
    bytes: neededFiles(variant, repository.files).reduce((sum, { size }) => sum + size, 0),
  }));
  if (variants.length === 0) throw new ExplorerError('hubNoModel', [repository.name]);
  const chosen = await pickVariant(plain(repository.name), variants);
  return chosen && { ...repository, files: neededFiles(chosen, repository.files), model: chosen.name };
}
