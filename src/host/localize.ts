import * as vscode from 'vscode';
import { errorSentences, type ErrorCode, type ExplorerError } from '../base/errors';
import { noticeSentences, type Notice } from '../model/modelInfo';
import type { PanelAction, PanelButton, PanelError, Stage } from '../protocol';

/** What a person can do about each failure; those not listed can only be tried again. */
const actionOf: Partial<Record<ErrorCode, PanelAction>> = {
  emptyText: 'explain',
  nothingOpen: 'explainSample',
  noTokens: 'selectTextModel',
  binaryFile: 'explain',
  textTooLarge: 'explain',
  modelNotFound: 'selectModel',
  modelAmbiguous: 'chooseModelFile',
  modelTruncated: 'selectModel',
  modelNotOnnx: 'selectModel',
  modelOrtFormat: 'selectModel',
  modelNoAttention: 'showReport',
  attentionRefused: 'showReport',
  modelUnsupported: 'showReport',
  modelReadsImages: 'selectTextModel',
  modelReadsText: 'selectImageModel',
  modelTooLarge: 'selectModel',
  externalDataMissing: 'selectModel',
  externalDataOutside: 'selectModel',
  checksFailed: 'showReport',
  imageNoGrid: 'showReport',
  inputNotMade: 'selectTextModel',
  targetNotRead: 'useModelOutput',
  targetNotWritten: 'explainWithTarget',
  liveWrites: 'explain',
  targetStartUnknown: 'selectModel',
  tokenizerNotFound: 'chooseTokenizer',
  tokenizerInvalid: 'chooseTokenizer',
  tokenizerUnsupported: 'selectTextModel',
  tokenizerMismatch: 'chooseTokenizer',
  chatTemplateNotFound: 'explain',
  chatTemplateFailed: 'explain',
  runtimeFailed: 'showLog',
  outOfMemory: 'openSettings',
  engineStopped: 'restartEngine',
  documentClosed: 'explain',
  untrustedWorkspace: 'selectModel',
  untrustedSettings: 'selectModel',
  untrustedModel: 'trustWorkspace',
  fileOutside: 'selectModel',
  notShownHere: 'explain',
  invalidArgument: 'openSettings',
  internal: 'showLog',
};

/** What else helps, where the first thing to do may not be possible. */
const alternativeOf: Partial<Record<ErrorCode, PanelAction>> = {
  emptyText: 'explainSample',
  nothingOpen: 'openFile',
  modelNoAttention: 'selectTextModel',
  attentionRefused: 'selectTextModel',
  modelAmbiguous: 'selectTextModel',
  modelUnsupported: 'selectTextModel',
  checksFailed: 'selectTextModel',
  targetNotRead: 'selectTextModel',
  liveWrites: 'selectTextModel',
  tokenizerNotFound: 'selectTextModel',
  tokenizerInvalid: 'selectTextModel',
  tokenizerMismatch: 'selectTextModel',
  runtimeFailed: 'selectTextModel',
  outOfMemory: 'selectTextModel',
  untrustedModel: 'selectModel',
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
    case 'openFile':
      return vscode.l10n.t('Open a File');
    case 'explainWithTarget':
      return vscode.l10n.t('Explain with Target Text…');
    case 'useModelOutput':
      return vscode.l10n.t('Use the Model’s Own Output');
    case 'rerun':
      return vscode.l10n.t('Run Again');
    case 'cancel':
      return vscode.l10n.t('Cancel');
    case 'toggleLive':
      return vscode.l10n.t('Toggle Live Mode');
    case 'restartEngine':
      return vscode.l10n.t('Restart Engine');
    case 'selectModel':
      return vscode.l10n.t('Select Model');
    case 'selectTextModel':
      return vscode.l10n.t('Select Another Model');
    case 'selectImageModel':
      return vscode.l10n.t('Select a Model of Pictures');
    case 'trustWorkspace':
      return vscode.l10n.t('Manage Workspace Trust');
    case 'chooseModelFile':
      return vscode.l10n.t('Choose a File');
    case 'chooseTokenizer':
      return vscode.l10n.t('Choose Its Tokenizer');
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
  const button = (id: PanelAction): PanelButton => ({ id, title: actionTitle(id) });
  const alternative = alternativeOf[error.code];
  return { code: error.code, sentence: errorSentence(error), details: error.details, action: button(actionOf[error.code] ?? 'rerun'), ...(alternative === undefined ? {} : { alternative: button(alternative) }) };
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
    case 'readImage':
      return vscode.l10n.t('Reading the picture');
    case 'run':
      return vscode.l10n.t('Running the model');
    case 'generate':
      return vscode.l10n.t('Writing the target');
  }
}
