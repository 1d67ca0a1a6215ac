import * as vscode from 'vscode';
import type { PanelAction } from '../../protocol';
import { commands } from './commandIds';

/** Does what a button of the panel or of a notification says. */
export async function runAction(action: PanelAction): Promise<void> {
  switch (action) {
    case 'explain':
      return vscode.commands.executeCommand(commands.explainAttention);
    case 'explainSample':
      return vscode.commands.executeCommand(commands.explainSample);
    case 'explainFromStart':
      return vscode.commands.executeCommand(commands.explainFromStart);
    case 'readInContext':
      return vscode.commands.executeCommand(commands.readInContext);
    case 'readAlone':
      return vscode.commands.executeCommand(commands.readAlone);
    case 'openFile':
      return vscode.commands.executeCommand('workbench.action.files.openFile');
    case 'explainWithTarget':
      return vscode.commands.executeCommand(commands.explainWithTarget);
    case 'useModelOutput':
      return vscode.commands.executeCommand(commands.useModelOutput);
    case 'chooseLanguages':
      return vscode.commands.executeCommand(commands.chooseLanguages);
    case 'toggleLive':
      return vscode.commands.executeCommand(commands.toggleLiveMode);
    case 'rerun':
      return vscode.commands.executeCommand(commands.explainAgain);
    case 'cancel':
      return vscode.commands.executeCommand(commands.cancel);
    case 'restartEngine':
      return vscode.commands.executeCommand(commands.restartEngine);
    case 'selectModel':
      return vscode.commands.executeCommand(commands.selectModel);
    case 'selectTextModel':
      return vscode.commands.executeCommand(commands.selectModel, 'text');
    case 'selectImageModel':
      return vscode.commands.executeCommand(commands.selectModel, 'image');
    case 'trustWorkspace':
      return vscode.commands.executeCommand('workbench.trust.manage');
    case 'chooseModelFile':
      return vscode.commands.executeCommand(commands.chooseModelFile);
    case 'chooseTokenizer':
      return vscode.commands.executeCommand(commands.chooseTokenizer);
    case 'showReport':
      return vscode.commands.executeCommand(commands.showExtractionReport);
    case 'showLog':
      return vscode.commands.executeCommand(commands.showLog);
    case 'openSettings':
      return vscode.commands.executeCommand(commands.openSettings);
  }
}
