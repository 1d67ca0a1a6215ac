import type { Webview } from 'vscode';
import { DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/event';
import type { Channel } from '../../rpc/channel';

/** A channel over a webview's messages; typed arrays cross as they are. */
export class WebviewChannel implements Channel {
  readonly #webview: Webview;
  readonly #store = new DisposableStore();
  readonly #messageEmitter = new Emitter<unknown>();
  readonly #closeEmitter = new Emitter<string>();
  readonly onMessage = this.#messageEmitter.event;
  readonly onClose = this.#closeEmitter.event;
  /** Bytes of typed arrays posted so far. */
  postedBytes = 0;

  constructor(webview: Webview) {
    this.#webview = webview;
    this.#store.add(webview.onDidReceiveMessage((message: unknown) => this.#messageEmitter.fire(message)));
  }

  send(message: unknown): void {
    if (this.#store.isDisposed) return;
    this.postedBytes += arrayBytes(message);
    // A webview that is gone takes no message, and misses none.
    void this.#webview.postMessage(message).then(undefined, () => {});
  }

  /** Says that nobody is at the other side any more. */
  close(why: string): void {
    if (this.#store.isDisposed) return;
    this.#store.dispose();
    this.#closeEmitter.fire(why);
    this.#messageEmitter.dispose();
    this.#closeEmitter.dispose();
  }

  dispose(): void {
    this.close('disposed');
  }
}

function arrayBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  // Bulk stands near the root of a message.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + arrayBytes(item), 0);
}
