import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { messageText } from '../../base/safeText';
import { errorSentence } from '../localize';

/** Registers a command; VS Code shows the message of what it throws in a notification, so that is our own sentence. */
export function registerCommand(command: string, run: (...args: unknown[]) => unknown): vscode.Disposable {
  return vscode.commands.registerCommand(command, async (...args: unknown[]) => {
    try {
      return await run(...args);
    } catch (error) {
      throw new Error(messageText(errorSentence(ExplorerError.from(error))), { cause: error });
    }
  });
}
