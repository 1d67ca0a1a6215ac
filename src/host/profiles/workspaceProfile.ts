import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled } from '../../base/errors';
import { entry, entryOf, failureEntry } from '../../base/logText';
import { iconLabel, joinPlain, labelText, plain, type PlainText } from '../../base/safeText';
import type { RunInfo } from '../../model/modelInfo';
import { mostBytes } from '../../model/profile/leftOut';
import type { EngineEvents } from '../../protocol';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import { EngineHandle } from '../engine/engineHandle';
import type { EngineLauncher } from '../engine/engineLauncher';
import { everySecond } from '../engine/engineWatch';
import type { HostFiles } from '../engine/hostFiles';
import { commands } from '../commands/commandIds';
import { panelError } from '../localize';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import { reportFailure } from '../run/reportFailure';
import { askForText } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import type { Log } from '../say/log';
import { showChoice, showInformation } from '../say/notifications';
import { said } from '../say/said';
import { StatusItem } from '../say/statusItem';
import type { ViewStore } from '../view/viewStore';
import { countedFiles, countedTokens } from './countedWords';
import { findTexts, type FoundText, type WantedFiles } from './findTexts';
import type { HeadProfiles } from './headProfiles';
import { keepFiles, type WriteFolder } from './keepFiles';
import { keptName } from './keptName';
import { ProfilePace, type ProfileBudget } from './profilePace';

/** What profiling needs of the window. */
interface WorkspaceProfileDependencies {
  readonly store: ViewStore;
  readonly supervisor: Pick<EngineSupervisor, 'state' | 'onDidChangeState'>;
  readonly launcher: EngineLauncher;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly profiles: HeadProfiles;
  readonly memory: vscode.Memento;
  readonly log: Log;
  readonly showHeads: () => void;
  /** Undefined where the window has no files of its own. */
  readonly writeFolder: WriteFolder | undefined;
}

/** What is asked before it begins. */
interface Wanted extends WantedFiles {
  readonly budget: ProfileBudget;
}

/** More are not looked for. */
const maxFiles = 20_000;
const maxGlob = 1000;
/** Files that were left out are logged up to so many. */
const mostListed = 500;
/** How far it is within a file is told of one with so many bytes. */
const largeFile = 50_000;
const key = 'profileWorkspace';

/** One profile of the window's workspace at a time, in an engine of its own that gives way to everything else. */
export class WorkspaceProfile implements Disposable {
  readonly #deps: WorkspaceProfileDependencies;
  #work: Work | undefined;

  constructor(deps: WorkspaceProfileDependencies) {
    this.#deps = deps;
  }

  dispose(): void {
    this.#work?.dispose();
  }

