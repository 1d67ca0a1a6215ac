// Everything that crosses a process border: plain interfaces and event maps, types only.
// Client and server types are derived from them in `rpc/connection`.
import type { SerializedError } from './base/errors';
import type { MarkdownText } from './base/markdown';
import type { PlainLines, PlainText } from './base/safeText';
import type { ComponentInfo, HeadSelection } from './model/head';
import type { FileKind } from './model/fileLimits';
import type { BackendChoice, Languages, RunInfo } from './model/modelInfo';
import type { HeadTable } from './model/metrics/headTable';
import type { MetricId } from './model/metrics/metrics';
import type { AskedTokens, MetricTextData } from './model/metrics/metricText';
import type {
  EffectAnswer,
  EffectPath,
  EffectQuestion,
  HeadEffects,
  Intervention,
  LayerEffects,
  Replacement,
} from './model/effects/effects';
import type { CompareParams, Comparison } from './model/compare/comparison';
import type { Cell, How } from './model/how/how';
import type { Direction, Pattern } from './model/pattern';
import type { Continuation } from './model/continuation';
import type { Predictions } from './model/predictions';
import type { Writes } from './model/writes';
import type { HeadProfile, ProfileFile } from './model/profile/headProfile';
import type { ProfiledAs, TextToProfile } from './model/profile/textToProfile';
import type { MethodId } from './model/methods';
import type { MethodReasons, OfWeightForm, SinkMass, StrongestCell, Weighing, WeightForm } from './model/weightForm';
import type { ChosenNumbers } from './model/numbers/numbers';
import type { HeldArray } from './model/numbers/writtenArrays';
import type { FileForm } from './model/numbers/numbersFile';
import type { Program, RelationMethod, RelationsResult } from './model/relations/relationsParams';
import type { TextSymbol } from './model/units';
import type { Stage } from './model/stage';
import type { PinnedMean } from './model/viewState';

// ---- editor host → engine ----

/** What an engine runs models on; neither can change once it is warm. */
export interface EngineOptions {
  readonly backend: BackendChoice;
  /** Number of threads; 0 lets the engine choose. */
  readonly threads: number;
}

/** Which model to use, and how. */
export interface ModelSpec extends EngineOptions {
  /** A folder in the Hugging Face layout or an `.onnx` file: a path that the engine's file access understands. */
  readonly path: string;
  /** The tokenizer.json that the person chose for the model, instead of the one beside it. */
  readonly tokenizerPath?: string;
  /** Where no file of the model may lie; undefined: anywhere. */
  readonly barred?: BarredFolders;
}

/** The folders of a workspace that is not trusted, for an engine that reads files by itself. */
export interface BarredFolders {
  readonly folders: readonly string[];
  /** The folder of the models that ship with us, which may be used wherever it lies. */
  readonly except: string;
}

/** A text to explain. */
export interface ExplainParams {
  readonly model: ModelSpec;
  readonly text: string;
  /** A second text, which is read with it as a pair. Refused where tokenizer and model know no pairs. */
  readonly second?: string | undefined;
  /** The most tokens to explain, special ones included; 0 means as many as the model reads. */
  readonly tokenLimit: number;
  /** The target of an encoder–decoder model; undefined: what the model writes itself, greedily. */
  readonly target?: string | undefined;
  /** What an encoder–decoder model translates from and into, where that is not as its settings say. Refused by models that know no languages. */
  readonly languages?: Languages | undefined;
  /** How the model goes on with the text, which is explained with what it writes. Refused with `noContinuation` by models that do not. */
  readonly continuation?: Continuation | undefined;
  /** Whether the model's chat template is put around the text, as the one message of a user. */
  readonly isChatMessage?: boolean;
  /** Whether it is one of many states of a text that is being edited. Refused by models that write a text of their own. */
  readonly isLive?: boolean;
  /** Whether it is a selection with the text around it. Refused by models that write a text of their own: they would write another. */
  readonly isInContext?: boolean;
}

/** A picture to explain. */
export interface ExplainImageParams {
  readonly model: ModelSpec;
  /** A PNG, JPEG, WebP or GIF file: a path that the engine's file access understands. */
  readonly path: string;
  /** The file's bytes, where the engine cannot reach it. */
  readonly bytes?: Uint8Array;
  /** The text that is read with it, by a model that reads pictures within texts; without it such a model is refused by `pictureBesideText`. */
  readonly text?: string | undefined;
}

