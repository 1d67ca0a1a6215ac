import { errorSentences, formatSentence, type ErrorCode, type ExplorerError } from '../base/errors';
import type { PlainText } from '../base/safeText';

/** Where what a person can do is another thing on the command line than in the editor: commands and settings there, options and files here. */
const sentences: Partial<Record<ErrorCode, string>> = {
  emptyText: 'There is no text to explain: name a file, or lines of one, that is not empty.',
  noTokens: 'The tokenizer made no token of this text: give another text, or name another model with --model.',
  binaryFile: '{0} is a binary file: name a text file, or a picture (PNG, JPEG, WebP or GIF).',
  textTooLarge:
    '{0} is {1} MB long, more than the {2} MB that can be explained: give a part of it, in a file or on the standard input (-).',
  modelNotFound:
    'There is no model at {0}: name an .onnx file, a folder that holds one, or one that comes with this program (bundled:NAME).',
  modelNoAttention:
    'No attention was found in {0}: "attention-explorer inspect" says what was looked at; name a Transformer model.',
  attentionRefused:
    'What looks like attention in {0} is not drawn, because {1}: "attention-explorer inspect" says every place.',
  modelReadsImages: '{0} reads pictures, not text: name a picture, or a model of text with --model.',
  modelReadsText: '{0} reads text, not pictures: name a text file, or a model of pictures with --model.',
  pictureBesideText:
    'The model {0} reads pictures only as a part of a text, through {1} and then {2}: give the text with --text ("explain IMAGE --text TEXT"), or name a model of pictures with --model.',
  inputNotMade:
    'The model needs the input "{0}" ({1}), which cannot be made from text: name another model with --model.',
  targetNotWritten: 'The model {0} gives no scores of tokens, so it cannot write a target: give one with --target.',
  targetNotRead:
    'The model {0} reads one text only: leave --target out, or name an encoder–decoder model with --model.',
  tokenizerNotFound:
    'There is no tokenizer.json beside the model {0}: put the one that belongs to the model there, or name it with --tokenizer.',
  tokenizerUnsupported:
    'The tokenizer uses {0}, which is not supported: name another model, or a tokenizer that does without.',
  tokenizerTooCostly: 'The tokenizer {0} asks for too much work ({1}): give less text, or name another model.',
  tokenizerMismatch:
    'The tokenizer does not belong to the model: it makes id {0}, and the model knows {1} ids; put the right tokenizer.json beside the model, or name it with --tokenizer.',
  tokenTypeUnknown:
    'The tokenizer does not belong to the model: it makes tokens of type {0}, and {1} knows {2} types; put the right tokenizer.json beside the model, or name it with --tokenizer.',
  sameTwice:
    '{0} is compared with itself, which is no difference whatever is done: give another with --against, or leave it out.',
  nothingRead: 'The model {0} has read nothing yet.',
  contextNotRead:
    'The model {0} writes a text of its own for all that it reads, so it reads a part of a file alone: leave --context out.',
  chatTemplateNotFound: 'The model {0} has no chat template: leave --chat out.',
  chatTemplateFailed: "The model's chat template cannot be applied ({0}): leave --chat out.",
  runtimeFailed: 'The runtime could not run the model ({0}): try another --backend, or name another model.',
  codeNotParsed: 'The program was not parsed, as {0}: give a part of the file (FILE:RANGE).',
  outOfMemory: 'There is not enough memory for {0}: give less text, or name a smaller model.',
  folderNotWritten: '{0} cannot be written into ({1}): name a folder with --out where you may write and there is room.',
  folderInUse: '{0} is being written by {1}: wait until that is done, end it, or name another folder with --out.',
  folderTaken:
    'The lock of {0} is no longer that of this process, so that another one may have gone on with it: what was finished is kept; give the same command again.',
  browserNotDrawn:
    'No browser on this machine has drawn the figure ({0}): name a Chromium, Chrome or Edge in the variable CHROME_PATH, or write an .svg.',
  hubUnreachable:
    'The hub {0} cannot be reached ({1}): check the connection, and the proxy in HTTPS_PROXY, then give the same command again: it goes on from there.',
  hubTokenNeeded:
    'The hub gives {0} only to those whom it knows: put an access token of yours into the variable HF_TOKEN, or choose another model.',
  hubNotAllowed:
    'The hub does not give {0} to you: open its page there, accept its conditions, and try again; or put another access token into HF_TOKEN.',
  hubAnswerInvalid:
    'What the hub answers is not understood ({0}): try again later, and check the variable HF_ENDPOINT.',
  hubNoRoom:
    'There is no room for this model: it takes {0} more, and there are {1} in {2}: make room, or name another folder with --out.',
  hubInUse: '{0} is being downloaded already: wait for it, or end it first.',
  cancelled: 'It was ended: the same command goes on from there.',
  internal:
    'Something went wrong inside Attention Explorer ({0}): report it, with what it prints where DEBUG=1 is set.',
};

/** What the command line says of an error, in one English sentence: with its own words for what to do. */
export function commandSentence({ code, args }: Pick<ExplorerError, 'code' | 'args'>): PlainText {
  return formatSentence(sentences[code] ?? errorSentences[code], args);
}
