import type { Continuation } from '../../model/continuation';
import type { ComponentInfo } from '../../model/head';
import type { Languages, LoadedModelInfo, Notice, RunLanguages } from '../../model/modelInfo';
import type { TokenStream } from '../../model/token';
import type { ExtractionReport } from '../../onnx/report/report';
import type { RandomText } from '../../protocol';
import type { FedFile } from '../session/fedInput';
import type { LayerSteps } from '../session/layerSteps';
import type { HeldLayer } from '../weights/heldLayer';
import type { PictureFile, SeenPicture } from './picturedText';

/** What a model is to read. */
export interface Reading {
  readonly text: string;
  /** A second text, which is read with it as a pair. */
  readonly second?: string | undefined;
  /** The most tokens of a text, special ones included; 0: as many as the model reads. */
  readonly tokenLimit: number;
  /** For a model with a decoder of its own: the target. Undefined: what the model writes. */
  readonly target?: string | undefined;
  /** For a model with a decoder of its own: what is translated into what, where it is not as the tokenizer's settings say. */
  readonly languages?: Languages | undefined;
  /** How a causal model goes on with the text. Refused by models that do not. */
  readonly continuation?: Continuation | undefined;
  /** Whether the model's chat template is put around the text. */
  readonly isChatMessage?: boolean | undefined;
  /** Whether it is one of many states of a text that is being edited: what is the same as in the one before is not read again, where the model allows. */
  readonly isLive?: boolean | undefined;
  /** Random tokens that come twice, in the place of the text; what is told of the latest run stays that of the one before. */
  readonly random?: RandomText | undefined;
  /** A picture that is read with the text, by a model that has a part for pictures. */
  readonly picture?: PictureFile | undefined;
  /** Whether it is a selection with the text around it, for which a model that writes a text of its own would write another. */
  readonly isInContext?: boolean | undefined;
}

/** What goes on while a model reads. */
export interface ReadingSteps extends LayerSteps {
  /** Given what is there of a reading that is long in coming, whenever it is more. */
  onGrowth?(growth: GrowingReading): void;
}

/** What is there of a reading whose layers come one after another: those to come have a place, and hold nothing. */
export type GrowingReading = Pick<Explanation, 'streams' | 'layers' | 'components' | 'notices'>;

/** The attention of one reading, ready for the store, and what is to be said of it. */
export interface Explanation {
  readonly streams: readonly TokenStream[];
  /** In the order of `components`, and of the layers of each. */
  readonly layers: readonly HeldLayer[];
  readonly components: readonly ComponentInfo[];
  readonly notices: readonly Notice[];
  /** Of a translator. */
  readonly languages?: RunLanguages | undefined;
  /** The picture that was read with the text, as the model sees it; the tokens of the stream that are its patches stand in the stream's grid. */
  readonly picture?: SeenPicture['picture'] | undefined;
  /** Number of tokens that were not read again; see {@link Reading.isLive}. */
  readonly numReused?: number;
  /** Milliseconds. */
  readonly timings: { readonly tokenize: number; readonly run: number };
}

/** A loaded model that reads texts: one stack, or an encoder and a decoder. */
export interface TextModel {
  readonly info: LoadedModelInfo;
  /** Reports of its files, with the checks of the latest run. */
  readonly reports: readonly ExtractionReport[];
  /** What its files were fed in the latest run; empty before one. */
  readonly fed: readonly FedFile[];
  /** Reads a text. Throws `noTokens`, `tokenizerMismatch`, `outOfMemory`, `runtimeFailed` or `checksFailed`. */
  explain(reading: Reading, steps: ReadingSteps): Promise<Explanation>;
  /** The target that the model writes for a text, without any attention. Throws `targetNotRead` where it has no decoder of its own. */
  write(text: string): Promise<string>;
  /** The tokens of so much of a text as fits into so many, as it would be read; of models that write nothing of their own. Throws what tokenising throws. */
  tokens?(text: string, tokenLimit: number): Promise<TokenStream>;
  release(): Promise<void>;
}
