import type { ComponentInfo } from './head';
import type { TokenStream } from './token';

/** The execution backends of the runtime. */
export type Backend = 'wasm' | 'webgpu';

/** A loaded model as its users see it. */
export interface ModelInfo {
  readonly name: string;
  /** The path it was loaded from. */
  readonly path: string;
  readonly backend: Backend;
  /** Why this backend, in one English clause; empty where it is the one asked for. */
  readonly backendReason: string;
  readonly numThreads: number;
  /** The most tokens that the model can read, if it says. */
  readonly contextLength: number | undefined;
  readonly vocabularySize: number | undefined;
}

/** One explanation: a text read by a model, with its attention held by the engine. */
export interface RunInfo {
  readonly runId: number;
  readonly model: ModelInfo;
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  /** What the reader must know: cut to the context length, padded, sites not drawn. Codes with arguments, localised by the host. */
  readonly notices: readonly Notice[];
  /** Milliseconds that each stage took. */
  readonly timings: { readonly tokenize: number; readonly load: number; readonly run: number };
}

/** The sentences of {@link Notice}. */
export const noticeSentences = {
  cutToContext: 'Only the first {0} of {1} tokens are explained: this is all that {2} reads at once.',
  cutToLimit: 'Only the first {0} of {1} tokens are explained: the token limit in the settings says so.',
  cutToMemory: 'Only the first {0} of {1} tokens are explained: the attention of more does not fit into memory.',
  cutToShape: 'Only the first {0} of {1} tokens are explained: the model file is made for exactly {0}.',
  paddedToShape: 'The text was padded to {0} tokens for the model; the padding is not shown.',
  siteNotDrawn: 'The attention at {0} is not drawn: {1}.',
  wholeDocument: 'Nothing was selected, so the document is explained from its start.',
} as const;

/** Something that the reader of a run must know. */
export interface Notice {
  readonly code: keyof typeof noticeSentences;
  readonly args: readonly (string | number)[];
}
