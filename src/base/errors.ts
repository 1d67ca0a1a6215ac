import { saysOutOfMemory } from './outOfMemory';
import { plain, plainLines, type PlainLines, type PlainText } from './safeText';

/** The reasons for which a user's request can fail. Compare codes, never texts. */
export type ErrorCode = keyof typeof errorSentences;

/**
 * One English sentence per code that says what happened and what to do; `{0}`, `{1}` stand for the error's arguments.
 * The editor shows its translation, the command line the sentence itself.
 */
export const errorSentences = {
  emptyText: 'There is no text to explain here: select some text, or go to where there is some.',
  nothingOpen: 'No text is open that could be explained: open a file, or explain a sample.',
  noTokens: 'The tokenizer made no token of this text: select other text, or choose another model.',
  binaryFile: '{0} is a binary file: open a text file to explain its attention.',
  textTooLarge: '{0} is {1} MB long, more than the {2} MB that can be explained: select a part of it.',
  fileNotFound: '{0} does not exist: check the path.',
  fileUnreadable: '{0} cannot be read ({1}): check that it is a file that you may read.',
  fileTooLarge:
    '{0} is {1} large, more than the {2} that are read of such a file: check that it is the right one, or use a smaller one.',
  outputNotWritten: 'The output cannot be written: make room, or send it elsewhere.',
  fileNotWritten:
    '{0} cannot be written ({1}): choose a file in a folder that exists, where you may write and there is room.',
  folderNotWritten: '{0} cannot be written into ({1}): choose a folder where you may write and there is room.',
  folderInUse: '{0} is being written by {1}: wait until that is done, or choose another folder.',
  folderTaken:
    'The lock of {0} is no longer that of this process, so that another one may have gone on with it: what was finished is kept; try again.',
  hubUnreachable:
    'The hub {0} cannot be reached ({1}): check the connection, and the proxy in the settings of VS Code, then try again.',
  hubTokenNeeded:
    'The hub gives {0} only to those whom it knows: enter an access token of yours with "Select Model", or choose another model.',
  hubNotAllowed:
    'The hub does not give {0} to you: open its page there, accept its conditions, and try again; or enter another access token.',
  hubNotFound: 'The hub has no model {0}, or shows it only to those whom it knows: check the name.',
  hubBusy: 'The hub {0} is asked too often from here: wait a few minutes, and try again.',
  hubAnswerInvalid:
    'What the hub answers is not understood ({0}): try again later, and check the setting "attentionExplorer.hubAddress".',
  hubNoModel: '{0} has no ONNX file that can be downloaded: choose another model, or export it to ONNX.',
  hubFileWrong: '{0} did not come as the hub announced it ({1}), so it was thrown away: download it again.',
  hubNoRoom:
    'There is no room for this model: it takes {0} more, and there are {1} in {2}: make room, or choose another folder in the setting "attentionExplorer.hubFolder".',
  hubInUse: '{0} is being downloaded already: wait for it, or pause it first.',
  hubNotRemoved: '{0} cannot be removed ({1}): close what uses it, and try again.',
  attentionFileInvalid:
    '{0} cannot be shown as attention ({1}): the readme says what an attention file holds, and how to write one.',
  explanationInvalid:
    '{0} is no saved explanation ({1}): save one with "Save Explanation", or open it as text to see what is wrong.',
  explanationUntrusted:
    '{0} names the model {1}, and this workspace is not trusted: trust it, or save the explanation with its numbers, for which no model is needed.',
  explanationElsewhere:
    '{0} names the model {1}, which is on another machine: opening the file would connect to it, so it is not opened; copy the model here, or put the machine into the setting "security.allowedUNCHosts".',
  explanationAlone:
    '{0} is a saved explanation: explain its text in an editor to compare it, or to let the model go on with it.',
  noModelHere: '{0} is an attention file: what its model would have to be run for cannot be had.',
  outputTooLarge:
    'This output is {0} large, more than the {1} that a notebook shows: save it as an attention file and open that.',
  outputInvalid: 'This output holds no attention file as base64: the readme says what it takes.',
  modelNotFound: 'There is no model at {0}: choose an .onnx file, or a folder that holds one, with "Select Model".',
  modelAmbiguous: '{0} holds several models ({1}): choose one of the files.',
  modelTruncated: 'The model file {0} ends too early (at byte {1}): download or export it again.',
  modelNotOnnx: '{0} is not an ONNX model ({1}): choose an .onnx file.',
  modelOrtFormat: '{0} is in the ORT format, whose graph cannot be extended: use the .onnx file that it was made from.',
  modelNoAttention:
    'No attention was found in {0}: run "Show Extraction Report" to see what was looked at, or choose a Transformer model.',
  attentionRefused:
    'What looks like attention in {0} is not drawn, because {1}: run "Show Extraction Report" to see every place, or choose another model.',
  modelUnsupported: 'The model {0} cannot be used: {1}.',
  modelTooLarge:
    'The model {0} needs about {1} MB and the runtime can hold {2} MB: choose a smaller or a quantised variant.',
  externalDataMissing: 'The weights file {1} of the model {0} is missing: put it beside the model.',
  externalDataInvalid: 'The weights file {1} of the model {0} holds no weights ({2}).',
  externalDataOutside:
    'The model {0} has weights outside its own folder ({1}): such a model is not opened; put the weights beside it.',
  checksFailed: 'The attention of {0} does not pass its checks ({1}): it is not drawn.',
  modelReadsImages:
    '{0} reads pictures, not text: run "Explain Attention on Image" on a picture, or choose a model of text with "Select Model".',
  pictureBesideText:
    'The model {0} reads pictures only as a part of a text, through {1} and then {2}: run "Explain Attention on Image" and write the text, or choose a model of pictures.',
  pictureNotWritten:
    'The model {0} reads a picture within a text through {1} and then {2}, and {3}: explain a text with it, or choose a model of pictures.',
  modelReadsText:
    '{0} reads text, not pictures: run "Explain Attention" on a text, or choose a model of pictures with "Select Model".',
  imageUnreadable: 'The picture {0} cannot be read ({1}): use a PNG, JPEG, WebP or GIF file.',
  imageTooLarge: 'The picture {0} has {1}, more than the {2} that can be explained: scale it down.',
  imageTooNarrow:
    'The picture {0} ({1} pixels) is too small or too narrow for the settings of the model, which would leave no pixels of it: use a larger one.',
  imageNoGrid: 'The attention of {0} cannot be laid over a picture: {1}.',
  inputNotMade: 'The model needs the input "{0}" ({1}), which cannot be made from text: choose another model.',
  targetStartUnknown:
    'The settings of {0} do not say with which token its output begins: put the config.json that belongs to the model beside it, with decoder_start_token_id.',
  targetNotWritten:
    'The model {0} gives no scores of tokens, so it cannot write a target: run "Explain with Target Text…" with a text of your own.',
  languagesNotKnown:
    'Nothing is shown of a model that knows languages: explain a text with a translator such as NLLB or mBART first.',
  methodNotOffered: '{0} cannot be shown of this model: {1}.',
  targetNotRead:
    'The model {0} reads one text only: a target text is for encoder–decoder models; choose one, or run "Explain Attention".',
  pairNotRead:
    "{0} does not read two texts as a pair: {1}; explain one text, or choose an encoder that was trained on pairs, such as one of BERT's kind.",
  pairNotSelected:
    'Two texts are explained as a pair, and there are not two selections: select the first text, then hold Alt and select the second.',
  tokenTypeUnknown:
    'The tokenizer does not belong to the model: it makes tokens of type {0}, and {1} knows {2} types; put the right tokenizer.json beside the model, or choose it.',
  contextNotRead:
    '{0} writes a text of its own for all that it reads, so it reads a selection alone: choose "Selection alone", or another model.',
  liveWrites:
    'Live mode needs a model that only reads, and {0} writes a text of its own: run "Explain Attention", or choose another model.',
  tokenizerNotFound:
    'There is no tokenizer.json beside the model {0}: put the one that belongs to the model there, or choose it.',
  tokenizerInvalid: 'The tokenizer {0} cannot be read ({1}): download or export it again.',
  tokenizerUnsupported: 'The tokenizer uses {0}, which is not supported: choose another model.',
  tokenizerTooCostly: 'The tokenizer {0} asks for too much work ({1}): select less text, or choose another model.',
  tokenizerMismatch:
    'The tokenizer does not belong to the model: it makes id {0}, and the model knows {1} ids; put the right tokenizer.json beside the model, or choose it.',
  chatTemplateNotFound: 'The model {0} has no chat template: run "Explain Attention" instead.',
  chatTemplateFailed: 'The model\'s chat template cannot be applied ({0}): run "Explain Attention" instead.',
  tookTooLong: '{0} took longer than {1} s and was ended: choose another model, or a smaller text or picture.',
  commandTookTooLong:
    'The command took longer than {0} s and was ended: allow it more with --timeout, or give it less to do.',
  runtimeFailed: 'The runtime could not run the model ({0}): see the log, or choose another model.',
  outOfMemory:
    'There is not enough memory for {0}: select less text, lower the token limit, or choose a smaller model.',
  engineStopped: 'The engine stopped ({0}): restart it with "Restart Engine".',
  commandStopped: 'The command stopped before it was done ({0}): run it again, or with another model.',
  modelChanged: 'The file {0} of the model changed while it was in use: run the command again.',
  disconnected: 'The connection was closed: run the command again.',
  documentClosed: 'The text was closed before its attention was ready: open it and run the command again.',
  documentChanged: 'The text was edited before its attention was ready: run the command again.',
  untrustedWorkspace:
    'This workspace is not trusted, so what its settings say of the model and its limits is ignored: trust the workspace, or choose a model with "Select Model".',
  untrustedSettings:
    'This workspace is not trusted and its settings file has more than {0} kB, so it is not looked at, and what it says of the model and its limits is ignored: trust the workspace, or choose a model with "Select Model".',
  untrustedModel:
    '{0} is supplied by this workspace, or may be through links, and the workspace is not trusted: trust it, or choose another model with "Select Model".',
  fileOutside:
    '{0} is a link that leads out of the folder of its model: put the file itself there, or choose another model.',
  notShownHere:
    'What this panel showed before is not known in this workspace, so it is not explained again: select some text and run "Explain Attention".',
  randomTooShort: '{0} reads too few tokens for a random text that comes twice ({1}): choose another model.',
  noGrammar:
    'Relations are known of programs that there is a grammar for, which is not so for {0}: there are grammars of {1}.',
  noRelations:
    'Relations are those between the tokens of one program, which "{0}" does not show: choose the self-attention of a program.',
  codeNotParsed: 'The program was not parsed, as {0}: select a smaller part of it.',
  nothingRead: 'The model {0} has read nothing yet: run "Explain Attention" first.',
  unknownRun: 'This attention is no longer held: run "Explain Attention" again.',
  figureNotDrawn: 'The panel has not drawn the picture: it has to be in sight; a figure as SVG needs no panel.',
  browserNotDrawn:
    'No browser on this machine has drawn the figure ({0}): install Chromium, Chrome or Edge, or choose SVG.',
  howNotFollowed: 'How this weight came about cannot be shown: {0}.',
  noContinuation: '{0} does not go on with this text: {1}.',
  noWrites: 'What heads write to a prediction of {0} cannot be told: {1}.',
  noSuchToken: '{0} is no token of the vocabulary of {1}: {2}.',
  sameTwice:
    '{0} is compared with itself, which is no difference whatever is done: compare it with another, or with none.',
  noPredictions: 'What {0} predicts cannot be shown: {1}.',
  noEffects: 'What heads do to the predictions of {0} cannot be measured: {1}.',
  notCompared: 'These two cannot be compared: {0}.',
  noProfile:
    'What the heads of {0} do depends on the text that it writes itself for all that it reads, so that it has no profile: choose a model that only reads.',
  profileInvalid:
    '{0} cannot be read as a profile ({1}): leave it out, or profile its texts again into an empty folder.',
  profileOther:
    '{0} is a profile by other settings ({1}): profiles are merged and gone on with by the same model and settings alone.',
  profileOfOther:
    '{0} is a profile of {1}, whose heads are not those of {2}: choose another, or profile this model ("Profile Heads on Workspace").',
  noProfileYet: 'There is no profile of {0}: choose one, or make one ("Profile Heads on Workspace").',
  profileExampleGone:
    'The text of this example ({0}) is not in this workspace: open the folder that was profiled, and try again.',
  nothingToProfile: 'There is nothing to profile: {0}.',
  invalidArgument: '{0} is not valid: {1}.',
  wrongUsage: '{0} is not valid: {1}; "attention-explorer --help" says how it is used.',
  invalidMessage: 'A message was not understood ({0}): reload the window.',
  cancelled: 'Cancelled.',
  internal: 'Something went wrong inside Attention Explorer ({0}): see the log, and report it.',
} as const satisfies Record<string, string>;

