import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { checkFree, FolderLock } from '../../base/folderLock.node';
import { folderNotWritten } from '../../base/makeFolder.node';
import type { TerminalText } from '../../base/terminalText';
import { refusals } from '../../engine/profile/profiledTexts';
import { readText } from '../../engine/profile/readText';
import { patternSummer, type PatternSummer } from '../../engine/profile/patternSums';
import { ReusedArrays } from '../../engine/runtime/reusedArrays';
import type { LoadedModel } from '../../engine/serve/loadedModel';
import { modelHash, type Sha256 } from '../../engine/serve/modelHash';
import { grammarOf, type Grammar } from '../../engine/syntax/grammars';
import { CodeParser } from '../../engine/syntax/parseCode';
import { syntaxFilesIn } from '../../engine/syntax/syntaxFiles.node';
import { WeightKernel } from '../../engine/runtime/weightKernel';
import { leftOutOf } from '../../model/profile/leftOut';
import { textKey, type TextRecord } from '../../model/profile/textRecord';
import { commandFiles } from '../commandFiles';
import { commandSentence } from '../commandSentence';
import { guardedLines, guardVariable, tellGuard } from '../guardedLines';
import { placeOf, type ModelOptions } from '../openModel';
import { openTextModel } from '../readWith';
import { writeWhole } from '../writeWhole';
import { checkCorpus, corpusItems, type CorpusItem, type CorpusOptions } from './corpus';
import { recordLine } from './recordLine';
import {
  checkSettings,
  indexResults,
  ResultsWriter,
  resultsPath,
  type FileResult,
  type ProfileSettings,
} from './results';
import { toldOf } from './toldOf';
import { writeProfile } from './writeProfile';

/** What `profile` is asked. */
export interface ProfileOptions extends Omit<ModelOptions, 'head' | 'out'>, CorpusOptions {
  readonly tokenizer: string | undefined;
  /** The folder of the profile; one that is named for the model where it is missing. */
  readonly out: string | undefined;
  /** The most tokens of a chunk; as many as the model reads, at most 1024, where it is missing. */
  readonly length: number | undefined;
  readonly overlapLines: number;
  readonly threads: number;
  /** Whether texts of examples are written too. */
  readonly texts: boolean;
  /** Whether profiles are merged, which `files` are then, in the place of texts. */
  readonly isMerge: boolean;
  /** Whether this is a part of something larger, which may have nothing that can be read. */
  readonly isPart: boolean;
}

/** Chunks that nobody asks to be longer. */
const mostTokens = 1024;

/** Another process that is about to end is waited for so long, in milliseconds. */
const patience = 2000;

/** What each head of a model does over many texts, or profiles of parts of them merged: writes a profile, and tells what it is of. Throws `folderInUse` and `nothingToProfile`. */
export async function profile(options: ProfileOptions): Promise<TerminalText> {
  const { out, isMerge } = options;
  if (isMerge) return mergeProfiles(options);
  await checkCorpus(options);
  const started = performance.now();
  // What may take long comes after what can be said at once.
  let lock = out === undefined ? undefined : await lockOf(out);
  try {
    const model = await openTextModel({ ...options, head: undefined, out: undefined });
    try {
      const folder = out ?? `${model.info.name}.profile`;
      lock ??= await lockOf(folder);
      return await profileInto({ out: folder, model, lock, started }, options);
    } finally {
      await model.release();
    }
  } finally {
    await lock?.release();
  }
}

async function mergeProfiles({ out, files, isJson }: ProfileOptions): Promise<TerminalText> {
  if (out === undefined || files.length === 0)
    throw new ExplorerError('wrongUsage', ['--merge', 'it takes profiles, and --out for what they come to']);
  // What grows meanwhile would not be read as it was found.
  await Promise.all(files.filter((each) => each !== out).map((each) => checkFree(each, patience)));
  const lock = await lockOf(out);
  try {
    const index = await indexResults(files);
    // The same parts may be merged again, with others beside them; nothing is lost unseen.
    if (existsSync(resultsPath(out)) && !files.includes(out)) {
      const { settings, records } = await indexResults([out]);
      checkSettings(out, index.settings, settings);
      if ([...records.keys()].some((key) => !index.records.has(key)))
        throw new ExplorerError('folderNotWritten', [out, 'it holds a profile of other texts']);
    }
    return toldOf(out, await writeProfile(out, index), { isJson, isPart: false });
  } finally {
    await lock.release();
  }
}

/** Keeps other processes from writing into a profile's folder, and removes what one that was ended has left there half written. */
async function lockOf(folder: string): Promise<FolderLock> {
  const isWatched = process.env[guardVariable] !== undefined;
  const lock = await FolderLock.take(folder, {
    ...{ program: 'attention-explorer', patience },
    ...(isWatched && { onHeld: (held) => tellGuard(guardedLines.held, held) }),
  });
  try {
    for (const name of await readdir(folder))
      if (/^\.[\da-f-]{36}\.part$/.test(name)) await rm(join(folder, name), { force: true });
    return lock;
  } catch (error) {
    await lock.release();
    throw folderNotWritten(folder, error);
  }
}

/** Where a profile is made, and by which model. */
interface Making {
  readonly out: string;
  readonly model: LoadedModel;
  readonly lock: FolderLock;
  /** When it began, as `performance.now` has it. */
  readonly started: number;
}

