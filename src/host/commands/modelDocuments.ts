import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { codeBlock, codeSpan, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { Emitter } from '../../base/event';
import { ExplorerError } from '../../base/errors';
import type { PlainText } from '../../base/safeText';
import type { ChatTemplateView, InputView, ReportView } from '../../protocol';
import { errorSentence, panelError } from '../localize';
import { modelDocumentScheme } from '../ownTabs';
import { reportFailure } from '../run/reportFailure';
import { showWaiting } from '../run/showProgress';
import { said, saidMarkdown } from '../say/said';

/** The documents there are, by the name of their file. */
const fileNames = { report: 'Extraction Report.md', input: 'Input.md', chatTemplate: 'Chat Template.md' } as const;

/** VS Code's own editor for Markdown that is rendered: the command that shows a preview takes the place of the text. */
const previewEditor = 'vscode.markdown.preview.editor';

/** UTF-16 units of a template that are shown: several times the longest that models have. */
const maxShown = 200_000;

/** What the documents are made of; each asks about the model in use. */
export interface ModelDocumentSources {
  readonly report: (signal: AbortSignal) => Promise<ReportView>;
  readonly input: (signal: AbortSignal) => Promise<InputView>;
  readonly chatTemplate: (signal: AbortSignal) => Promise<ChatTemplateView>;
}

/** Provides what is known of the model in use as Markdown documents that are made anew each time they are asked for. */
export class ModelDocuments implements vscode.TextDocumentContentProvider, Disposable {
  readonly #sources: ModelDocumentSources;
  readonly #column: () => vscode.ViewColumn;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<vscode.Uri>());
  readonly onDidChange = this.#changeEmitter.event;
  /** Made and not asked for yet, by the paths of their documents. */
  readonly #texts = new Map<string, MarkdownText>();

  /** @param column says where documents open: beside the text, whose highlights stay. */
  constructor(sources: ModelDocumentSources, column: () => vscode.ViewColumn) {
    this.#sources = sources;
    this.#column = column;
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
      return await this.#make(documentOf(uri), controller.signal);
    } finally {
      cancelling.dispose();
    }
  }

  /** The document, or one that says in a sentence why there is none: it is open, and has to say something. */
  async #make(which: keyof ModelDocumentSources, signal: AbortSignal): Promise<MarkdownText> {
    try {
      return await this.#ask(which, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return md`# ${escaped(titleOf(which))}\n\n${escaped(errorSentence(ExplorerError.from(error)))}\n`;
    }
  }

  async #ask(which: keyof ModelDocumentSources, signal: AbortSignal): Promise<MarkdownText> {
    return which === 'chatTemplate'
      ? chatTemplateMarkdown(await this.#sources.chatTemplate(signal))
      : (await this.#sources[which](signal)).markdown;
  }

  /** Opens a document on the model in use, rendered where VS Code can; what takes long can be cancelled. Where there is nothing to show, says why. */
  async show(which: keyof ModelDocumentSources): Promise<void> {
    const uri = vscode.Uri.from({ scheme: modelDocumentScheme, path: `/${fileNames[which]}` });
    const controller = new AbortController();
    const making = this.#ask(which, controller.signal);
    const progress = showWaiting(titleOf(which), making, () => controller.abort());
    let text: MarkdownText;
    try {
      text = await making;
    } catch (error) {
      if (controller.signal.aborted) return;
      // One that is open from before says it too.
      this.#changeEmitter.fire(uri);
      reportFailure(panelError(ExplorerError.from(error)), false);
      return;
    } finally {
      progress.dispose();
    }
    this.#texts.set(uri.path, text);
    this.#changeEmitter.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await untilItSays(document, text);
    const column = this.#column();
    try {
      await vscode.commands.executeCommand('vscode.openWith', document.uri, previewEditor, {
        viewColumn: column,
        preview: true,
      });
    } catch {
      // The built-in Markdown support can be turned off.
      await vscode.window.showTextDocument(document, { viewColumn: column, preview: true });
    }
  }

  dispose(): void {
    this.#store.dispose();
  }
}

function documentOf({ path }: vscode.Uri): keyof ModelDocumentSources {
  return path.endsWith(fileNames.chatTemplate) ? 'chatTemplate' : path.endsWith(fileNames.input) ? 'input' : 'report';
}

function titleOf(which: keyof ModelDocumentSources): PlainText {
  switch (which) {
    case 'report':
      return said('Extraction Report');
    case 'input':
      return said('Input');
    case 'chatTemplate':
      return said('Chat Template');
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
      saidMarkdown(
        'It stands in {0} and is not applied, unless you ask for it with "Explain as Chat Message".',
        codeSpan(fileName),
      ),
      example,
      md`## ${saidMarkdown('The Template')}`,
      codeBlock('jinja', text, maxShown),
      md``,
    ],
    '\n\n',
  );
}
