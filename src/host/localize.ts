import * as vscode from 'vscode';
import { errorSentences, type ErrorCode, type ExplorerError } from '../base/errors';
import { noticeSentences, type Notice } from '../model/modelInfo';
import type { PanelAction, PanelError, Stage } from '../protocol';

/** What a person can do about each failure; those not listed can only be tried again. */
const actionOf: Partial<Record<ErrorCode, PanelAction>> = {
  emptyText: 'explain',
  noTokens: 'selectModel',
  binaryFile: 'explain',
  textTooLarge: 'explain',
  modelNotFound: 'selectModel',
  modelAmbiguous: 'selectModel',
  modelTruncated: 'selectModel',
  modelNotOnnx: 'selectModel',
  modelOrtFormat: 'selectModel',
  modelNoAttention: 'showReport',
  modelUnsupported: 'showReport',
  modelTooLarge: 'selectModel',
  externalDataMissing: 'selectModel',
  externalDataOutside: 'selectModel',
  checksFailed: 'showReport',
  inputNotMade: 'selectModel',
  tokenizerNotFound: 'selectModel',
  tokenizerInvalid: 'selectModel',
  tokenizerUnsupported: 'selectModel',
  tokenizerMismatch: 'selectModel',
  runtimeFailed: 'showLog',
  outOfMemory: 'openSettings',
  engineStopped: 'restartEngine',
  documentClosed: 'explain',
  untrustedWorkspace: 'selectModel',
  invalidArgument: 'openSettings',
  internal: 'showLog',
};

/** The localised sentence of an error. */
export function errorSentence(error: ExplorerError): string {
  return vscode.l10n.t(errorSentences[error.code], ...error.args);
}

/** The localised sentence of a notice. */
export function noticeSentence(notice: Notice): string {
  return vscode.l10n.t(noticeSentences[notice.code], ...notice.args);
}

/** What each of the panel's actions is called on a button. */
export function actionTitle(action: PanelAction): string {
  switch (action) {
    case 'explain':
      return vscode.l10n.t('Explain Attention');
    case 'explainSample':
      return vscode.l10n.t('Explain a Sample');
    case 'rerun':
      return vscode.l10n.t('Run Again');
    case 'cancel':
      return vscode.l10n.t('Cancel');
    case 'restartEngine':
      return vscode.l10n.t('Restart Engine');
    case 'selectModel':
      return vscode.l10n.t('Select Model');
    case 'showReport':
      return vscode.l10n.t('Show Extraction Report');
    case 'showLog':
      return vscode.l10n.t('Show Log');
    case 'openSettings':
      return vscode.l10n.t('Open Settings');
  }
}

/** An error as the panel shows it. */
export function panelError(error: ExplorerError): PanelError {
  const id = actionOf[error.code] ?? 'rerun';
  return { code: error.code, sentence: errorSentence(error), details: error.details, action: { id, title: actionTitle(id) } };
}

/** What a stage is called in the progress notification. */
export function stageTitle(stage: Stage): string {
  switch (stage) {
    case 'startEngine':
      return vscode.l10n.t('Starting the engine');
    case 'readModel':
      return vscode.l10n.t('Reading the model');
    case 'loadModel':
      return vscode.l10n.t('Loading the model');
    case 'tokenize':
      return vscode.l10n.t('Cutting the text into tokens');
    case 'run':
      return vscode.l10n.t('Running the model');
  }
}
