import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { ExplorerError } from '../../base/errors';
import type { ChatTemplateView, ReportView } from '../../protocol';
import { errorSentence } from '../localize';

/** The scheme of the documents that tell about the model in use. */
export const modelDocumentScheme = 'attention-explorer-report';

/** The documents there are, by the name of their file. */
const fileNames = { report: 'Extraction Report.md', chatTemplate: 'Chat Template.md' } as const;

/** What the documents are made of; each asks about the model in use. */
export interface ModelDocumentSources {
  readonly report: () => Promise<ReportView>;
  readonly chatTemplate: () => Promise<ChatTemplateView>;
}

/** Provides what is known of the model in use as Markdown documents that are made anew each time they are asked for. */
export class ModelDocuments implements vscode.TextDocumentContentProvider, Disposable {
  readonly #sources: ModelDocumentSources;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<vscode.Uri>());
  readonly onDidChange = this.#changeEmitter.event;

  constructor(sources: ModelDocumentSources) {
    this.#sources = sources;
    this.#store.add(vscode.workspace.registerTextDocumentContentProvider(modelDocumentScheme, this));
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const isTemplate = uri.path.endsWith(fileNames.chatTemplate);
    try {
      return isTemplate ? chatTemplateMarkdown(await this.#sources.chatTemplate()) : (await this.#sources.report()).markdown;
    } catch (error) {
      return `# ${isTemplate ? vscode.l10n.t('Chat Template') : vscode.l10n.t('Extraction Report')}\n\n${errorSentence(ExplorerError.from(error))}\n`;
    }
  }

  /** Opens a document on the model in use, rendered where VS Code can. */
  async show(which: keyof ModelDocumentSources): Promise<void> {
    const uri = vscode.Uri.from({ scheme: modelDocumentScheme, path: `/${fileNames[which]}` });
    this.#changeEmitter.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
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

function chatTemplateMarkdown({ modelName, fileName, text, prefix, suffix, error }: ChatTemplateView): string {
  const example =
    prefix === undefined || suffix === undefined
      ? errorSentence(ExplorerError.deserialize(error))
      : `${vscode.l10n.t('Around a message it says:')}\n\n${fenced('text', `${prefix}«${vscode.l10n.t('your text')}»${suffix}`)}`;
  return [
    `# ${vscode.l10n.t('Chat Template of {0}', modelName)}`,
    vscode.l10n.t('It stands in {0} and is not applied, unless you ask for it with "Explain as Chat Message".', `\`${fileName}\``),
    example,
    `## ${vscode.l10n.t('The Template')}`,
    fenced('jinja', text),
    '',
  ].join('\n\n');
}

/** A code block whose fence is longer than any run of backticks in the text. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
