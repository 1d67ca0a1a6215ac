import { formatSentence } from '../base/errors';
import type { PlainText } from '../base/safeText';
import type { ComponentInfo } from './head';
import type { TokenStream } from './token';

/** The execution backends of the runtime. */
export const backends = ['native', 'webgpu', 'wasm'] as const;
/** One of them. */
export type Backend = (typeof backends)[number];
/** What can be asked for: one of them, or what the machine does best. */
export const backendChoices = ['auto', ...backends] as const;
/** One of these choices. */
export type BackendChoice = (typeof backendChoices)[number];

/** A loaded model as its users see it. */
export interface ModelInfo {
  readonly name: PlainText;
  /** The path it was loaded from. */
  readonly path: string;
  readonly backend: Backend | 'file';
  /** Why this backend, in one English sentence. */
  readonly backendReason: PlainText;
  readonly numThreads: number;
  /** The most tokens that the model can read, if it says. */
  readonly contextLength: number | undefined;
  readonly vocabularySize: number | undefined;
  readonly reads: 'text' | 'image';
  /** The files that were read for it, relative to the folder that holds them all; at most twenty. */
  readonly readFiles?: readonly PlainText[];
  /** What their settings say of how a text is read, and what is taken for granted where they say nothing. */
  readonly settings?: readonly Notice[];
  readonly assumptions?: readonly Notice[];
}

/** A model that the engine runs. */
export interface LoadedModelInfo extends ModelInfo {
  readonly backend: Backend;
}

/** What the model itself says of its input, where it classifies: a label and its probability. */
export interface ModelAnswer {
  readonly label: PlainText;
  readonly probability: number;
}

/** What a model translates from and into, by the codes that its tokenizer knows. */
export interface Languages {
  readonly source?: string | undefined;
  readonly target?: string | undefined;
}

/** The languages of a run: all that can be named, and those that were used, as far as that is known. */
export interface RunLanguages extends Languages {
  readonly codes: readonly string[];
  /** Whether only the target's language can be chosen. */
  readonly isSourceFixed?: boolean;
}

/** One explanation: a text or a picture read by a model, with its attention held by the engine. */
export interface RunInfo {
  readonly runId: number;
  readonly model: ModelInfo;
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  /** What the reader must know: cut to the context length, padded, sites not drawn. Codes with arguments, localised by the host. */
  readonly notices: readonly Notice[];
  /** Where a picture's values come from: the settings, their file, what was done. In order. */
  readonly inputFacts?: readonly Notice[];
  /** Of a translator whose tokenizer knows languages. */
  readonly languages?: RunLanguages | undefined;
  /** The model's own answer, one for each question that it answers. */
  readonly answers?: readonly ModelAnswer[];
  /** In live mode: number of tokens whose attention stands as the run before has computed it. */
  readonly numReused?: number;
  /** Milliseconds that each stage took. */
  readonly timings: { readonly tokenize: number; readonly load: number; readonly run: number };
}

