import { Emitter } from '../base/event';
import { makeNonce, panelHtml } from '../host/panel/panelHtml';
import type { Channel } from '../rpc/channel';

/**
 * What the panel's page is made of, read once for a notebook. A frame in a notebook's outputs can load nothing, not even our own files: all of
 * it is put into the page.
 */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  /** The script of the custom elements, and that of the views that someone opens. */
  readonly elements: string;
  readonly views: string;
  /** The icons' style sheet, and their font. */
  readonly iconStyle: string;
  readonly iconFont: ArrayBuffer;
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
  /** Brings the custom elements, which take as long to start as a run takes to draw, and the views that someone opens. */
  bringElements(): void;
}

/** CSS pixels that an output takes; its lower edge can be pulled. */
const outputHeight = 460;

/**
 * Makes the panel's page in a frame of its own, so that its styles and keys and those of the notebook do not meet. Its policy allows what
 * stands in it and nothing else, no network, and what it shows comes as messages. The theme is that of the notebook.
 */
export function makeOutputFrame(parts: PageParts, title: string): OutputFrame {
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
      script: `globalThis.acquireVsCodeApi = () => frameElement.panelApi;\n${parts.script}`,
      style: parts.style,
      codicons: '',
      elements: '',
      views: '',
      cspSource: '',
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
  frame.addEventListener('load', () => {
    dress();
    bringIcons(frame, parts);
  });
  return {
    frame,
    bringElements: () => {
      const page = frame.contentDocument;
      if (page === null) return;
      for (const textContent of [parts.elements, parts.views])
        page.head.append(Object.assign(page.createElement('script'), { nonce, textContent }));
    },
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

/** Gives a page the icons: its font, and to each icon the style sheet that it would load by itself. */
function bringIcons({ contentWindow }: HTMLIFrameElement, { iconStyle, iconFont }: PageParts): void {
  if (contentWindow === null) return;
  const page = contentWindow as Window & typeof globalThis; // a window has its own classes
  page.document.fonts.add(new page.FontFace('codicon', iconFont));
  const sheet = new page.CSSStyleSheet();
  sheet.replaceSync(iconStyle.replace(/@font-face\s*\{[^}]*\}/, ''));
  const attach = page.Element.prototype.attachShadow;
  page.Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    // The element sets its own sheets next.
    if (this.localName === 'vscode-icon')
      queueMicrotask(() => (root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]));
    return root;
  };
}
