import type { Message } from 'vscode-jsonrpc';
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type MessageReader,
  type MessageWriter,
} from 'vscode-jsonrpc';
import { DisposableStore, type Disposable } from '../base/disposable';
import type { Channel } from './channel';

/** Feeds a JSON-RPC connection from a channel. */
export class ChannelReader extends AbstractMessageReader implements MessageReader {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
  }

  listen(callback: DataCallback): Disposable {
    const store = new DisposableStore();
    store.add(
      this.#channel.onMessage((message) => {
        // Anything else on the channel is not ours to interpret: it is reported, and dropped. (The connection would write it into its complaint, whole.)
        if (!isMessage(message)) return this.fireError(new Error('not a message of the protocol'));
        try {
          callback(message);
        } catch (error) {
          // The connection does not check all that it reads: a cancellation of nothing throws.
          this.fireError(error);
        }
      }),
    );
    store.add(this.#channel.onClose(() => this.fireClose()));
    return store;
  }
}

/** Sends what a JSON-RPC connection writes over a channel. */
export class ChannelWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
  }

  write(message: Message): Promise<void> {
    try {
      this.#channel.send(message);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  end(): void {}
}

/** UTF-16 units of a method's name, or of an id that is text. */
const maxName = 200;

/** Whether it has the members of a request, a notification or an answer, none of them large where it has to be small. */
function isMessage(message: unknown): message is Message {
  if (typeof message !== 'object' || message === null || !('jsonrpc' in message)) return false;
  const { method, id, result, error } = message as {
    readonly method?: unknown;
    readonly id?: unknown;
    readonly result?: unknown;
    readonly error?: unknown;
  }; // any object can be asked for them
  const isId = typeof id === 'number' || (typeof id === 'string' && id.length <= maxName);
  if (method !== undefined) return typeof method === 'string' && method.length <= maxName && (id === undefined || isId);
  return isId && (result !== undefined || (typeof error === 'object' && error !== null));
}
