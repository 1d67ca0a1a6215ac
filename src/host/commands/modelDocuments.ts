import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { codeBlock, codeSpan, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { Emitter } from '../../base/event';
import { ExplorerError } from '../../base/errors';
import type { ChatTemplateView, ReportView } from '../../protocol';
import { errorSentence } from '../localize';
import { showWaiting } from '../run/showProgress';
import { said, saidMarkdown } from '../say/said';

/** The scheme of the documents that tell about the model in use. */
export const modelDocumentScheme = 'attention-explorer-report';

/** The documents there are, by the name of their file. */
const fileNames = { report: 'Extraction Report.md', chatTemplate: 'Chat Template.md' } as const;

/** UTF-16 units of a template that are shown: several times the longest that models have. */
const maxShown = 200_000;

/** What the documents are made of; each asks about the model in use. */
export interface ModelDocumentSources {
  readonly report: (signal: AbortSignal) => Promise<ReportView>;
  readonly chatTemplate: (signal: AbortSignal) => Promise<ChatTemplateView>;
}

/** Provides what is known of the model in use as Markdown documents that are made anew each time they are asked for. */
export class ModelDocuments implements vscode.TextDocumentContentProvider, Disposable {
  readonly #sources: ModelDocumentSources;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<vscode.Uri>());
  readonly onDidChange = this.#changeEmitter.event;
  /** Made and not asked for yet, by the paths of their documents. */
  readonly #texts = new Map<string, MarkdownText>();

  constructor(sources: ModelDocumentSources) {
    this.#sources = sources;
    this.#store.add(vscode.workspace.registerTextDocumentContentProvider(modelDocumentScheme, this));
  }

  async provideTextDocumentContent(uri: vscode.Uri, token: vscode.CancellationToken): Promise<MarkdownText> {
    const text = this.#texts.get(uri.path);
    // A document that was open already asks when it has heard of the change, maybe after it was shown.
    this.#texts.delete(uri.path);
    if (text !== undefined) return text;
    const controller = new AbortController();
    const cancelling = token.onCancellationRequested(() => controller.abort());
    try {
      return await this.#make(uri.path.endsWith(fileNames.chatTemplate), controller.signal);
    } finally {
      cancelling.dispose();
    }
  }

  async #make(isTemplate: boolean, signal: AbortSignal): Promise<MarkdownText> {
    try {
      return isTemplate ? chatTemplateMarkdown(await this.#sources.chatTemplate(signal)) : (await this.#sources.report(signal)).markdown;
    } catch (error) {
      if (signal.aborted) throw error;
      return md`# ${isTemplate ? saidMarkdown('Chat Template') : saidMarkdown('Extraction Report')}\n\n${escaped(errorSentence(ExplorerError.from(error)))}\n`;
    }
  }

  /** Opens a document on the model in use, rendered where VS Code can; what takes long can be cancelled. */
  async show(which: keyof ModelDocumentSources): Promise<void> {
    const uri = vscode.Uri.from({ scheme: modelDocumentScheme, path: `/${fileNames[which]}` });
    const controller = new AbortController();
    const title = which === 'chatTemplate' ? said('Chat Template') : said('Extraction Report');
    const making = this.#make(which === 'chatTemplate', controller.signal);
    const progress = showWaiting(title, making, () => controller.abort());
    let document: vscode.TextDocument;
    try {
      const text = await making;
      this.#texts.set(uri.path, text);
      this.#changeEmitter.fire(uri);
      document = await vscode.workspace.openTextDocument(uri);
      await untilItSays(document, text);
    } catch (error) {
      if (controller.signal.aborted) return;
      throw error;
    } finally {
      progress.dispose();
    }
    try {
      await vscode.commands.executeCommand('markdown.showPreview', document.uri);
    } catch {
      // The built-in Markdown support can be turned off.
      await vscode.window.showTextDocument(document, { preview: true });
    }
  }

  dispose(): void {
    this.#store.dispose();
  }
}

/** A document that was open before follows its new text a moment later; it is shown when it has, or after that long. */
const patienceMilliseconds = 2000;

async function untilItSays(document: vscode.TextDocument, text: string): Promise<void> {
  // Lines may end otherwise in a document.
  const wanted = text.replaceAll('\r', '');
  const says = (): boolean => document.getText().replaceAll('\r', '') === wanted;
  if (says()) return;
  const store = new DisposableStore();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMilliseconds);
    store.add({ dispose: () => clearTimeout(timer) });
    store.add(vscode.workspace.onDidChangeTextDocument((event) => event.document === document && says() && resolve()));
  });
  store.dispose();
}

function chatTemplateMarkdown({ modelName, fileName, text, prefix, suffix, error }: ChatTemplateView): MarkdownText {
  const example =
    prefix === undefined || suffix === undefined
      ? escaped(errorSentence(ExplorerError.deserialize(error)))
      : md`${saidMarkdown('Around a message it says:')}\n\n${codeBlock('text', `${prefix}«${said('your text')}»${suffix}`, maxShown)}`;
  return joinMarkdown(
    [
      md`# ${saidMarkdown('Chat Template of {0}', codeSpan(modelName))}`,
      saidMarkdown('It stands in {0} and is not applied, unless you ask for it with "Explain as Chat Message".', codeSpan(fileName)),
      example,
      md`## ${saidMarkdown('The Template')}`,
      codeBlock('jinja', text, maxShown),
      md``,
    ],
    '\n\n',
  );
}
