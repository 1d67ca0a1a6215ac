import { Emitter } from '../base/event';
import { makeNonce, panelHtml } from '../host/panel/panelHtml';
import type { Channel } from '../rpc/channel';

/** What the panel's page is made of, read once for a notebook. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  /** The folder of our files, as the notebook's page sees it. */
  readonly folder: string;
}

/** What a frame's page finds on its element in the place of `acquireVsCodeApi`, which a notebook's output does not have. */
interface PageApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** Where the page of an output speaks to who serves it. */
export interface OutputFrame {
  readonly frame: HTMLIFrameElement;
  readonly channel: Channel;
}

/** CSS pixels that an output takes; its lower edge can be pulled. */
const outputHeight = 460;

/**
 * Makes the panel's page in a frame of its own, so that its styles and keys and those of the notebook do not meet. Its policy allows our own
 * files and nothing else, and what it shows comes as messages. The theme is that of the notebook.
 */
export function makeOutputFrame({ script, style, folder }: PageParts, title: string): OutputFrame {
  const frame = document.createElement('iframe');
  frame.title = title;
  frame.style.cssText = `width: 100%; height: ${outputHeight}px; min-height: 240px; resize: vertical; border: 0; display: block;`;
  const messages = new Emitter<unknown>();
  const closes = new Emitter<string>();
  let state: unknown;
  const api: PageApi = {
    // Made anew in this page: what the frame sends are its own kinds of arrays.
    postMessage: (message) => {
      const copy: unknown = structuredClone(message);
      queueMicrotask(() => messages.fire(copy));
    },
    getState: () => state,
    setState: (next) => (state = structuredClone(next)),
  };
  Object.assign(frame, { panelApi: api });
  const nonce = makeNonce();
  frame.srcdoc = panelHtml(
    {
      script: `globalThis.acquireVsCodeApi = () => frameElement.panelApi;\n${script}`,
      style,
      codicons: `${folder}codicon.css`,
      elements: `${folder}elements.js`,
      cspSource: new URL(folder).origin,
    },
    nonce,
    document.documentElement.lang,
    '',
  );
  const dress = (): void => {
    const page = frame.contentDocument;
    if (page === null) return;
    page.documentElement.style.cssText = document.documentElement.style.cssText;
    page.body.className = document.body.className;
    const { vscodeThemeId } = document.body.dataset;
    if (vscodeThemeId !== undefined) page.body.dataset['vscodeThemeId'] = vscodeThemeId;
  };
  const themes = new MutationObserver(dress);
  themes.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  frame.addEventListener('load', dress);
  return {
    frame,
    channel: {
      send: (message) => frame.contentWindow?.postMessage(message, '*'),
      onMessage: messages.event,
      onClose: closes.event,
      dispose: () => {
        themes.disconnect();
        closes.fire('disposed');
        messages.dispose();
        closes.dispose();
      },
    },
  };
}