/** An attention file to open. */
export interface AttentionFileParams {
  /** A path that the engine's file access understands. */
  readonly path: string;
  /** The file's bytes, where the engine cannot reach it. */
  readonly bytes?: Uint8Array;
  /** Whether nothing is wanted of it before all of it is there. */
  readonly isWhole?: boolean;
}

/** Numbers of a run, and the file that they are written to. */
export interface WriteNumbersParams {
  readonly runId: number;
  /** A path of the engine's own machine, and whether something may be there. */
  readonly path: string;
  readonly flags: 'w' | 'wx';
  readonly numbers: Omit<ChosenNumbers, 'streams'>;
  readonly form: FileForm;
  /** Of the components whose weights are wanted in another form than as they are. */
  readonly forms: readonly { readonly component: ComponentInfo['component']; readonly form: WeightForm }[];
  /** By what they are to be looked at: what that takes beside them stands in the file, too. */
  readonly lookedAt?: Omit<MethodParams, 'runId'> | undefined;
}

/** A picture as a model sees it, after it was resized and cropped, before its values were normalised: RGBA, row-major, opaque. */
export interface PictureView {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  /** The picture that was given, and where all of it lies in this one: beyond its edges where it was cut. */
  readonly source?: { readonly width: number; readonly height: number } | undefined;
  readonly placed?:
    { readonly left: number; readonly top: number; readonly width: number; readonly height: number } | undefined;
}

/** A pattern of a run, of one head or aggregated. */
export interface PatternParams {
  readonly runId: number;
  readonly selection: HeadSelection;
}

/** The weights of one token in a pattern. */
export interface RowParams extends PatternParams {
  readonly position: number;
  readonly direction: Direction;
}

/** A large pattern as a whole: what is drawn first, and the numbers at its edges. */
export interface PatternOverview {
  readonly numQueries: number;
  readonly numKeys: number;
  /** Each number of `maxima` is the largest weight of a block of 2^level × 2^level cells; both sides have at most 512 blocks. */
  readonly level: number;
  readonly rows: number;
  readonly columns: number;
  /** `maxima[row * columns + column]`. */
  readonly maxima: Float32Array;
  /** The largest weight of each query's row, and its sum; `[numQueries]`. */
  readonly rowMaxima: Float32Array;
  readonly rowSums: Float32Array;
  /** The mean weight that each key gets over the queries that can read it; `[numKeys]`. */
  readonly columnMeans: Float32Array;
  /** The keys that draw much of every query's weight. */
  readonly sinks: readonly number[];
}

