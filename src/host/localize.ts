import { clauseIn } from '../base/clauses';
import { errorSentences, type ErrorCode, type ExplorerError } from '../base/errors';
import type { PlainText } from '../base/safeText';
import { noticeSentences, type Notice } from '../model/modelInfo';
import type { PanelAction } from '../model/panelAction';
import { stageSentences } from '../model/stage';
import type { PanelButton, PanelError } from '../panelProtocol';
import type { Progress } from '../protocol';
import { actionTitle } from './commands/panelActions';
import { said } from './say/said';

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
  pictureBesideText: 'selectImageModel',
  pictureNotWritten: 'selectImageModel',
  modelReadsText: 'selectImageModel',
  modelTooLarge: 'selectModel',
  externalDataMissing: 'selectModel',
  externalDataInvalid: 'selectModel',
  externalDataOutside: 'selectModel',
  checksFailed: 'showReport',
  imageNoGrid: 'showReport',
  inputNotMade: 'selectTextModel',
  languagesNotKnown: 'selectTextModel',
  targetNotRead: 'useModelOutput',
  targetNotWritten: 'explainWithTarget',
  contextNotRead: 'explain',
  pairNotRead: 'explain',
  pairNotSelected: 'explain',
  tokenTypeUnknown: 'chooseTokenizer',
  liveWrites: 'explain',
  targetStartUnknown: 'selectModel',
  tokenizerNotFound: 'chooseTokenizer',
  tokenizerInvalid: 'chooseTokenizer',
  tokenizerUnsupported: 'selectTextModel',
  tokenizerTooCostly: 'selectTextModel',
  tookTooLong: 'selectModel',
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
  explanationUntrusted: 'trustWorkspace',
  fileOutside: 'selectModel',
  notShownHere: 'explain',
  randomTooShort: 'selectTextModel',
  nothingRead: 'explain',
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
  contextNotRead: 'selectTextModel',
  pairNotRead: 'selectTextModel',
  tokenTypeUnknown: 'selectTextModel',
  liveWrites: 'selectTextModel',
  tokenizerNotFound: 'selectTextModel',
  tokenizerInvalid: 'selectTextModel',
  tokenizerMismatch: 'selectTextModel',
  runtimeFailed: 'selectTextModel',
  outOfMemory: 'selectTextModel',
  untrustedModel: 'selectModel',
};

/** Notices of a run that are said. */
const maxNotices = 20;

/** The localised sentence of an error. */
export function errorSentence(error: ExplorerError): PlainText {
  return said(errorSentences[error.code], ...error.args.map(saidClause)); // eslint-disable-line no-restricted-syntax -- the table is ours
}

/** An argument of an error in the person's language, where it is a clause of ours. */
function saidClause(argument: string | number): string | number {
  const known = typeof argument === 'string' ? clauseIn(argument) : undefined;
  return known === undefined ? argument : said(known.clause, ...known.args); // eslint-disable-line no-restricted-syntax -- the table is ours
}

/** The localised sentence of a notice. */
export function noticeSentence(notice: Notice): PlainText {
  return said(noticeSentences[notice.code], ...notice.args); // eslint-disable-line no-restricted-syntax -- the table is ours
}

/** The localised sentences of notices; a model can bring about thousands, of which the first ones are said. */
export function noticeLines(notices: readonly Notice[]): PlainText[] {
  const first = notices.slice(0, maxNotices).map(noticeSentence);
  return notices.length > maxNotices
    ? [...first, said('… and {0} more of this kind: run "Show Extraction Report".', notices.length - maxNotices)]
    : first;
}

/** An error as the panel shows it. */
export function panelError(error: ExplorerError): PanelError {
  const button = (id: PanelAction): PanelButton => ({ id, title: actionTitle(id) });
  const alternative = alternativeOf[error.code];
  return {
    code: error.code,
    sentence: errorSentence(error),
    details: error.details,
    action: button(actionOf[error.code] ?? 'rerun'),
    ...(alternative === undefined ? {} : { alternative: button(alternative) }),
  };
}

/** What is under way, in the progress notification. */
export function progressTitle({ stage, layers }: Progress): PlainText {
  if (layers !== undefined && layers.of > 0)
    return said('Running the model: layer {0} (0–{1})', Math.min(layers.done, layers.of - 1), layers.of - 1);
  return said(stageSentences[stage]); // eslint-disable-line no-restricted-syntax -- the table is ours
}