/** An argument as it may stand in a sentence: what a file says may be no more than one line of it. */
export function plainArgument(argument: string | number): PlainText | number {
  return typeof argument === 'number' ? argument : plain(argument);
}

/** Fills `{0}`, `{1}`, … of a sentence of our own with the arguments, each as one bounded line. */
export function formatSentence(template: string, args: readonly (string | number)[]): PlainText {
  return template.replace(/\{(\d+)\}/g, (whole, index: string) =>
    String(plainArgument(args[Number(index)] ?? whole)),
  ) as PlainText; // the template is ours, the arguments are plain
}

/** What crosses a process border of an {@link ExplorerError}. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly args: readonly (string | number)[];
  readonly details?: string | undefined;
}

/** UTF-16 units of the details that are kept of an error: a stack, or a few sentences of a runtime. */
const maxDetails = 8000;

/** The one error class that crosses borders: a code, the sentence's arguments, and folded details for the log. */
export class ExplorerError extends Error {
  readonly code: ErrorCode;
  /** Plain, wherever they come from. */
  readonly args: readonly (PlainText | number)[];
  readonly details: PlainLines | undefined;

  constructor(
    code: ErrorCode,
    args: readonly (string | number)[] = [],
    options: { cause?: unknown; details?: string | undefined } = {},
  ) {
    super(formatSentence(errorSentences[code], args), { cause: options.cause });
    this.name = 'ExplorerError';
    this.code = code;
    this.args = args.map(plainArgument);
    const details = options.details ?? (options.cause instanceof Error ? options.cause.message : undefined);
    this.details = details === undefined ? undefined : plainLines(details, maxDetails);
  }

