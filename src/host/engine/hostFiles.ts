import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { fileLimits } from '../../model/fileLimits';
import { companionName } from '../../model/companionName';
import { tokenizerCompanions, vocabularyNames } from '../../model/tokenizerNames';
import type { HostFilesApi } from '../../protocol';
import type { Server } from '../../rpc/connection';
import { documentName } from '../run/documentName';
import { isUntrusted, untrustedFolders } from '../model/untrustedFolders';
import { isServedOverHttp, readFileAtMost } from '../readFileAtMost';
import { isInside } from './isInside';

/** Names that a model's folder may hold, for file systems that cannot list (an extension served over HTTP). */
const usualNames = [
  'model.onnx',
  'model.onnx.data',
  'model.onnx_data',
  'tokenizer.json',
  'config.json',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'sentence_bert_config.json',
  ...vocabularyNames,
  ...tokenizerCompanions,
];

/** What is read from beside a tokenizer. */
const companionNames = ['chat_template.jinja', 'chat_template.json', ...tokenizerCompanions, ...vocabularyNames];

/** A file of a snapshot in the Hugging Face hub's cache, which is a link to a blob of the same model. */
const inSnapshot = /\/models--[^/]+\/snapshots\/[^/]+\//;

/**
 * Reads files for an engine that cannot: those of the model's folder and of the bundled models, and no others. A window cannot see
 * where a link leads, so of links it follows only what the person chose and what the hub's cache is made of, and while the
 * workspace is not trusted, none.
 */
export class HostFiles {
  readonly #bundled: vscode.Uri;
  #model: vscode.Uri | undefined;
  /** What the person chose, as addresses: that may be a link. */
  #chosen: readonly string[] = [];
  /** The picture that is explained, as an address. */
  #picture = '';
  /** What lies beside a tokenizer that was chosen from elsewhere, as addresses. */
  #companions: readonly string[] = [];
  /** Folders above the model's, of which tokenizers, settings and templates may be read, as addresses. */
  #above: readonly string[] = [];

  constructor(bundledModels: vscode.Uri) {
    this.#bundled = bundledModels;
  }

  /** Lets the engine read the folder of this model (the model is a folder, or a file in it) and a tokenizer chosen for it, and not those of the former. */
  allowModel(model: vscode.Uri, tokenizer?: vscode.Uri): void {
    this.#chosen = [model, ...(tokenizer === undefined ? [] : [tokenizer])].map(String);
    this.#companions =
      tokenizer === undefined
        ? []
        : [tokenizer, ...companionNames.map((name) => vscode.Uri.joinPath(tokenizer, '..', name))].map(String);
    const folder = /\.(onnx|ort)$/i.test(model.path) ? vscode.Uri.joinPath(model, '..') : model;
    // A repository may have its models in folders, and what goes with them above.
    this.#above = [vscode.Uri.joinPath(folder, '..'), vscode.Uri.joinPath(folder, '..', '..')]
      .filter(({ path }) => path !== '/')
      .map(String);
    // In the layout of the Hugging Face hub the tokenizer stands beside the folder `onnx`.
    this.#model = /\/onnx\/?$/.test(folder.path) ? vscode.Uri.joinPath(folder, '..') : folder;
  }

  /** Lets the engine read this picture, and not the former. */
  allowPicture(picture: vscode.Uri): void {
    this.#picture = picture.toString();
  }

