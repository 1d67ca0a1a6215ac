import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import { ExplorerError } from '../../base/errors';
import { Emitter } from '../../base/event';
import { plain, type PlainText } from '../../base/safeText';
import type { Component } from '../../model/head';
import { headNames, type HeadName } from '../../model/profile/headNames';
import { profileFileNames, type HeadProfile } from '../../model/profile/headProfile';
import { fitsHeads, profileColumns } from '../../model/profile/profileColumns';
import type { PanelProfile } from '../../model/profile/panelProfile';
import { bundledModelsUri } from '../model/bundledModels';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { said } from '../say/said';
import { countedChunks, countedTexts, countedTokens } from './countedWords';

/** A profile that was read. */
export interface ReadProfile {
  readonly folder: vscode.Uri;
  readonly profile: HeadProfile;
  readonly names: readonly HeadName[];
}

/** What profiles need of the window. */
export interface HeadProfilesDependencies {
  readonly places: ModelPlaces;
  readonly memory: vscode.Memento;
  /** Where profiles that were made here are kept; undefined where nothing can be. */
  readonly storageUri: vscode.Uri | undefined;
}

/** Nobody wants names of this model's heads. */
const none = 'none';
/** Profiles that are held at once. */
const maxHeld = 4;

/** The profiles of models: which one is chosen for each, and what they say; nothing is read before someone asks. */
export class HeadProfiles implements Disposable {
  readonly #deps: HeadProfilesDependencies;
  readonly #changed = new Emitter<undefined>();
  readonly onDidChange = this.#changed.event;
  readonly #held = new Map<string, Promise<ReadProfile>>();
  readonly #arrived = new Map<string, ReadProfile>();
  /** Those that were read for heads' names: once, whatever comes of it. */
  readonly #named = new Set<string>();
  /** What tells the files of models from others, by where they lie: read once, and again when another profile is chosen. */
  readonly #hashes = new Map<string, Promise<string>>();
  /** The profile that others are compared with. */
  #other: vscode.Uri | undefined;

  constructor(deps: HeadProfilesDependencies) {
    this.#deps = deps;
  }

  dispose(): void {
    this.#changed.dispose();
  }

