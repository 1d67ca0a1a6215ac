import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { jsonText, line, type TerminalText } from '../base/terminalText';
import { downloadsIn } from '../hub/downloads.node';
import { hubAddress, type HubDownload, type HubRepository } from '../hub/hub';
import { hubClient, type HubFunctions } from '../hub/hubClient.node';
import { checkedAddress } from '../hub/hubFetch.node';
import { neededFiles } from '../hub/neededFiles';
import { proxiedFetch } from '../hub/proxiedFetch.node';
import { formatBytes } from '../model/fileLimits';
import { modelVariants, type ModelVariant } from '../model/modelVariants';
import { counted } from './counted';

/** What `download` is asked. */
export interface DownloadOptions {
  /** `owner/name`. */
  readonly name: string;
  /** One of its model files; undefined where it has only one. */
  readonly file: string | undefined;
  readonly out: string;
  readonly isJson: boolean;
}

/**
 * Downloads a model of the hub with all that it needs, or goes on where that was ended; the only command that asks the network. Throws `wrongUsage`,
 * what {@link hubClient} and a download throw, and `cancelled` where the person ends it.
 */
export async function download({ name, file, out, isJson }: DownloadOptions): Promise<TerminalText> {
  const { HF_TOKEN: token, HF_ENDPOINT: endpoint } = process.env;
  const place = {
    address: checkedAddress(endpoint === undefined || endpoint === '' ? hubAddress : endpoint, 'HF_ENDPOINT'),
    token: token === undefined || token.trim() === '' ? undefined : token.trim(),
  };
  const functions = createRequire(import.meta.url)('./hub.cjs') as HubFunctions; // what is built of it
  const hub = hubClient(functions, place, proxiedFetch(process.env));
  const ended = new AbortController();
  const end = (): void => ended.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  const shown = new Progress();
  try {
    const repository = await hub.repository(name, ended.signal);
    const wanted = wantedOf(repository, file);
    const total = wanted.files.reduce((sum, { size }) => sum + size, 0);
    const path = await downloadsIn(resolve(out)).download(wanted, hub.opener(wanted), {
      signal: ended.signal,
      report: (present) => shown.show(present, total),
    });
    const { revision, files } = wanted;
    return isJson
      ? jsonText({ name: wanted.name, revision, model: path, bytes: total, files: files.map((each) => each.path) })
      : line`${counted(files.length, 'file')} (${plain(formatBytes(total))}) of ${plain(wanted.name)} at ${plain(revision.slice(0, 8))} ${plain(files.length === 1 ? 'is' : 'are')} there; the model is ${plain(path)}`;
  } finally {
    shown.clear();
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** What is to be downloaded of a repository. Throws `hubNoModel`, and `wrongUsage` where it is not told which of several. */
function wantedOf(repository: HubRepository, file: string | undefined): HubDownload {
  const variants = modelVariants(repository.files.map(({ path, size }) => ({ name: path, size })));
  if (variants.length === 0) throw new ExplorerError('hubNoModel', [repository.name]);
  const chosen: ModelVariant | undefined =
    file === undefined
      ? variants.length === 1
        ? variants[0]
        : undefined
      : variants.find((variant) => variant.name === file || variant.files.includes(file));
  if (chosen === undefined)
    throw new ExplorerError('wrongUsage', [
      'FILE',
      `${file === undefined ? 'the repository has several models' : 'the repository has no such model'}: ${variants.map(({ name }) => name).join(', ')}`,
    ]);
  return { ...repository, files: neededFiles(chosen, repository.files), model: chosen.name };
}

/** How far it is, on a terminal. */
class Progress {
  #told = '';

  show(present: number, total: number): void {
    if (!process.stderr.isTTY) return;
    const percent = total === 0 ? 100 : Math.floor((present / total) * 100);
    const told: TerminalText = line`${percent} % of ${plain(formatBytes(total))}`;
    if (told === this.#told) return;
    this.#told = told;
    process.stderr.write(`\r${told}`);
  }

  /** Takes it off the terminal again. */
  clear(): void {
    if (this.#told !== '') process.stderr.write(`\r${' '.repeat(this.#told.length)}\r`);
  }
}