/** Number of tokens that a run is over: those of the text or picture, and of the target where there is one. */
export function numTokensOf({ streams }: Pick<RunInfo, 'streams'>): number {
  return streams.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

/** The sentences of {@link Notice}. */
export const noticeSentences = {
  cutToContext: 'Only the first {0} of {1} tokens are explained: this is all that {2} reads at once.',
  cutToLimit: 'Only the first {0} of {1} tokens are explained: the token limit in the settings says so.',
  cutToMemory: 'Only the first {0} of {1} tokens are explained: the attention of more does not fit into memory.',
  cutToShape: 'Only the first {0} of {1} tokens are explained: the model file is made for exactly {0}.',
  sentenceNotLowered:
    'The settings of Sentence Transformers ask for lower case (do_lower_case), which is not done here: texts in lower case are read as there.',
  cutFromLeft:
    'Only the last {0} of {1} tokens are explained: the tokenizer’s settings say that a text that is too long loses its beginning (truncation_side).',
  paddedOnRight:
    'The tokenizer’s settings fill texts up on the left (padding_side), which is not done for this model: the padding stands after the text.',
  paddedToShape: 'The text was padded to {0} tokens for the model; the padding is not shown.',
  paddingRead:
    'The model file has no mask that keeps the text from the padding: up to {0} % of a token’s attention is there, and not shown.',
  ownTokensRead:
    'The model also reads tokens of its own, which stand for parts of the text or for none (global tokens): up to {0} % of a token’s attention is there, and not shown.',
  targetCut: 'The model was still writing after {0} tokens: the rest of its output is not shown.',
  targetTextCut:
    'Only the first {0} of {1} tokens of the target text are explained: this is all that the model, memory and your limits allow.',
  siteNotDrawn: 'The attention at {0} is not drawn: {1}.',
  notOptimized:
    'The runtime could not optimize {0} ({1}): it runs as it is written, which takes longer and gives the same attention.',
  roundedProducts:
    '{0} lets the runtime round what its 4-bit weights are multiplied with (accuracy level 4): patterns differ by a few hundredths between native runtime and WebAssembly.',
  settingsNotRead: '{0} beside the model was not read ({1}): numbers that depend on what it says may be wrong.',
  tokenizerIsProgram:
    'Tokens may not be those of the model: its tokenizer, {0}, is a program of the library that it comes from, and tokenizer.json is used as it stands.',
  tokenizerNotAsClass:
    'Tokens may not be those of the model: its tokenizer is read as the file stands and not as {0} asks, because {1}.',
  tokenizerClassAssumed:
    'Tokens may not be those of the model: no file says of which class its tokenizer is, and {0} is assumed.',
  tokenizerTokensAlike:
    'Tokens may not be those of the model: its added tokens {0} are alike once the text is normalized, and the library that it comes from takes any of them, another in each run.',
  tokenizerSettingsUnknown:
    'tokenizer_config.json has settings that are not known here ({0}): tokens may not be those of the model.',
  pictureAssumed:
    'No preprocessor_config.json says how the model wants pictures: this one was scaled to {0} × {1} pixels, and its values to −1 … 1.',
  pictureCut:
    'The picture was scaled and its middle cut out, as the model’s settings say: what is shown is what the model sees.',
  pictureGreyCut:
    'The picture is of grey with 16 bits, of which Pillow, and so the model, takes all above 255 for white: save it with 8 bits if it should see more.',
  pictureCmyk:
    'The picture’s colours are CMYK: they were made red, green and blue as Pillow does, without their profile.',
  pictureSettings:
    'Pictures are made ready as {0} in {1} says, and as transformers {2} does it with Pillow: with torchvision values can differ by a step of 255.',
  pictureDefaults: 'Where {0} says nothing, what its class has is taken: {1}.',
  pictureStepScaled: 'It was scaled from {0} × {1} to {2} × {3} pixels.',
  pictureStepCut: 'Of {0} × {1} pixels the middle was cut out: {2} × {3}.',
  pictureStepPadded: 'It was filled up from {0} × {1} to {2} × {3} pixels.',
  pictureStepValues: 'Values of 0 to 255 became: {0}.',
  pictureNotMade: 'Pictures cannot be made ready as {0} says: {1}.',
  patchesByStride:
    'Each patch comes from {0} convolutions and poolings, which step {1} × {2} pixels in all: it also sees what lies around it.',
  edgePaddingRead:
    'The model fills the picture up at its edges, and reads that too: up to {0} % of a patch’s attention is there, and not shown.',
  pictureInTiles:
    'The picture is read in {0} × {1} tiles, one after the other, and then once more as a whole, as small as one of them (the thumbnail), as {2} does.',
  pictureBefore: 'The text does not say where the picture stands ({0}): it stands before the text.',
  picturePadded:
    'The picture was filled up to {0} × {1} pixels, as the model’s settings say: patches beside it are none of the picture.',
  processorAssumed:
    '{0} names no image processor: its settings were taken as those of a plain one (scale, cut, normalise), with those of a Vision Transformer where it says nothing.',
  inLanguages: 'The text was read as {0}, and the target is in {1}, as you have chosen.',
  fileNotShares:
    'Rows of {0} do not sum to one, so these numbers are no shares of attention: were they written after the softmax?',
  asPair: 'Two texts are explained as a pair, with the separators and token types that the tokenizer of {0} makes.',
  notAsPair: 'The model {0} reads no pairs of texts, so the first selection is explained by itself.',
  pairCut:
    'Of the first text the first {0} of {1} tokens are read, and of the second the first {2} of {3}: the longer text is cut first, and at its end.',
  asConversation:
    'The text is explained as a conversation: what the chat template of {0} says around its messages stands as chips.',
  asChatMessage:
    'The text is explained as a chat message: what the chat template of {0} says around it stands as chips.',
  notAsChatMessage: 'The model {0} has no chat template, so the text is explained as it is and not as a chat message.',
  specialInText: 'The text says {0}: this is read as special tokens of the model, not letter by letter.',
  wholeDocument: 'Nothing was selected, so the document is explained from its start.',
  wholeCell: 'Nothing was selected, so the cell is explained from its start.',
  aroundCaret: 'Nothing was selected, so the text around the caret is explained, from line {0} to line {1}.',
  settingLength: 'The model reads at most {0} tokens.',
  settingCutsLeft: 'A text that is too long loses its beginning (truncation_side).',
  settingSource: 'A text is read as {0} ({1}).',
  settingTarget: 'A target of your own is in {0} ({1}).',
  settingTypes: 'Types of tokens are those that the tokenizer makes.',
  usedLanguages: 'The latest run read the text as {0}, and its target is in {1}.',
  knownLanguages: 'The tokenizer knows {0} codes of languages.',
  assumedType: 'All tokens are of type 0, as model_input_names of the tokenizer’s settings has no token_type_ids.',
  filledUp: 'A text shorter than {0} tokens is filled up with id {1}.',
  filledUpLeft: 'A text shorter than {0} tokens is filled up on the left (padding_side) with id {1}.',
  filledUpUnstated: 'A text shorter than {0} tokens is filled up with id 0, as no padding token is stated.',
  filledUpUnstatedLeft:
    'A text shorter than {0} tokens is filled up on the left (padding_side) with id 0, as no padding token is stated.',
  assumedBatch: 'All {0} items of the batch are the same text, and the first is shown.',
  assumedHeads: 'No head is switched off.',
  assumedNoGlobal: 'No position has global attention.',
  assumedFirstGlobal: 'The first token has global attention, as the file was made for some that have.',
  assumedUnmasked: 'The text is not masked.',
  assumedNoPast: 'Nothing was read before, so caches are empty.',
  assumedFirstRun: 'The branch without a cache runs.',
  assumedAllScores: 'Scores of all positions are computed.',
} as const;

/** Something that the reader of a run must know. */
export interface Notice {
  readonly code: keyof typeof noticeSentences;
  readonly args: readonly (string | number)[];
}

/** The English sentence of a notice. */
export function noticeText({ code, args }: Notice): PlainText {
  return formatSentence(noticeSentences[code], args);
}