  /** The model of a run; undefined of an attention file. */
  modelOf(run: ShownRun): ModelLocation | undefined {
    if (run.info.model.backend === 'file') return undefined;
    const { uri } = run.text;
    return run.model ?? locateModel(readSettings(uri), this.#deps.places, uri);
  }

  /** The folder of the profile that is chosen for a model, or comes with it. */
  folderOf({ uri }: Pick<ModelLocation, 'uri'>): vscode.Uri | undefined {
    const chosen = this.#deps.memory.get<unknown>(this.#keyOf(uri));
    if (chosen === none) return undefined;
    return typeof chosen === 'string' ? vscode.Uri.parse(chosen, true) : this.bundledFolder(uri);
  }

  /** The folder of the profile that ships with a bundled model. */
  bundledFolder(uri: vscode.Uri): vscode.Uri | undefined {
    const name = this.#bundledName(uri);
    return name === undefined
      ? undefined
      : vscode.Uri.joinPath(this.#deps.places.extensionUri, 'media', 'profiles', name);
  }

  /** Where profiles that were made here are kept. */
  get storageUri(): vscode.Uri | undefined {
    return this.#deps.storageUri && vscode.Uri.joinPath(this.#deps.storageUri, 'profiles');
  }

  /** Chooses a profile for a model; undefined: the one that comes with it, `null`: none. */
  async choose({ uri }: Pick<ModelLocation, 'uri'>, folder: vscode.Uri | undefined | null): Promise<void> {
    await this.#deps.memory.update(this.#keyOf(uri), folder === null ? none : folder?.toString());
    if (folder !== undefined && folder !== null) this.forget(folder);
    this.#hashes.clear();
    this.#changed.fire(undefined);
  }

  /** Compares with another profile, or with none. */
  compareWith(folder: vscode.Uri | undefined): void {
    this.#other = folder;
    this.#changed.fire(undefined);
  }

  /** Reads a folder anew when it is wanted next. */
  forget(folder: vscode.Uri): void {
    this.#held.delete(folder.toString());
    this.#arrived.delete(folder.toString());
    this.#named.delete(folder.toString());
  }

  /** The profile that is chosen for the model of a run; undefined where there is none. Throws `profileInvalid`, `profileOfOther` and what reading files throws. */
  async of(run: ShownRun): Promise<ReadProfile | undefined> {
    const model = this.modelOf(run);
    const folder = model && this.folderOf(model);
    if (folder === undefined) return undefined;
    let read: ReadProfile;
    try {
      read = await this.read(run, folder);
    } catch (error) {
      // Not every bundled model has one.
      if (folder.toString() === this.bundledFolder(model?.uri ?? folder)?.toString() && isMissing(error))
        return undefined;
      throw error;
    }
    if (!fitsHeads(read.profile, run.info.components))
      throw new ExplorerError('profileOfOther', [documentName(folder), read.profile.about.model, run.info.model.name]);
    return read;
  }

  /** The names of heads, where they are here: what is not is read meanwhile. */
  namesOf(run: ShownRun): readonly HeadName[] {
    let folder: vscode.Uri | undefined;
    try {
      const model = this.modelOf(run);
      folder = model && this.folderOf(model);
    } catch {
      return []; // that the model is not there is said where it is used
    }
    if (folder === undefined) return [];
    const key = folder.toString();
    const arrived = this.#arrived.get(key);
    if (arrived !== undefined) return fitsHeads(arrived.profile, run.info.components) ? arrived.names : [];
    // Why it cannot be read is said in the view.
    if (!this.#named.has(key)) void this.of(run).catch(() => {});
    this.#named.add(key);
    return [];
  }

  /** Reads a profile, by the engine that holds the run. */
  async read(run: ShownRun, folder: vscode.Uri): Promise<ReadProfile> {
    const key = folder.toString();
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    const reading = this.#read(run, folder);
    this.#held.set(key, reading);
    for (const former of [...this.#held.keys()].slice(0, -maxHeld)) this.forget(vscode.Uri.parse(former, true));
    try {
      const read = await reading;
      this.#arrived.set(key, read);
      return read;
    } catch (error) {
      // What is put right is read again.
      this.#held.delete(key);
      throw error;
    }
  }

  async #read(run: ShownRun, folder: vscode.Uri): Promise<ReadProfile> {
    const name = documentName(folder);
    const files = await Promise.all(
      profileFileNames.map(async (file) => ({
        name: file,
        bytes: await readFileAtMost(vscode.Uri.joinPath(folder, file), 'profile', `${name}/${file}`),
      })),
    );
    const profile = await run.held.readProfile(files, name);
    return { folder, profile, names: headNames(profile.metrics, profile.relations) };
  }

  /** What the panel shows of a component. Throws what {@link of} throws. */
  async shown(run: ShownRun, component: Component): Promise<PanelProfile | null> {
    const own = run.info.components.find((each) => each.component === component);
    const read = own && (await this.of(run));
    if (own === undefined || read === undefined) return null;
    const other = this.#other && (await this.read(run, this.#other));
    const { profile, names } = read;
    const files = new Map(profile.texts.map(({ hash, file }) => [hash, file]));
    return {
      title: profileTitle(read, this.#deps.places),
      about: profileAbout(read),
      warning: (await this.#isOfOtherFiles(run, profile))
        ? said('It was made with other files of the model: these may do otherwise.')
        : undefined,
      columns: profileColumns(profile, own),
      names: names.filter((each) => each.component === component),
      examples: profile.examples
        .filter((each) => each.component === component)
        .map(({ layer, head, metric, rank, value, hash, line, endLine }) => ({
          ...{ layer, head, metric, rank, value, line, endLine },
          file: plain(files.get(hash) ?? hash),
        })),
      other: other && {
        title: plain(`${other.profile.about.model}: ${documentName(other.folder)}`),
        columns: profileColumns(other.profile, own),
      },
    };
  }

  /** Whether a profile was made with other files than those of the run's model, as far as that is known. */
  async #isOfOtherFiles(run: ShownRun, { about }: HeadProfile): Promise<boolean> {
    const model = this.modelOf(run);
    if (model === undefined || about.modelHash === '') return false;
    const { path, tokenizerPath = '' } = model.spec;
    const key = `${path}\n${tokenizerPath}`;
    const hashing = this.#hashes.get(key) ?? run.held.modelHash(model.spec);
    this.#hashes.set(key, hashing);
    try {
      return (await hashing) !== about.modelHash;
    } catch {
      this.#hashes.delete(key);
      return false; // a model that cannot be read is told of where it is run
    }
  }

  #bundledName(uri: vscode.Uri): string | undefined {
    const folder = `${bundledModelsUri(this.#deps.places.extensionUri).toString()}/`;
    return uri.toString().startsWith(folder) ? uri.toString().slice(folder.length).split('/')[0] : undefined;
  }

  /** Bundled models move with each version. */
  #keyOf(uri: vscode.Uri): string {
    return `profile:${this.#bundledName(uri) ?? uri.toString()}`;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof ExplorerError && (error.code === 'fileNotFound' || error.code === 'fileUnreadable');
}

/** What a profile is called. */
function profileTitle({ folder }: ReadProfile, { extensionUri }: ModelPlaces): PlainText {
  return folder.toString().startsWith(extensionUri.toString()) ? said('sample texts') : plain(documentName(folder));
}

/** What a profile is of. */
export function profileAbout({ profile: { about } }: Pick<ReadProfile, 'profile'>): PlainText {
  const { model, numTexts, numChunks, numTokens, length } = about;
  return said(
    '{0}: {1}, {2}, in {3} of at most {4}',
    model,
    countedTexts(numTexts),
    countedTokens(numTokens),
    countedChunks(numChunks),
    countedTokens(length),
  );
}
