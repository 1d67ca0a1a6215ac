import 'vscode-jsonrpc/browser';
import * as l10n from '@vscode/l10n';
import { errorSentences, ExplorerError } from '../base/errors';
import type { PanelAppearance } from '../panelProtocol';
import { makeOutputFrame, type PageParts } from './outputFrame';
import { sentenceOf, serveOutput, type OutputHost } from './outputHost';
import { readOutput } from './readOutput';

/** What VS Code gives a notebook's renderer (`vscode-notebook-renderer`), as far as it is used here. */
interface RendererContext {
  /** Missing where the extension's host cannot be reached. */
  readonly postMessage?: (message: unknown) => void;
  readonly onDidReceiveMessage?: (listener: (message: unknown) => void) => unknown;
}
interface OutputItem {
  readonly id: string;
  text(): string;
}
interface Renderer {
  renderOutputItem(item: OutputItem, element: HTMLElement, signal?: AbortSignal): Promise<void>;
  disposeOutputItem(id?: string): void;
}

/** Who has not heard from the extension for so long goes on in English. */
const silentMilliseconds = 1000;
const plainAppearance: PanelAppearance = { colourMap: 'blue', tabSize: 4, l10n: undefined };

/** Shows attention files that stand in the outputs of a notebook's cells (MIME type `application/vnd.attention-explorer.v1+json`). */
export function activate(context: RendererContext): Renderer {
  const hosts = new Map<string, OutputHost>();
  let appearance = plainAppearance;
  const dressed = new Promise<void>((resolve) => {
    setTimeout(resolve, context.postMessage === undefined ? 0 : silentMilliseconds);
    context.onDidReceiveMessage?.((message) => {
      appearance = message as PanelAppearance; // our own extension alone can send here
      if (appearance.l10n !== undefined) l10n.config({ contents: appearance.l10n as Record<string, string> });
      for (const host of hosts.values()) host.dress(appearance);
      resolve();
    });
    context.postMessage?.('appearance');
  });
  const parts = readParts();
  const disposeOf = (id: string): void => {
    hosts.get(id)?.dispose();
    hosts.delete(id);
  };
  return {
    async renderOutputItem(item, element, signal) {
      const [page] = await Promise.all([parts, dressed]);
      if (signal?.aborted === true) return;
      disposeOf(item.id);
      const { frame, channel, bringElements } = makeOutputFrame(page, l10n.t('Attention Explorer'));
      try {
        hosts.set(item.id, serveOutput(readOutput(item.text()), channel, { appearance, onPainted: bringElements }));
        element.replaceChildren(frame);
      } catch (error) {
        channel.dispose();
        const { code, args } = ExplorerError.from(error);
        const sentence = document.createElement('p');
        sentence.setAttribute('role', 'alert');
        sentence.textContent = sentenceOf(errorSentences[code], args);
        element.replaceChildren(sentence);
      }
    },
    disposeOutputItem(id) {
      for (const each of id === undefined ? [...hosts.keys()] : [id]) disposeOf(each);
    },
  };
}

async function readParts(): Promise<PageParts> {
  const read = (name: string): Promise<Response> => fetch(new URL(name, import.meta.url));
  const [script, style, elements, views, iconStyle] = await Promise.all(
    ['webview.js', 'webview.css', 'elements.js', 'views.js', 'codicon.css'].map(async (name) =>
      (await read(name)).text(),
    ),
  );
  return { script, style, elements, views, iconStyle, iconFont: await (await read('codicon.ttf')).arrayBuffer() };
}
