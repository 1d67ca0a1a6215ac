import * as vscode from 'vscode';
import { ExplorerError, isCancelled } from '../../base/errors';
import { failureEntry } from '../../base/logText';
import { plain, type PlainText } from '../../base/safeText';
import type { Downloads, Hub, HubAccess, HubDownload, HubRepository, KeptDownload } from '../../hub/hub';
import { fileSize } from '../commands/chooseVariant';
import { errorSentence } from '../localize';
import type { ListedDownload } from '../model/modelChoices';
import { parseModelPath } from '../model/modelPath';
import { barredPaths } from '../model/untrustedFolders';
import { readSettings } from '../readSettings';
import { askForText } from '../say/dialogs';
import type { Log } from '../say/log';
import { confirm, showChoice, showError, showProgressOf } from '../say/notifications';
import { said } from '../say/said';

/** What models from the hub need of the window. */
export interface HubModelsDependencies {
  readonly access: HubAccess;
  readonly secrets: vscode.SecretStorage;
  /** The extension's own folder. */
  readonly storageUri: vscode.Uri;
  /** The folder that `~` stands for. */
  readonly homePath: string | undefined;
  readonly log: Log;
}

/** The models that were downloaded from the hub, and how more of them come. Asks the network for nothing but what someone has just asked for. */
export class HubModels implements vscode.Disposable {
  readonly #deps: HubModelsDependencies;
  readonly #ended = new AbortController();
  readonly #underWay = new Set<string>();

  constructor(deps: HubModelsDependencies) {
    this.#deps = deps;
  }

  /** Pauses what is under way. */
  dispose(): void {
    this.#ended.abort();
  }