  readonly server: Server<HostFilesApi> = {
    readFile: async ({ path, kind }) => {
      const uri = await this.#check(path);
      if (!Object.hasOwn(fileLimits, kind)) throw new ExplorerError('invalidArgument', [kind, 'it is no kind of file']);
      return { bytes: await readFileAtMost(uri, kind, path) };
    },
    listFolder: async ({ path }) => {
      const uri = await this.#check(path);
      try {
        return { names: (await vscode.workspace.fs.readDirectory(uri)).map(([name]) => name) };
      } catch (error) {
        if (!isServedOverHttp(uri)) throw toExplorerError(error, path);
        const found = await Promise.all(
          usualNames.map(async (name) => ((await isReadable(vscode.Uri.joinPath(uri, name))) ? [name] : [])),
        );
        return { names: found.flat() };
      }
    },
    statFile: async ({ path }) => {
      const uri = await this.#check(path);
      try {
        if (isServedOverHttp(uri))
          return (await isReadable(uri))
            ? { kind: 'file', size: 0 }
            : { kind: uri.path.endsWith('/') ? 'folder' : 'none', size: 0 };
        const { type, size } = await vscode.workspace.fs.stat(uri);
        return {
          kind:
            (type & vscode.FileType.Directory) !== 0 ? 'folder' : (type & vscode.FileType.File) !== 0 ? 'file' : 'none',
          size,
        };
      } catch {
        return { kind: 'none', size: 0 };
      }
    },
  };

  async #check(path: string): Promise<vscode.Uri> {
    let uri: vscode.Uri;
    try {
      uri = vscode.Uri.parse(path, true);
    } catch (error) {
      throw new ExplorerError('invalidArgument', [path, 'it is not an address'], { cause: error });
    }
    const isAllowed =
      this.#picture === uri.toString() ||
      (companionName.test(uri.path) && this.#above.includes(vscode.Uri.joinPath(uri, '..').toString())) ||
      this.#companions.includes(uri.toString()) ||
      [this.#model, this.#bundled].some(
        (root) =>
          root !== undefined &&
          root.scheme === uri.scheme &&
          root.authority === uri.authority &&
          isInside(root.path, uri.path),
      );
    if (!isAllowed) throw new ExplorerError('fileUnreadable', [path, 'it is outside the model’s folder']);
    if (this.#picture !== uri.toString() && !isServedOverHttp(uri)) await this.#refuseLinks(uri);
    return uri;
  }

  async #refuseLinks(uri: vscode.Uri): Promise<void> {
    const name = documentName(uri);
    if (isInside(this.#bundled.path, uri.path) && uri.scheme === this.#bundled.scheme) return;
    if (isUntrusted(uri, this.#bundled)) throw new ExplorerError('untrustedModel', [name]);
    const folders = untrustedFolders();
    if (folders.length > 0) {
      // Either of them could be the other by another name.
      for (const each of [uri, ...folders])
        if (await hasLink(each, '/')) throw new ExplorerError('untrustedModel', [name]);
      return;
    }
    if (this.#chosen.includes(uri.toString()) || inSnapshot.test(uri.path)) return;
    const root =
      this.#model !== undefined && isInside(this.#model.path, uri.path)
        ? this.#model.path
        : vscode.Uri.joinPath(uri, '..').path;
    if (await hasLink(uri, root)) throw new ExplorerError('fileOutside', [name]);
  }
}

/** Whether an address runs through a link below a folder. */
async function hasLink(uri: vscode.Uri, below: string): Promise<boolean> {
  const types = [];
  for (let at = uri; at.path.length > below.length && at.path !== '/'; at = vscode.Uri.joinPath(at, '..'))
    types.push(typeOf(at));
  return (await Promise.all(types)).some((type) => (type & vscode.FileType.SymbolicLink) !== 0);
}

async function typeOf(uri: vscode.Uri): Promise<vscode.FileType> {
  try {
    return (await vscode.workspace.fs.stat(uri)).type;
  } catch {
    return vscode.FileType.Unknown; // whoever reads it says that it is not there
  }
}

/** A file system over HTTP says of any address that it is a file: only reading tells. */
async function isReadable(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.readFile(uri);
    return true;
  } catch {
    return false;
  }
}

function toExplorerError(error: unknown, path: string): ExplorerError {
  const isMissing = error instanceof vscode.FileSystemError && error.code === 'FileNotFound';
  return isMissing
    ? new ExplorerError('fileNotFound', [path], { cause: error })
    : new ExplorerError('fileUnreadable', [path, error instanceof Error ? error.message : String(error)], {
        cause: error,
      });
}
