import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { HostFilesApi } from '../../protocol';
import type { Server } from '../../rpc/connection';
import { isInside } from './isInside';

/** Names that a model's folder may hold, for file systems that cannot list (an extension served over HTTP). */
const usualNames = ['model.onnx', 'model.onnx.data', 'model.onnx_data', 'tokenizer.json', 'config.json', 'tokenizer_config.json', 'chat_template.jinja', 'special_tokens_map.json', 'generation_config.json', 'preprocessor_config.json'];

/** What is read from beside a tokenizer. */
const companionNames = ['tokenizer_config.json', 'chat_template.jinja'];

/** Reads files for an engine that cannot: those of the model's folder and of the bundled models, and no others. */
export class HostFiles {
  readonly #bundled: vscode.Uri;
  #model: vscode.Uri | undefined;
  /** The picture that is explained, as an address. */
  #picture = '';
  /** What lies beside a tokenizer that was chosen from elsewhere, as addresses. */
  #companions: readonly string[] = [];

  constructor(bundledModels: vscode.Uri) {
    this.#bundled = bundledModels;
  }

  /** Lets the engine read the folder of this model (the model is a folder, or a file in it) and a tokenizer chosen for it, and not those of the former. */
  allowModel(model: vscode.Uri, tokenizer?: vscode.Uri): void {
    this.#companions = tokenizer === undefined ? [] : [tokenizer, ...companionNames.map((name) => vscode.Uri.joinPath(tokenizer, '..', name))].map(String);
    const folder = /\.(onnx|ort)$/i.test(model.path) ? vscode.Uri.joinPath(model, '..') : model;
    // In the layout of the Hugging Face hub the tokenizer stands beside the folder `onnx`.
    this.#model = /\/onnx\/?$/.test(folder.path) ? vscode.Uri.joinPath(folder, '..') : folder;
  }

  /** Lets the engine read this picture, and not the former. */
  allowPicture(picture: vscode.Uri): void {
    this.#picture = picture.toString();
  }

  readonly server: Server<HostFilesApi> = {
    readFile: async ({ path }) => {
      const uri = this.#check(path);
      try {
        return { bytes: await vscode.workspace.fs.readFile(uri) };
      } catch (error) {
        throw toExplorerError(error, path);
      }
    },
    listFolder: async ({ path }) => {
      const uri = this.#check(path);
      try {
        return { names: (await vscode.workspace.fs.readDirectory(uri)).map(([name]) => name) };
      } catch (error) {
        if (!isServedOverHttp(uri)) throw toExplorerError(error, path);
        const found = await Promise.all(usualNames.map(async (name) => ((await isReadable(vscode.Uri.joinPath(uri, name))) ? [name] : [])));
        return { names: found.flat() };
      }
    },
    statFile: async ({ path }) => {
      const uri = this.#check(path);
      try {
        if (isServedOverHttp(uri)) return (await isReadable(uri)) ? { kind: 'file', size: 0 } : { kind: uri.path.endsWith('/') ? 'folder' : 'none', size: 0 };
        const { type, size } = await vscode.workspace.fs.stat(uri);
        return { kind: (type & vscode.FileType.Directory) !== 0 ? 'folder' : 'file', size };
      } catch {
        return { kind: 'none', size: 0 };
      }
    },
  };

  #check(path: string): vscode.Uri {
    let uri: vscode.Uri;
    try {
      uri = vscode.Uri.parse(path, true);
    } catch (error) {
      throw new ExplorerError('invalidArgument', [path, 'it is not an address'], { cause: error });
    }
    const isAllowed = this.#picture === uri.toString() || this.#companions.includes(uri.toString()) || [this.#model, this.#bundled].some((root) => root !== undefined && root.scheme === uri.scheme && root.authority === uri.authority && isInside(root.path, uri.path));
    if (!isAllowed) throw new ExplorerError('fileUnreadable', [path, 'it is outside the model’s folder']);
    return uri;
  }
}

function isServedOverHttp(uri: vscode.Uri): boolean {
  return uri.scheme === 'http' || uri.scheme === 'https';
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
  return isMissing ? new ExplorerError('fileNotFound', [path], { cause: error }) : new ExplorerError('fileUnreadable', [path, error instanceof Error ? error.message : String(error)], { cause: error });
}
