import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import type { LabelText, PlainLines } from '../../base/safeText';

/** What an item of the status bar looks like. */
export interface StatusLook {
  readonly label: LabelText;
  readonly tooltip: PlainLines | undefined;
  readonly isWarning: boolean;
}

/** Our item of the status bar; a click on it runs a command. */
export class StatusItem implements Disposable {
  readonly #item: vscode.StatusBarItem;

  constructor(id: string, name: string, command: string) {
    this.#item = vscode.window.createStatusBarItem(id, vscode.StatusBarAlignment.Right, 90);
    this.#item.name = name;
    this.#item.command = command;
  }

  get text(): string {
    return this.#item.text;
  }

  get tooltip(): string {
    return typeof this.#item.tooltip === 'string' ? this.#item.tooltip : '';
  }

  show({ label, tooltip, isWarning }: StatusLook): void {
    this.#item.text = label;
    this.#item.tooltip = tooltip;
    this.#item.backgroundColor = isWarning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.accessibilityInformation = {
      label: `${this.#item.name ?? ''}: ${label.replace(/\$\([^)]*\)\s*/, '')}`,
      role: 'button',
    };
    this.#item.show();
  }

  hide(): void {
    this.#item.hide();
  }

  dispose(): void {
    this.#item.dispose();
  }
}
