import type { Message} from 'vscode-jsonrpc';
import { AbstractMessageReader, AbstractMessageWriter, type DataCallback, type MessageReader, type MessageWriter } from 'vscode-jsonrpc';
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
        // Anything else on the channel is not ours to interpret: it is reported, and dropped.
        if (typeof message === 'object' && message !== null && 'jsonrpc' in message) callback(message as Message /* the connection checks its members */);
        else this.fireError(new Error('not a message of the protocol'));
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
