import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import type { LogText } from '../../base/logText';

/** What is logged to, in all its levels. */
export interface Log {
  debug(text: LogText): void;
  info(text: LogText): void;
  warn(text: LogText): void;
  error(text: LogText): void;
}

/** Our log, as a channel of the window's output. */
export class OutputLog implements Log, Disposable {
  readonly #channel: vscode.LogOutputChannel;

  constructor(name: string) {
    this.#channel = vscode.window.createOutputChannel(name, { log: true });
  }

  debug(text: LogText): void {
    this.#channel.debug(text);
  }

  info(text: LogText): void {
    this.#channel.info(text);
  }

  warn(text: LogText): void {
    this.#channel.warn(text);
  }

  error(text: LogText): void {
    this.#channel.error(text);
  }

  show(): void {
    this.#channel.show();
  }

  dispose(): void {
    this.#channel.dispose();
  }
}