async function profileInto({ out, model, lock, started }: Making, options: ProfileOptions): Promise<TerminalText> {
  const length = options.length ?? Math.min(mostTokens, model.info.contextLength ?? mostTokens);
  // What a model's file is made for shows in its first run, which is not to be that of a text.
  const { text } = await model.tokens('a b\n'.repeat(length), length);
  await model.explain({ text, tokenLimit: length });
  const settings: ProfileSettings = {
    format: 1,
    model: model.info.name,
    modelHash: await modelHash(commandFiles, placeOf(options), sha256, new AbortController().signal),
    backend: model.info.backend,
    length,
    overlapLines: options.overlapLines,
    texts: options.texts,
  };
  const results = await ResultsWriter.open(out, settings, lock);
  const work = new Work(model, results, settings);
  try {
    for await (const item of corpusItems(options)) await work.take(item);
  } finally {
    await results.close();
  }
  const seconds = (performance.now() - started) / 1000;
  await lock.check();
  const summary = await writeProfile(out, await indexResults([out]));
  await writeWhole(
    join(out, 'timing.json'),
    Buffer.from(`${JSON.stringify(work.timing(seconds, model), undefined, 2)}\n`),
  );
  return toldOf(out, summary, options);
}

const sha256: Sha256 = async (blocks) => {
  const hash = createHash('sha256');
  for (const block of blocks) hash.update(block);
  return hash.digest('hex');
};

/** Texts taken one after the other; of those that were taken before nothing is run again. */
class Work {
  readonly #model: LoadedModel;
  readonly #results: ResultsWriter;
  readonly #settings: ProfileSettings;
  readonly #parser = new CodeParser(syntaxFilesIn(__dirname));
  readonly #arrays: ReusedArrays;
  readonly #summer: PatternSummer;
  readonly #keys: Set<string>;
  readonly #files: Set<string>;
  #numTexts = 0;
  #numTokens = 0;
  #reading = 0;
  #running = 0;
  #reducing = 0;

  constructor(model: LoadedModel, results: ResultsWriter, settings: ProfileSettings) {
    this.#model = model;
    const kernel = WeightKernel.create();
    this.#arrays = new ReusedArrays(kernel);
    this.#summer = patternSummer(kernel);
    this.#results = results;
    this.#settings = settings;
    this.#keys = new Set(results.known?.records.keys());
    this.#files = new Set(results.known?.files.map((file) => JSON.stringify(file)));
  }

  async take(item: CorpusItem): Promise<void> {
    const started = performance.now();
    let bytes: Uint8Array;
    try {
      bytes = await item.read();
    } catch (error) {
      if (!(error instanceof ExplorerError)) throw error;
      const leftOut = error.code === 'fileTooLarge' ? 'tooLarge' : 'unreadable';
      return await this.#note({
        file: item.name ?? '',
        leftOut,
        ...(leftOut === 'unreadable' ? { reason: reasonOf(error) } : {}),
      });
    } finally {
      this.#reading += performance.now() - started;
    }
    const hash = createHash('sha256').update(bytes).digest('hex');
    const file = item.name ?? '';
    const leftOut = leftOutOf(file, bytes);
    if (leftOut !== undefined) return this.#note({ file: item.name ?? hash, leftOut });
    const grammar = grammarOf(item.language);
    const key = textKey({ hash, language: grammar ?? '' });
    if (this.#keys.has(key)) return this.#note({ file, key });
    let record: TextRecord;
    try {
      record = await this.#read(new TextDecoder().decode(bytes), hash, grammar);
    } catch (error) {
      // What fails for want of memory, or in the runtime, is no fault of the text.
      if (!(error instanceof ExplorerError) || !refusals.includes(error.code)) throw error;
      return this.#note({ file: item.name ?? hash, leftOut: 'refused', reason: commandSentence(error) });
    }
    this.#keys.add(key);
    this.#numTexts++;
    await this.#results.add(recordLine(key, record), JSON.stringify({ file, key } satisfies FileResult));
    this.#files.add(JSON.stringify({ file, key }));
  }

  async #note(result: FileResult): Promise<void> {
    const written = JSON.stringify(result);
    if (this.#files.has(written)) return;
    this.#files.add(written);
    await this.#results.add(written);
  }

  async #read(text: string, hash: string, grammar: Grammar | undefined): Promise<TextRecord> {
    const { length, overlapLines, texts: withTexts } = this.#settings;
    const own = { parser: this.#parser, arrays: this.#arrays, summer: this.#summer };
    const asked = { ...own, grammar, length, overlapLines, withTexts };
    const { numTokens, running, reducing, ...read } = await readText(this.#model, text, asked);
    this.#numTokens += numTokens;
    this.#running += running;
    this.#reducing += reducing;
    return { hash, language: grammar ?? '', ...read };
  }

  /** What took how long, in seconds; what differs from run to run stands nowhere else. */
  timing(seconds: number, { info }: LoadedModel): object {
    const { user, system } = process.cpuUsage();
    const told = (milliseconds: number): number => milliseconds / 1000;
    return {
      threads: info.numThreads,
      texts: this.#numTexts,
      tokens: this.#numTokens,
      seconds,
      // Of all its threads, from its start to its tables.
      processorSeconds: (user + system) / 1e6,
      tokensPerSecond: this.#numTokens / told(this.#running + this.#reducing),
      reading: told(this.#reading),
      running: told(this.#running),
      reducing: told(this.#reducing),
      peakBytes: process.resourceUsage().maxRSS * 1024,
    };
  }
}

/** Why a file could not be read, in words. */
function reasonOf(error: ExplorerError): string {
  if (error.code === 'fileNotFound') return 'it does not exist';
  return error.code === 'fileUnreadable' ? String(error.args[1]) : commandSentence(error);
}
