import * as vscode from 'vscode';
import { actionTitle } from '../localize';
import { commands } from './commandIds';

/** The menu behind the status bar item. */
export async function showMenu(isBusy: boolean, hasRun: boolean, isLive: boolean): Promise<void> {
  const item = (icon: string, title: string, command: string): vscode.QuickPickItem & { command: string } => ({ label: `$(${icon}) ${title}`, command });
  const items = [
    ...(isBusy ? [item('debug-stop', actionTitle('cancel'), commands.cancel)] : []),
    item('eye', actionTitle('explain'), commands.explainAttention),
    item('pulse', isLive ? vscode.l10n.t('Turn Live Mode Off') : vscode.l10n.t('Turn Live Mode On'), commands.toggleLiveMode),
    item('file-media', vscode.l10n.t('Explain Attention on Image'), commands.explainImage),
    ...(hasRun ? [item('open-preview', vscode.l10n.t('Open Panel'), commands.openPanel), item('list-tree', vscode.l10n.t('Select Head'), commands.selectHead), item('clear-all', vscode.l10n.t('Clear Highlights'), commands.clearHighlights)] : []),
    item('symbol-misc', actionTitle('selectModel'), commands.selectModel),
    item('checklist', actionTitle('showReport'), commands.showExtractionReport),
    item('debug-restart', actionTitle('restartEngine'), commands.restartEngine),
    item('output', actionTitle('showLog'), commands.showLog),
    item('gear', actionTitle('openSettings'), commands.openSettings),
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: 'Attention Explorer' });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
}
