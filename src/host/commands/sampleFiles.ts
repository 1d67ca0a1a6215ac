import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { sampleScheme } from '../course/scenes';

const extensions: Readonly<Record<string, string>> = { python: 'py' };

/** A text that a model is shown on. */
export interface SampleText {
  readonly language: string;
  readonly lines: readonly string[];
}

/** The path of a model's sample among the samples. */
export function samplePath(model: string, { language }: SampleText): string {
  return `/${model}/sample.${extensions[language] ?? 'txt'}`;
}

/** The samples as files in memory: they can be edited as any file, and closing one that was not edited asks nothing. */
export class SampleFiles implements vscode.FileSystemProvider, Disposable {
  readonly #read: (path: string) => Promise<Uint8Array | undefined>;
  readonly #edited = new Map<string, Uint8Array>();
  readonly #changeEmitter = new Emitter<vscode.FileChangeEvent[]>();
  readonly #registration: vscode.Disposable;
  readonly onDidChangeFile = this.#changeEmitter.event;
  #numWritten = 0;

  /** @param read gives what stands at a path; undefined where nothing does. */
  constructor(read: (path: string) => Promise<Uint8Array | undefined>) {
    this.#read = read;
    this.#registration = vscode.workspace.registerFileSystemProvider(sampleScheme, this, { isCaseSensitive: true });
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    if (!/\.\w+$/.test(uri.path)) return { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };
    const { length } = await this.readFile(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime: this.#numWritten, size: length };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const edited = this.#edited.get(uri.path);
    if (edited !== undefined) return edited;
    const bytes = await this.#read(uri.path);
    if (bytes === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return bytes;
  }

  writeFile(uri: vscode.Uri, content: Uint8Array): void {
    this.#edited.set(uri.path, content);
    this.#numWritten++;
    this.#changeEmitter.fire([{ type: vscode.FileChangeType.Changed, uri }]);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changeEmitter.dispose();
  }
}