  /** The English sentence. */
  get sentence(): PlainText {
    return this.message as PlainText; // formatted as such
  }

  /** The plain object that {@link ExplorerError.deserialize} turns back into an error. */
  serialize(): SerializedError {
    return { code: this.code, args: this.args, details: this.details };
  }

  /** Rebuilds an error from the other side; anything malformed becomes an `internal` error. */
  static deserialize(value: unknown): ExplorerError {
    if (
      typeof value === 'object' &&
      value !== null &&
      'code' in value &&
      typeof value.code === 'string' &&
      Object.hasOwn(errorSentences, value.code)
    ) {
      const args =
        'args' in value && Array.isArray(value.args)
          ? value.args.slice(0, 10).map((arg) => (typeof arg === 'number' ? arg : String(arg)))
          : [];
      const details = 'details' in value && typeof value.details === 'string' ? value.details : undefined;
      return new ExplorerError(value.code as ErrorCode /* own key of the table, checked above */, args, { details });
    }
    return new ExplorerError('internal', [String(value)]);
  }

  /** The error itself if it is ours, else one that carries it as its cause: `outOfMemory` where it says so, or `internal`. */
  static from(error: unknown): ExplorerError {
    if (error instanceof ExplorerError) return error;
    if (error instanceof RangeError && saysOutOfMemory(error.message))
      return new ExplorerError('outOfMemory', ['this'], { cause: error, details: error.stack });
    return new ExplorerError('internal', [error instanceof Error ? error.message : String(error)], {
      cause: error,
      details: error instanceof Error ? error.stack : undefined,
    });
  }
}

/** Whether an error says that the request was cancelled (such errors are silent). */
export function isCancelled(error: unknown): boolean {
  return error instanceof ExplorerError && error.code === 'cancelled';
}
