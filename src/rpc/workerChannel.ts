import { Emitter } from '../base/event';
import type { Channel } from './channel';
import { givenUpBuffers } from './transferable';

/** What a Worker, a worker's own scope and a MessagePort have in common. */
export interface MessageEndpoint {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  removeEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/** A channel over `postMessage`; arrays that were given up are moved, others copied. */
export class WorkerChannel implements Channel {
  readonly #endpoint: MessageEndpoint;
  readonly #messageEmitter = new Emitter<unknown>();
  readonly #closeEmitter = new Emitter<string>();
  readonly onMessage = this.#messageEmitter.event;
  readonly onClose = this.#closeEmitter.event;
  readonly #listener = (event: { readonly data: unknown }): void => this.#messageEmitter.fire(event.data);
  #isClosed = false;

  constructor(endpoint: MessageEndpoint) {
    this.#endpoint = endpoint;
    endpoint.addEventListener('message', this.#listener);
  }

  send(message: unknown): void {
    if (!this.#isClosed) this.#endpoint.postMessage(message, givenUpBuffers(message));
  }

  /** Says that the other side is gone; `postMessage` itself never does. */
  close(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endpoint.removeEventListener('message', this.#listener);
    this.#closeEmitter.fire(why);
    this.#messageEmitter.dispose();
    this.#closeEmitter.dispose();
  }

  dispose(): void {
    this.close('disposed');
  }
}