  /** What was downloaded, or begun; nothing where that cannot be told. */
  async list(): Promise<readonly ListedDownload[]> {
    try {
      const kept = await this.#downloads.list();
      return kept.map((download) => ({ ...download, isUnderWay: this.#underWay.has(keyOf(download)) }));
    } catch (error) {
      this.#logged(error);
      return [];
    }
  }

  /** Does something with the hub; whoever is not known there is asked for a token. Resolves to undefined where none is given. */
  async ask<T>(work: (hub: Hub) => Promise<T>): Promise<T | undefined> {
    const { access } = this.#deps;
    const address = access.checkedAddress(readSettings().hubAddress);
    for (;;) {
      try {
        return await work(access.connect({ address, token: await this.#token(address) }));
      } catch (error) {
        if (!(error instanceof ExplorerError) || error.code !== 'hubTokenNeeded') throw error;
        if (!(await this.askForToken(tokenPrompt(String(error.args[0]))))) return undefined;
      }
    }
  }

  /** Asks for a token of the person's; nothing takes away the one that is there. Resolves to whether it was changed. */
  async askForToken(prompt: PlainText): Promise<boolean> {
    const address = this.#deps.access.checkedAddress(readSettings().hubAddress);
    const written = await askForText({
      title: said('Access Token'),
      prompt,
      placeholder: plain('hf_…'),
      value: '',
      isSecret: true,
      check: (text) =>
        text === '' || /^hf_\w+$/.test(text.trim())
          ? undefined
          : said('A token begins with hf_, and is made in the settings of your account there.'),
    });
    if (written === undefined) return false;
    if (written.trim() === '') await this.#deps.secrets.delete(secretOf(address));
    else await this.#deps.secrets.store(secretOf(address), written.trim());
    return true;
  }

  /** Downloads what is missing, as long as the person wants to go on; resolves to the model's file, or undefined where it is paused or failed. */
  async download(wanted: HubDownload): Promise<vscode.Uri | undefined> {
    for (;;) {
      const outcome = await this.#attempt(wanted);
      if (outcome instanceof vscode.Uri) return outcome;
      if (this.#ended.signal.aborted || !(await this.#wantsToGoOn(wanted, outcome))) return undefined;
    }
  }

  /** Removes a download once the person has confirmed it. */
  async remove(download: KeptDownload): Promise<void> {
    const isWanted = await confirm(
      said('Remove {0} ({1}) from this machine?', nameOf(download), fileSize(download.presentBytes)),
      said('Remove'),
    );
    if (!isWanted) return;
    try {
      await this.#downloads.remove(download);
    } catch (error) {
      this.tell(error);
    }
  }

  /** Tells of a failure, unless the person has ended it. */
  tell(error: unknown): void {
    if (!isCancelled(error)) void showError(errorSentence(this.#logged(error)), []);
  }

  /** Throws `invalidArgument` where the setting names no folder of this machine. */
  get #downloads(): Downloads {
    const { access, storageUri, homePath } = this.#deps;
    const { hubFolder } = readSettings();
    const barred = barredPaths();
    if (hubFolder === '') return access.downloadsIn(vscode.Uri.joinPath(storageUri, 'models').fsPath, barred);
    const folder = parseModelPath(hubFolder, homePath);
    if (folder.kind !== 'absolute')
      throw new ExplorerError('invalidArgument', ['attentionExplorer.hubFolder', 'it is no whole path of a folder']);
    return access.downloadsIn(folder.path, barred);
  }

  async #token(address: string): Promise<string | undefined> {
    return this.#deps.secrets.get(secretOf(address));
  }

  async #attempt(wanted: HubDownload): Promise<vscode.Uri | ExplorerError> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    this.#ended.signal.addEventListener('abort', end);
    const isFirst = !this.#underWay.has(keyOf(wanted));
    this.#underWay.add(keyOf(wanted));
    try {
      const { address } = wanted;
      const token = await this.#token(address);
      // What was begun goes on where it was begun, with the token for that place alone.
      const hub = this.#deps.access.connect({ address: this.#deps.access.checkedAddress(address), token });
      return vscode.Uri.file(await this.#withProgress(wanted, hub, ended));
    } catch (error) {
      return ended.signal.aborted ? new ExplorerError('cancelled') : this.#logged(error);
    } finally {
      if (isFirst) this.#underWay.delete(keyOf(wanted));
      this.#ended.signal.removeEventListener('abort', end);
    }
  }

  #withProgress(wanted: HubDownload, hub: Hub, ended: AbortController): Promise<string> {
    const total = wanted.files.reduce((sum, { size }) => sum + size, 0);
    return new Promise((resolve, reject) => {
      showProgressOf(said('Downloading {0} (cancelling pauses it)', nameOf(wanted)), async (tell, token) => {
        const cancelling = token.onCancellationRequested(() => ended.abort());
        let told = 0;
        let shown = '';
        const report = (present: number): void => {
          const percent = total === 0 ? 100 : Math.floor((present / total) * 100);
          const step = said('{0} of {1}', fileSize(present), fileSize(total));
          if (step === shown) return;
          tell({ step, percent, increment: Math.max(0, percent - told) });
          [shown, told] = [step, Math.max(told, percent)];
        };
        try {
          resolve(await this.#downloads.download(wanted, hub.opener(wanted), { signal: ended.signal, report }));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        } finally {
          cancelling.dispose();
        }
      });
    });
  }

  /** What the person says to a download that did not come to its end. */
  async #wantsToGoOn(wanted: HubDownload, error: ExplorerError): Promise<boolean> {
    const [resume, token, page] = [said('Resume'), said('Access Token…'), said('Open Its Page')];
    const sentence = errorSentence(error);
    if (error.code === 'cancelled')
      return (
        (await showChoice(
          said(
            'The download of {0} is paused: it goes on from there, also later, with "Select Model".',
            nameOf(wanted),
          ),
          [resume],
        )) === resume
      );
    if (error.code === 'hubTokenNeeded') return this.askForToken(tokenPrompt(wanted.name));
    const chosen = await showError(sentence, error.code === 'hubNotAllowed' ? [page, token] : [resume]);
    if (chosen === page) await vscode.env.openExternal(vscode.Uri.parse(`${wanted.address}/${wanted.name}`, true));
    return chosen === resume || (chosen === token && this.askForToken(tokenPrompt(wanted.name)));
  }

  #logged(error: unknown): ExplorerError {
    const known = ExplorerError.from(error);
    this.#deps.log.warn(failureEntry(known, 'Hub: '));
    return known;
  }
}

function tokenPrompt(name: string): PlainText {
  return said(
    'The hub gives {0} only to those whom it knows: a token is made in the settings of your account there',
    name,
  );
}

/** A download's name in a sentence. */
function nameOf({ name, model }: Pick<HubRepository, 'name'> & Pick<HubDownload, 'model'>): PlainText {
  return plain(`${name} (${model})`);
}

function keyOf({ name, revision, model }: HubDownload): string {
  return `${name}@${revision}/${model}`;
}

/** A token is for one hub: a mirror that is set later does not get it. */
function secretOf(address: string): string {
  return `hubToken:${address}`;
}
