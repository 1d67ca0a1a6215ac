import * as vscode from 'vscode';
import { runAction } from '../commands/runAction';
import type { PanelError } from '../../protocol';

/** Tells of a failure in a notification, unless the panel is seen: that shows it in place. */
export function reportFailure({ sentence, action }: PanelError, isPanelVisible: boolean): void {
  if (isPanelVisible) return;
  void vscode.window.showErrorMessage(sentence, ...(action ? [action.title] : [])).then((chosen) => {
    if (chosen !== undefined && action !== undefined) void runAction(action.id);
  });
}
