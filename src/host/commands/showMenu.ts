import * as vscode from 'vscode';
import { iconLabel, plain, type PlainText } from '../../base/safeText';
import { commands } from './commandIds';
import { actionTitle } from './panelActions';
import { chooseOf, type ListItem } from '../say/lists';
import { said } from '../say/said';

/** The menu behind the status bar item. */
export async function showMenu(isBusy: boolean, hasRun: boolean, isLive: boolean): Promise<void> {
  const item = (icon: string, title: PlainText, command: string): ListItem & { command: string } => ({
    label: iconLabel(icon, title),
    command,
  });
  const items = [
    ...(isBusy ? [item('debug-stop', actionTitle('cancel'), commands.cancel)] : []),
    item('eye', actionTitle('explain'), commands.explainAttention),
    item('pulse', isLive ? said('Turn Live Mode Off') : said('Turn Live Mode On'), commands.toggleLiveMode),
    item('file-media', said('Explain Attention on Image'), commands.explainImage),
    ...(hasRun
      ? [
          item('open-preview', said('Open Panel'), commands.openPanel),
          item('list-tree', said('Select Head'), commands.selectHead),
          item('clear-all', said('Clear Highlights'), commands.clearHighlights),
        ]
      : []),
    item('symbol-misc', actionTitle('selectModel'), commands.selectModel),
    item('mortar-board', said('Learn Attention'), commands.learnAttention),
    ...(hasRun ? [item('symbol-array', said('Show Input'), commands.showInput)] : []),
    item('checklist', actionTitle('showReport'), commands.showExtractionReport),
    item('debug-restart', actionTitle('restartEngine'), commands.restartEngine),
    item('output', actionTitle('showLog'), commands.showLog),
    item('gear', actionTitle('openSettings'), commands.openSettings),
  ];
  const chosen = await chooseOf(items, { title: plain('Attention Explorer') });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
}
