import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { ExplorerError } from '../../base/errors';
import type { ReportView } from '../../protocol';
import { errorSentence } from '../localize';

/** The scheme of the documents that hold extraction reports. */
export const reportScheme = 'attention-explorer-report';

/** Provides extraction reports as Markdown documents that are made anew each time they are asked for. */
export class ReportDocuments implements vscode.TextDocumentContentProvider, Disposable {
  readonly #inspect: () => Promise<ReportView>;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<vscode.Uri>());
  readonly onDidChange = this.#changeEmitter.event;
  readonly #uri = vscode.Uri.from({ scheme: reportScheme, path: '/Extraction Report.md' });

  /** @param inspect reports on the model in use. */
  constructor(inspect: () => Promise<ReportView>) {
    this.#inspect = inspect;
    this.#store.add(vscode.workspace.registerTextDocumentContentProvider(reportScheme, this));
  }

  async provideTextDocumentContent(): Promise<string> {
    try {
      return (await this.#inspect()).markdown;
    } catch (error) {
      return `# ${vscode.l10n.t('Extraction Report')}\n\n${errorSentence(ExplorerError.from(error))}\n`;
    }
  }

  /** Opens the report on the model in use, rendered where VS Code can. */
  async show(): Promise<void> {
    this.#changeEmitter.fire(this.#uri);
    const document = await vscode.workspace.openTextDocument(this.#uri);
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