/** A part of a large pattern: tile (`row`, `column`), of 256 × 256 blocks of 2^level × 2^level cells, down to the overview's level. */
export interface TileParams extends PatternParams {
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

/** The largest weights of a tile's blocks: `maxima[row * columns + column]`. At level 0 these are the weights themselves. */
export interface PatternTile {
  readonly rows: number;
  readonly columns: number;
  readonly maxima: Float32Array;
}

/** All heads of a component, small. */
export interface ThumbnailParams {
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  /** The most rows and columns of one thumbnail. */
  readonly size: number;
  /** Only these layers of the component, by their numbers: the others then have no heads in the answer. All where it is missing. */
  readonly layers?: readonly number[] | undefined;
}

/** Max-pooled patterns of every head: `pixels[((layer, head) * rows + row) * columns + column]`, bytes of `encodeThumbnail`. */
export interface Thumbnails {
  /** Number of heads of each layer, in order. */
  readonly numHeads: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly pixels: Uint8Array;
  /** The sink keys of each head, in the order of the pictures. */
  readonly sinks: readonly (readonly number[])[];
}

/** Two tokens, or the mean of several and one other, in every head of a component: one of the lists has one position. */
export interface PairParams {
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  readonly queries: readonly number[];
  readonly keys: readonly number[];
}

/** One token, or the mean of several, in every head of a component, small. */
export interface HeadRowsParams {
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  readonly positions: readonly number[];
  readonly direction: Direction;
  readonly mean: PinnedMean;
  /** The most numbers for one head. */
  readonly size: number;
}

/** What a token reads, or what reads it, in every head: `maxima[head * columns + column]`, each the largest weight of as many neighbours. */
export interface HeadRows {
  readonly columns: number;
  readonly maxima: Float32Array;
}

/** Numbers of all heads of a component: the metrics named. */
export interface HeadTableParams {
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  readonly metrics: readonly MetricId[];
  /** The tokens that some metrics are about. */
  readonly asked?: AskedTokens | undefined;
}

/** A text of random tokens that comes twice: only there does a metric of induction tell what a head does, and not what the text repeats. */
export interface RandomText {
  /** How many tokens at most come twice: fewer where the model, or its vocabulary, has not as many. */
  readonly numTokens: number;
  /** The same seed gives the same tokens. */
  readonly seed: number;
}

/** Metrics of all heads of a component on a random text. */
export interface RandomParams {
  /** A run of the model. */
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  readonly metrics: readonly MetricId[];
  readonly random: RandomText;
}

/** What was measured on a random text; `random` is what came twice. */
export interface RandomTable {
  readonly table: HeadTable;
  readonly random: RandomText;
}

/** Asks how one weight of a run came about. */
export interface HowParams {
  readonly runId: number;
  readonly cell: Cell;
}

/** Asks what the model of a run predicts in it. */
export interface PredictParams {
  readonly runId: number;
  /** Of a masked language model: the place of the token that is masked; where it is missing, what stands at the text's own mask tokens. */
  readonly mask?: number | undefined;
}

/** An experiment: interventions, and the prediction of a run that they are to change. */
export interface EffectParams {
  readonly runId: number;
  readonly question: EffectQuestion;
  /** All of them at once; the empty list gives the plain run twice. */
  readonly interventions: readonly Intervention[];
  readonly path: EffectPath;
  /** The run that swapped heads take what they read from: of the same model, and of a text with as many tokens. */
  readonly otherId?: number | undefined;
}

/** A run with interventions, whose attention is to be held. */
export type IntervenedParams = Pick<EffectParams, 'runId' | 'interventions' | 'otherId'>;

/** Asks what silencing, or swapping, each head by itself does to a prediction of a run. */
export interface HeadEffectsParams extends Omit<EffectParams, 'interventions'> {
  readonly by: Replacement;
  /** Components whose heads are silenced; all where it is missing. */
  readonly components?: readonly ComponentInfo['component'][] | undefined;
  /** Names the scan in what is told of it while it is under way. */
  readonly scan: number;
}

/** A layer of a scan has come. */
export interface LayerEffectsGrown extends LayerEffects {
  readonly runId: number;
  readonly scan: number;
  /** How many heads have been silenced, and how many there are in all. */
  readonly done: number;
  readonly of: number;
}

/** Asks what heads write to the logit of a token where it is predicted, or to its difference to another's; tokens by their ids. */
export interface WritesParams {
  readonly runId: number;
  readonly position: number;
  readonly token: number;
  readonly against?: number | undefined;
}

/** What metrics are to know of the component's text, which is not where its weights are. */
export interface OfText {
  readonly text: MetricTextData;
}

/** Whether the component is causal, which its sinks depend on. */
export interface CausalParams {
  readonly isCausal: boolean;
}

/** A program that a run has read, whose relations a component's heads are measured along. */
export interface RelationsParams extends Program, CausalParams {
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  readonly method: RelationMethod;
}

/** A component whose heads are measured along the relations of its run's program. */
export type PanelRelationsParams = Pick<RelationsParams, 'runId' | 'component' | 'method'>;

/** A component of a run, and what its numbers are to be. */
export interface MethodParams {
  readonly runId: number;
  readonly component: ComponentInfo['component'];
  readonly method: MethodId;
}

/** A cell of a pattern, by its row and column. */
export interface CellParams extends PatternParams {
  readonly query: number;
  readonly key: number;
}

/** An extraction report, as text for people and as data. */
export interface ReportView {
  readonly title: PlainText;
  readonly markdown: MarkdownText;
  readonly json: string;
}

/** What a model was fed in its latest run, as a document and as Python that makes it. */
export interface InputView {
  readonly title: PlainText;
  readonly markdown: MarkdownText;
  readonly python: PlainLines;
}

/** What the engine does for the window. */
export interface EngineApi {
  /** Initialises the runtime; with a model, loads that too and lets it read a word. */
  warmUp(params: EngineOptions & { readonly model?: ModelSpec }): { readonly numThreads: number };
  /** Tokenises, loads the model if it is not the one held, runs it, holds the attention, and says what it holds. */
  explain(params: ExplainParams): RunInfo;
  /** The same for a picture; its only token stream has a grid. */
  explainImage(params: ExplainImageParams): RunInfo;
  /** Holds the attention of a file as if it were that of a run, which grows where it is long. Throws `attentionFileInvalid`, and what reading a file throws. */
  openAttention(params: AttentionFileParams): OpenedRun;
  /** The picture of a run. */
  picture(params: { readonly runId: number }): PictureView;
  pattern(params: PatternParams & OfWeightForm): Pattern;
  overview(params: PatternParams & CausalParams & OfWeightForm): PatternOverview;
  tile(params: TileParams & OfWeightForm): PatternTile;
  row(params: RowParams & OfWeightForm): { readonly weights: Float32Array };
  /** What lies on sinks in the rows of a pattern. */
  sinkMass(params: PatternParams & { readonly form: WeightForm }): SinkMass;
  strongestCell(params: CellParams & { readonly form: WeightForm }): StrongestCell;
  /** Weighs a component of a run by a method, where that was not done, and says what there is to know of its numbers. Throws `methodNotOffered`, and what a run throws. */
  weighing(params: MethodParams): Weighing;
  /** Why methods cannot be had of a component, as far as that is known without weighing it. */
  methodReasons(params: Omit<MethodParams, 'method'>): MethodReasons;
  thumbnails(params: ThumbnailParams & CausalParams & OfWeightForm): Thumbnails;
  /** The weight between two tokens in every head, in reading order. */
  headPairs(params: PairParams & OfWeightForm): { readonly weights: Float32Array };
  headRows(params: HeadRowsParams & CausalParams & OfWeightForm): HeadRows;
  headTable(params: Omit<HeadTableParams, 'asked'> & OfText): HeadTable;
  /** Lets a model read random tokens twice, and measures its heads on them; nothing of that run is kept. Throws `modelReadsImages` and `randomTooShort`. */
  measureRandom(params: RandomParams): RandomTable;
  /** Runs a part of the model again to tell how a weight came about. Throws `howNotFollowed`, and what a run throws. */
  how(params: HowParams): How;
  relations(params: RelationsParams): RelationsResult;
  /** What an outline of a program would list, by the grammar of its language; nothing where there is none. Throws `codeNotParsed`. */
  codeSymbols(params: Pick<Program, 'language' | 'text'>): { readonly symbols: readonly TextSymbol[] };
  /** How far the heads of a component are apart in two runs that are held. Throws `unknownRun` and `notCompared`. */
  compare(params: CompareParams): Comparison;
  /** Runs the model again without its attention, for what it predicts. Throws `noPredictions`, `invalidArgument`, and what a run throws. */
  predict(params: PredictParams): Predictions;
  /**
   * Makes an experiment: what a prediction is without and with interventions. Throws `noEffects`, `noPredictions`, `noSuchToken`,
   * `sameTwice`, `invalidArgument`, `outOfMemory`, and what a run throws.
   */
  effect(params: EffectParams): EffectAnswer;
  /** Holds the attention of a run with interventions as a run of its own, until that is released: of layers behind them, and of all others as they are. Throws what {@link effect} throws. */
  intervene(params: IntervenedParams): { readonly runId: number };
  /** Silences one head after the other; layers are told as they come. Throws what {@link effect} throws. */
  headEffects(params: HeadEffectsParams): HeadEffects;
  /** Runs it again for what adds to a logit directly. Throws `noWrites`, `noPredictions`, `noSuchToken`, `sameTwice`, `invalidArgument`, and what a run throws. */
  writes(params: WritesParams): Writes;
  /** Writes numbers of a run to a file, by an engine that has files; the event `written` says how much. Throws `fileNotWritten`, and what reading them throws. */
  writeNumbers(params: WriteNumbersParams): void;
  /** What a method takes beside weights where there is no model, and the picture, as arrays of an attention file. Throws as `weighing` does. */
  besideNumbers(params: MethodParams): { readonly arrays: readonly HeldArray[] };
  /** Drops a run's attention. */
  release(params: { readonly runId: number }): void;
  inspect(params: ModelSpec): ReportView;
  /** The input of the latest run of the model that is held; `nothingRead` where there was none. */
  input(params: Record<string, never>): InputView;
  /** SHA-256 of the files that a model is made of; of large weights beside them parts. Throws `modelNotFound`, and what reading its files throws. */
  modelHash(params: ModelSpec): { readonly sha256: string };
  /** A profile from its files' bytes, of which nothing is believed; `folder` is what a person is told of it. Throws `profileInvalid`. */
  readProfile(params: { readonly files: readonly ProfileFile[]; readonly folder: string }): HeadProfile;
  /** Adds a text to a profile that grows; another number begins another profile in its place. Throws `noProfile`, and what a run throws that is no fault of the text. */
  profileText(params: ProfileTextParams): ProfiledAs;
  /** The files of the profile that grows, as it is now, and what its model is called. Throws `unknownRun` where it is another. */
  profileFiles(params: { readonly profile: number }): {
    readonly files: readonly ProfileFile[];
    readonly model: string;
  };
  /** Reads the model's chat template, without loading the model; `chatTemplateNotFound` where it has none. */
  chatTemplate(params: ModelSpec): ChatTemplateView;
  /** Bytes held: the process as a whole, and the attention. */
  memory(params: Record<string, never>): { readonly residentBytes: number; readonly attentionBytes: number };
}

/** A text for a profile. */
interface ProfileTextParams {
  /** The window's number of the profile. */
  readonly profile: number;
  readonly model: ModelSpec;
  /** The most tokens of a chunk, as the profile began; 0: as many as the model reads, at most 1024. */
  readonly length: number;
  readonly text: TextToProfile;
  /** Why it is not read, where the window could not. */
  readonly leftOut?: 'unreadable' | 'tooLarge' | undefined;
}

/** A chat template, and what it makes of a message. */
export interface ChatTemplateView {
  readonly modelName: string;
  readonly fileName: string;
  /** Jinja. */
  readonly text: string;
  /** Around the message; undefined where the template cannot be applied. */
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;
  /** Why it cannot be applied. */
  readonly error: SerializedError | undefined;
}

/** How far an explanation is. */
export interface Progress {
  readonly stage: Stage;
  /** In [0, 1], where it is known; what tells it lets messages in between its steps, and ends there when it is cancelled. */
  readonly fraction?: number;
  /** Of a run in stages: how many layers there are, and how many of them have come. */
  readonly layers?: { readonly done: number; readonly of: number };
}

/** A run that may be an attention file. */
interface OpenedRun extends RunInfo {
  /** What the file says of how it is to be looked at; nobody has checked it. */
  readonly explanation?: unknown;
}

/** What has come of a run that is under way. */
export type Growth = Pick<RunInfo, 'runId' | 'components'>;

/** What the engine tells the window. */
export interface EngineEvents {
  /** It begins to work on what it was asked for: until then, nothing of that can have ended it. */
  began: Record<string, never>;
  /** Files that it reads from as it runs, because they are mapped into memory, with what they were then; instead of those told before. */
  mapped: {
    readonly files: readonly {
      readonly path: string;
      readonly size: number;
      /** milliseconds since 1970 */ readonly modified: number;
    }[];
  };
  /** Before a step that holds the thread, how long that may take, where the engine cannot end it by itself; `null` when it is done. */
  busy: { readonly title: string; readonly seconds: number } | null;
  progress: Progress;
  /** Layers of a run that is under way are there and can be read; the first time with all else that is known of it. */
  growing: Growth & { readonly run?: OpenedRun };
  /** The heads of a layer have been silenced one by one in a scan that is under way. */
  effects: LayerEffectsGrown;
  /** Of a run whose numbers are being written, so many heads have been read. */
  written: { readonly runId: number; readonly numHeads: number };
  /** So much of a text for a profile has been read, from 0 to 1, and the tokens of that. */
  profiling: { readonly profile: number; readonly fraction: number; readonly numTokens: number };
  log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string };
}

/** How the window reads a model's files for an engine that cannot. */
export interface HostFilesApi {
  /** `kind` bounds what is read. */
  readFile(params: { readonly path: string; readonly kind: FileKind }): { readonly bytes: Uint8Array };
  listFolder(params: { readonly path: string }): { readonly names: readonly string[] };
  statFile(params: { readonly path: string }): { readonly kind: 'file' | 'folder' | 'none'; readonly size: number };
}

/** What the window does for an engine that cannot read files itself. */
export interface EngineHostApi extends HostFilesApi {
  /** A file of the extension's own that only some choices of backend need. Throws `fileUnreadable`. */
  readAsset(params: { readonly name: EngineAsset }): { readonly bytes: Uint8Array };
}

/** Files of dist/ that the engine of the web asks for: the build of the runtime with WebGPU, the parser and its grammars. */
export type EngineAsset =
  | 'ort-webgpu.mjs'
  | 'ort-wasm-simd-threaded.asyncify.wasm'
  | 'web-tree-sitter.mjs'
  | 'web-tree-sitter.wasm'
  | `tree-sitter-${string}.wasm`;
