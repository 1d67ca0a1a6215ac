import * as vscode from 'vscode';
import type { PlainText } from '../../base/safeText';
import type { PanelAction } from '../../model/panelAction';
import { said } from '../say/said';
import { commands } from './commandIds';

interface Action {
  /** What it is called on a button. */
  readonly title: () => PlainText;
  readonly run: () => Thenable<unknown>;
}

const actions: Readonly<Record<PanelAction, Action>> = {
  explain: {
    title: () => said('Explain Attention'),
    run: () => vscode.commands.executeCommand(commands.explainAttention),
  },
  explainSample: {
    title: () => said('Explain a Sample'),
    run: () => vscode.commands.executeCommand(commands.explainSample),
  },
  explainFromStart: {
    title: () => said('From the Start'),
    run: () => vscode.commands.executeCommand(commands.explainFromStart),
  },
  readInContext: { title: () => said('In Context'), run: () => vscode.commands.executeCommand(commands.readInContext) },
  readAlone: { title: () => said('Selection Alone'), run: () => vscode.commands.executeCommand(commands.readAlone) },
  openFile: {
    title: () => said('Open a File'),
    run: () => vscode.commands.executeCommand('workbench.action.files.openFile'),
  },
  explainWithTarget: {
    title: () => said('Explain with Target Text…'),
    run: () => vscode.commands.executeCommand(commands.explainWithTarget),
  },
  useModelOutput: {
    title: () => said('Use the Model’s Own Output'),
    run: () => vscode.commands.executeCommand(commands.useModelOutput),
  },
  chooseLanguages: {
    title: () => said('Choose Languages…'),
    run: () => vscode.commands.executeCommand(commands.chooseLanguages),
  },
  rerun: { title: () => said('Run Again'), run: () => vscode.commands.executeCommand(commands.explainAgain) },
  toggleLive: {
    title: () => said('Toggle Live Mode'),
    run: () => vscode.commands.executeCommand(commands.toggleLiveMode),
  },
  cancel: { title: () => said('Cancel'), run: () => vscode.commands.executeCommand(commands.cancel) },
  restartEngine: {
    title: () => said('Restart Engine'),
    run: () => vscode.commands.executeCommand(commands.restartEngine),
  },
  selectModel: { title: () => said('Select Model'), run: () => vscode.commands.executeCommand(commands.selectModel) },
  selectTextModel: {
    title: () => said('Select Another Model'),
    run: () => vscode.commands.executeCommand(commands.selectModel, 'text'),
  },
  selectImageModel: {
    title: () => said('Select a Model of Pictures'),
    run: () => vscode.commands.executeCommand(commands.selectModel, 'image'),
  },
  trustWorkspace: {
    title: () => said('Manage Workspace Trust'),
    run: () => vscode.commands.executeCommand('workbench.trust.manage'),
  },
  chooseModelFile: {
    title: () => said('Choose a File'),
    run: () => vscode.commands.executeCommand(commands.chooseModelFile),
  },
  chooseTokenizer: {
    title: () => said('Choose Its Tokenizer'),
    run: () => vscode.commands.executeCommand(commands.chooseTokenizer),
  },
  chooseProfile: {
    title: () => said('Choose Profile of Heads…'),
    run: () => vscode.commands.executeCommand(commands.chooseProfile),
  },
  compareProfiles: {
    title: () => said('Compare with Profile…'),
    run: () => vscode.commands.executeCommand(commands.compareProfiles),
  },
  findInProfile: {
    title: () => said('Find Heads in Profile…'),
    run: () => vscode.commands.executeCommand(commands.findInProfile),
  },
  profileWorkspace: {
    title: () => said('Profile Heads on Workspace…'),
    run: () => vscode.commands.executeCommand(commands.profileWorkspace),
  },
  showReport: {
    title: () => said('Show Extraction Report'),
    run: () => vscode.commands.executeCommand(commands.showExtractionReport),
  },
  showLog: { title: () => said('Show Log'), run: () => vscode.commands.executeCommand(commands.showLog) },
  openSettings: {
    title: () => said('Open Settings'),
    run: () => vscode.commands.executeCommand(commands.openSettings),
  },
};

/** What each of the panel's actions is called on a button. */
export function actionTitle(action: PanelAction): PlainText {
  return actions[action].title();
}

/** Does what a button of the panel or of a notification says. */
export async function runAction(action: PanelAction): Promise<void> {
  await actions[action].run();
}
