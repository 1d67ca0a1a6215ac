import * as vscode from 'vscode';
import { labelText, messageText, type PlainText } from '../../base/safeText';

/** Tells of a failure, with buttons; resolves to the one that was chosen. */
export function showError(sentence: PlainText, buttons: readonly PlainText[]): Thenable<string | undefined> {
  return vscode.window.showErrorMessage(messageText(sentence), ...buttons);
}

/** Tells something. */
export function showInformation(sentence: PlainText): void {
  void vscode.window.showInformationMessage(messageText(sentence));
}

/** Tells something, with buttons; resolves to the one that was chosen. */
export function showChoice(sentence: PlainText, buttons: readonly PlainText[]): Thenable<string | undefined> {
  return vscode.window.showInformationMessage(messageText(sentence), ...buttons);
}

/** Asks in the middle of the window whether something is to be done; resolves to whether it is. */
export async function confirm(sentence: PlainText, button: PlainText): Promise<boolean> {
  return (await vscode.window.showWarningMessage(messageText(sentence), { modal: true }, button)) === button;
}

/** Tells something in the status bar, for a while. */
export function showInStatusBar(sentence: PlainText, milliseconds: number): void {
  vscode.window.setStatusBarMessage(labelText(sentence), milliseconds);
}

/** A step of something under way. */
export interface ProgressStep {
  readonly step: PlainText;
  /** Of the step, where it is known. */
  readonly percent: number | undefined;
  /** What the bar grows by, of a hundred. */
  readonly increment: number;
}

/** Shows a notification that can be cancelled, as long as a task takes. */
export function showProgressOf(
  title: PlainText,
  task: (report: (step: ProgressStep) => void, token: vscode.CancellationToken) => Promise<void>,
): void {
  void vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: messageText(title), cancellable: true },
    (progress, token) =>
      task(
        ({ step, percent, increment }) =>
          progress.report({
            message: percent === undefined ? messageText(step) : `${messageText(step)} (${percent} %)`,
            increment,
          }),
        token,
      ),
  );
}
