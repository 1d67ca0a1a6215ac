import { Emitter } from '../src/base/event';
import { toDisposable } from '../src/base/disposable';
import type { Channel } from '../src/rpc/channel';

/** What VS Code gives a webview to speak with its extension. */
export interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare global {
  function acquireVsCodeApi(): VsCodeApi;
}

/** The channel from a webview to its extension; it closes only with the page. */
export function windowChannel(api: VsCodeApi): Channel {
  const messages = new Emitter<unknown>();
  const closes = new Emitter<string>();
  const listener = (event: MessageEvent): void => messages.fire(event.data);
  window.addEventListener('message', listener);
  const end = toDisposable(() => {
    window.removeEventListener('message', listener);
    closes.fire('disposed');
    messages.dispose();
    closes.dispose();
  });
  return {
    send: (message) => api.postMessage(message),
    onMessage: messages.event,
    onClose: closes.event,
    dispose: () => end.dispose(),
  };
}