  /** Begins, or asks what is to become of the one under way. Throws `nothingToProfile`, what {@link checkProfiled} throws, and what a model that cannot be found throws. */
  async begin(): Promise<void> {
    if (this.#work !== undefined) return this.#ask(this.#work);
    const model = this.#locate();
    const wanted = await askWhat(this.#deps.memory);
    // The command is done when it has begun.
    if (wanted !== undefined && this.#work === undefined) void this.#start(model, wanted);
  }

  /** Profiles what is wanted, without asking; resolves when that is done, to what was told. Throws what {@link begin} throws. */
  profile(wanted: Wanted): Promise<ExplorerError | PlainText | undefined> {
    return this.#start(this.#locate(), wanted);
  }

  #locate(): ModelLocation {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    if (folder === undefined) throw new ExplorerError('nothingToProfile', [said('no folder is open')]);
    const { store, places } = this.#deps;
    if (store.run !== undefined) checkProfiled(store.run.info);
    const resource = store.run?.text.uri ?? folder.uri;
    return store.run?.model ?? locateModel(readSettings(resource), places, resource);
  }

  async #start(model: ModelLocation, wanted: Wanted): Promise<ExplorerError | PlainText | undefined> {
    const work = new Work(this.#deps, model, wanted);
    this.#work = work;
    try {
      return await work.run();
    } finally {
      work.dispose();
      if (this.#work === work) this.#work = undefined;
    }
  }

  async #ask(work: Work): Promise<void> {
    const item = (label: PlainText, act: () => void): ListItem & { readonly act: () => void } => ({
      label: labelText(label),
      act,
    });
    const chosen = await chooseOf(
      [
        work.isPaused ? item(said('Go On'), () => work.pause(false)) : item(said('Pause'), () => work.pause(true)),
        item(said('Stop, and Keep What Is There'), () => work.stop()),
        item(said('Cancel'), () => work.cancel()),
      ],
      { title: joinPlain([said('Profile Heads on Workspace'), work.told()], ' · ') },
    );
    chosen?.act();
  }
}

/** Throws `noProfile` and `modelReadsImages` where a run shows that its model is none whose heads are profiled over texts: before anything is asked. */
function checkProfiled({ model, streams }: RunInfo): void {
  if (streams.some(({ role }) => role === 'target')) throw new ExplorerError('noProfile', [model.name]);
  if (streams.every(({ role }) => role === 'image')) throw new ExplorerError('modelReadsImages', [model.name]);
}

/** Asks which files, and how much; what was written last stands there already. */
async function askWhat(memory: vscode.Memento): Promise<Wanted | undefined> {
  const former = memory.get<unknown>(key);
  const last = (name: 'include' | 'exclude', otherwise: string): string => {
    const value: unknown = typeof former === 'object' && former !== null ? Reflect.get(former, name) : undefined;
    return typeof value === 'string' ? value : otherwise;
  };
  const title = said('Profile Heads on Workspace');
  const check = (text: string): PlainText | undefined =>
    text.length > maxGlob ? said('At most {0} characters.', maxGlob) : undefined;
  const include = await askForText({
    title,
    prompt: said('Files to read: globs with commas between. What .gitignore leaves out is not read.'),
    placeholder: plain('**/*.ts, **/*.py'),
    value: last('include', '**/*'),
    check: (text) => (text.trim() === '' ? said('Write which files are to be read.') : check(text)),
  });
  if (include === undefined) return undefined;
  const exclude = await askForText({
    title,
    prompt: said('Files to leave out beside those: globs with commas between, or nothing'),
    placeholder: plain('**/test/**'),
    value: last('exclude', '**/node_modules/**'),
    check,
  });
  if (exclude === undefined) return undefined;
  const item = (label: PlainText, budget: ProfileBudget): ListItem & { readonly budget: ProfileBudget } => ({
    label: labelText(label),
    budget,
  });
  const chosen = await chooseOf(
    [
      item(said('At most {0} minutes', 5), { minutes: 5 }),
      item(said('At most {0} minutes', 60), { minutes: 60 }),
      item(said('At most {0} tokens', 20_000), { tokens: 20_000 }),
      item(said('At most {0} tokens', 200_000), { tokens: 200_000 }),
      item(said('All files'), {}),
    ],
    { title, placeholder: said('How much is to be read? A file within which that is spent does not count.') },
  );
  if (chosen === undefined) return undefined;
  await memory.update(key, { include, exclude });
  return { include, exclude, most: maxFiles, budget: chosen.budget };
}

/** A profile that is being made. */
class Work implements Disposable {
  readonly #deps: WorkspaceProfileDependencies;
  readonly #model: ModelLocation;
  readonly #wanted: Wanted;
  readonly #item = new StatusItem(
    'attentionExplorer.profile',
    'Attention Explorer: Profile',
    commands.profileWorkspace,
  );
  readonly #ended = new AbortController();
  /** Ends the text that is being read, which then counts nothing and is read again. */
  #reading = new AbortController();
  #engine: EngineHandle | undefined;
  #pace: ProfilePace | undefined;
  #numFiles = 0;
  /** Whether the search found all files that are wanted. */
  #isAll = true;
  /** The file that is being read. */
  #file = { path: '', started: 0, size: 0, fraction: 0 };
  #numLeftOut = 0;
  /** The file within which the budget was spent. */
  #cut: string | undefined;
  #isStopped = false;
  #isPaused = false;
  #onGoOn: () => void = () => {};

  constructor(deps: WorkspaceProfileDependencies, model: ModelLocation, wanted: Wanted) {
    this.#deps = deps;
    this.#model = model;
    this.#wanted = wanted;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) this.#reading.abort();
    else this.#onGoOn();
    this.#show();
  }

  /** Keeps what is there. */
  stop(): void {
    this.#isStopped = true;
    this.#reading.abort();
    this.#onGoOn();
  }

  cancel(): void {
    this.#ended.abort();
    this.#reading.abort();
    this.#onGoOn();
  }

  dispose(): void {
    this.cancel();
    this.#item.dispose();
    this.#engine?.dispose();
  }

  /** How far it is, in a few words. */
  told(): PlainText {
    const pace = this.#pace;
    if (pace === undefined) return said('looking for files');
    const left = pace.secondsLeft;
    return joinPlain(
      [
        this.#numFiles === 1
          ? said('{0} of 1 file', pace.numTexts)
          : said('{0} of {1} files', pace.numTexts, this.#numFiles),
        // A small file is read before anyone has read this.
        ...(this.#file.size >= largeFile ? [said('{0} % of the next', Math.floor(100 * this.#file.fraction))] : []),
        ...(pace.tokensPerSecond > 0 ? [said('{0} tokens/s', Math.round(pace.tokensPerSecond))] : []),
        ...(this.#isPaused
          ? [said('paused')]
          : left === undefined
            ? []
            : [left < 90 ? said('about {0} s', Math.ceil(left)) : said('about {0} min', Math.ceil(left / 60))]),
      ],
      ' · ',
    );
  }

  #show(): void {
    this.#item.show({
      label: iconLabel(this.#isPaused ? 'debug-pause' : 'graph', this.told()),
      tooltip: said('Heads of {0} are profiled on this workspace; click to pause, stop or cancel', this.#name),
      isWarning: false,
    });
  }

  get #name(): PlainText {
    return plain(documentName(this.#model.uri));
  }

  /** Resolves to what was told: what came of it, or why it failed; undefined where it was cancelled. */
  async run(): Promise<ExplorerError | PlainText | undefined> {
    const { log, profiles } = this.#deps;
    try {
      this.#show();
      const engine = this.#start();
      // A model that may not be read, or is not there, is told of before files are looked for.
      await engine.remote.modelHash(this.#model.spec, this.#ended.signal);
      const { found, isAll } = await findTexts(this.#wanted);
      this.#isAll = isAll;
      if (found.length === 0) throw new ExplorerError('nothingToProfile', [said('no file is left')]);
      this.#numFiles = found.length;
      this.#pace = new ProfilePace(
        found.reduce((sum, { size }) => sum + Math.min(size, mostBytes), 0),
        this.#wanted.budget,
      );
      for (const each of found) {
        this.#show();
        await this.#take(engine, each);
        if (this.#isStopped || this.#pace.isSpent) break;
      }
      this.#ended.signal.throwIfAborted();
      if (this.#pace.numTokens === 0) throw new ExplorerError('nothingToProfile', [this.#whyNothing()]);
      const folder = await this.#keep(engine);
      log.info(
        entry`Profiled: files ${this.#pace.numTexts - this.#numLeftOut}, left out ${this.#numLeftOut}, tokens ${this.#pace.numTokens}.`,
      );
      await profiles.choose(this.#model, folder);
      return this.#offer();
    } catch (error) {
      const failure = ExplorerError.from(error);
      if (this.#ended.signal.aborted || isCancelled(failure)) return undefined;
      log.error(failureEntry(failure));
      reportFailure(panelError(failure), false);
      return failure;
    }
  }

  #start(): EngineHandle {
    const { launcher, files, log } = this.#deps;
    files.allowModel(this.#model.uri, this.#model.tokenizerUri);
    const { backend } = this.#model.spec;
    const engine = new EngineHandle(launcher.launch(), { backend, threads: 1 }, everySecond);
    this.#engine = engine;
    engine.setBackground(true);
    engine.on('log', ({ level, message }) => log[level](entryOf('Profile: ', message)));
    engine.on('profiling', (read) => this.#onRead(read));
    void engine.exited.then(() => this.#reading.abort());
    return engine;
  }

  /** Reads one text; what was interrupted is read again. */
  async #take(engine: EngineHandle, { uri, path, size }: FoundText): Promise<void> {
    const language = /\.([^./]+)$/.exec(path)?.[1] ?? '';
    let bytes: Uint8Array = new Uint8Array(0);
    let leftOut: 'unreadable' | 'tooLarge' | undefined = size > mostBytes ? 'tooLarge' : undefined;
    try {
      if (leftOut === undefined) bytes = await readFileAtMost(uri, 'text', path);
    } catch {
      leftOut = 'unreadable';
    }
    for (;;) {
      await this.#untilFree();
      this.#ended.signal.throwIfAborted();
      if (this.#isStopped) return;
      this.#reading = new AbortController();
      const started = performance.now();
      this.#file = { path, started, size, fraction: 0 };
      try {
        const { status, numTokens } = await engine.remote.profileText(
          {
            ...{ profile: 1, model: { ...this.#model.spec, threads: 1 }, length: 0, leftOut },
            text: { file: path, language, bytes },
          },
          this.#reading.signal,
        );
        this.#pace?.add(Math.min(size, mostBytes), numTokens, (performance.now() - started) / 1000);
        if (status !== 'read' && ++this.#numLeftOut <= mostListed)
          this.#deps.log.info(entry`Profile: ${path} was left out: ${status}`);
        return;
      } catch (error) {
        if (!engine.isAlive) throw new ExplorerError('engineStopped', [(await engine.exited).reason], { cause: error });
        if (!this.#reading.signal.aborted) throw error;
        if (this.#cut !== undefined) return;
        this.#pace?.within(0, 0, 0);
      }
    }
  }

  /** Tells how far it is within a file. */
  #onRead({ fraction, numTokens }: EngineEvents['profiling']): void {
    const { path, started, size } = this.#file;
    // What comes after it was paused belongs to what is read again.
    if (this.#reading.signal.aborted) return;
    this.#file.fraction = fraction;
    this.#pace?.within(fraction * Math.min(size, mostBytes), numTokens, (performance.now() - started) / 1000);
    this.#show();
    if (fraction === 1 || this.#pace?.isSpent !== true) return;
    // A text counts whole or not at all.
    this.#cut = path;
    this.#reading.abort();
  }

  /** Waits while it is paused, and while the person's own run is under way. */
  async #untilFree(): Promise<void> {
    const { supervisor } = this.#deps;
    const isFree = (): boolean => !this.#isPaused && supervisor.state.kind !== 'running';
    if (isFree() || this.#ended.signal.aborted || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const listening = supervisor.onDidChangeState(() => end());
      const end = (): void => {
        if (!isFree() && !this.#ended.signal.aborted && !this.#isStopped) return;
        listening.dispose();
        this.#onGoOn = () => {};
        resolve();
      };
      this.#onGoOn = end;
    });
  }

  #whyNothing(): PlainText {
    return this.#cut === undefined
      ? said('none of the files is a text that can be read')
      : said('the budget was spent within {0}, and no other file was read; choose more, or leave it out', this.#cut);
  }

  /** Keeps the profile among the extension's own files. */
  async #keep(engine: EngineHandle): Promise<vscode.Uri> {
    const { storageUri } = this.#deps.profiles;
    if (storageUri === undefined) throw new ExplorerError('nothingToProfile', [said('there is nowhere to keep it')]);
    const { files, model } = await engine.remote.profileFiles({ profile: 1 });
    return keepFiles({ place: storageUri, name: keptName(model, new Date()), files }, this.#deps.writeFolder);
  }

  #offer(): PlainText {
    const { numTexts = 0, numTokens = 0 } = this.#pace ?? {};
    const numRead = numTexts - this.#numLeftOut;
    const done = joinPlain(
      [
        said('The heads were profiled on {0}, {1}.', countedFiles(numRead), countedTokens(numTokens)),
        ...(this.#cut === undefined ? [] : [said('The budget was spent within {0}, which does not count.', this.#cut)]),
        ...(this.#isAll
          ? []
          : [
              said(
                'The search ended at {0}, those that .gitignore leaves out among them; narrower globs find the others.',
                countedFiles(this.#wanted.most),
              ),
            ]),
        ...(this.#numLeftOut === 0 ? [] : [said('Left out, as the log lists: {0}.', countedFiles(this.#numLeftOut))]),
      ],
      ' ',
    );
    if (this.#deps.store.run === undefined) {
      showInformation(done);
      return done;
    }
    const show = said('Show Heads');
    void showChoice(done, [show]).then((chosen) => {
      if (chosen === show) this.#deps.showHeads();
    });
    return done;
  }
}
