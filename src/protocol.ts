// Everything that crosses a process border: plain interfaces and event maps, types only.
// Client and server types are derived from them in `rpc/connection`.
import type { ErrorCode, SerializedError } from './base/errors';
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
import type { Cell, How, HowKind } from './model/how/how';
import type { Direction, Pattern } from './model/pattern';
import type { Continuation } from './model/continuation';
import type { Predictions } from './model/predictions';
import type { Writes } from './model/writes';
import type { PanelAction } from './model/panelAction';
import type { HeadProfile, ProfileFile } from './model/profile/headProfile';
import type { PanelExample, PanelProfile } from './model/profile/panelProfile';
import type { ProfiledAs, TextToProfile } from './model/profile/textToProfile';
import type { ComparedView, PatternForm } from './model/patternForm';
import type { MethodId } from './model/methods';
import type {
  MethodReasons,
  OfForm,
  OfWeightForm,
  SinkMass,
  StrongestCell,
  Weighing,
  WeightForm,
} from './model/weightForm';
import type { Rgb } from './model/ramp';
import type { ChosenNumbers } from './model/numbers/numbers';
import type { FileForm } from './model/numbers/numbersFile';
import type { Program, RelationMethod, RelationsResult } from './model/relations/relationsParams';
import type { Stage } from './model/stage';
import type { TokenRef } from './model/token';
import type { TextSymbol } from './model/units';
import type { ColourMap, PinnedMean, ViewState } from './model/viewState';

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
type IntervenedParams = Pick<EffectParams, 'runId' | 'interventions' | 'otherId'>;

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
  /** Holds the attention of a file as if it were that of a run. Throws `attentionFileInvalid`, and what reading a file throws. */
  openAttention(params: AttentionFileParams): RunInfo & {
    /** What the file says of how it is to be looked at; nobody has checked it. */ readonly explanation?: unknown;
  };
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
  /** How far the heads of a component are apart in two runs that are held. Throws `unknownRun` and `notCompared`. */
  compare(params: CompareParams): Comparison;
  /** Runs the model again without its attention, for what it predicts. Throws `noPredictions`, `invalidArgument`, and what a run throws. */
  predict(params: PredictParams): Predictions;
  /**
   * Makes an experiment: what a prediction is without and with interventions. Throws `noEffects`, `noPredictions`, `noSuchToken`,
   * `invalidArgument`, `outOfMemory`, and what a run throws.
   */
  effect(params: EffectParams): EffectAnswer;
  /** Holds the attention of a run with interventions as a run of its own, until that is released: of layers behind them, and of all others as they are. Throws what {@link effect} throws. */
  intervene(params: IntervenedParams): { readonly runId: number };
  /** Silences one head after the other; layers are told as they come. Throws what {@link effect} throws. */
  headEffects(params: HeadEffectsParams): HeadEffects;
  /** Runs it again for what adds to a logit directly. Throws `noWrites`, `noPredictions`, `noSuchToken`, `invalidArgument`, and what a run throws. */
  writes(params: WritesParams): Writes;
  /** Writes numbers of a run to a file, by an engine that has files; the event `written` says how much. Throws `fileNotWritten`, and what reading them throws. */
  writeNumbers(params: WriteNumbersParams): void;
  /** Drops a run's attention. */
  release(params: { readonly runId: number }): void;
  inspect(params: ModelSpec): ReportView;
  /** The input of the latest run of the model that is held; `nothingRead` where there was none. */
  input(params: Record<string, never>): InputView;
  /** SHA-256 of the files that a model is made of, but for weights beside them. Throws `modelNotFound`, and what reading its files throws. */
  modelHash(params: ModelSpec): { readonly sha256: string };
  /** A profile from its files' bytes, of which nothing is believed; `folder` is what a person is told of it. Throws `profileInvalid`. */
  readProfile(params: { readonly files: readonly ProfileFile[]; readonly folder: string }): HeadProfile;
  /** Adds a text to a profile that grows; another number begins another profile in its place. Throws `noProfile`, and what a run throws that is no fault of the text. */
  profileText(params: ProfileTextParams): ProfiledAs;
  /** The files of the profile that grows, as it is now. Throws `unknownRun` where it is another. */
  profileFiles(params: { readonly profile: number }): { readonly files: readonly ProfileFile[] };
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

/** What has come of a run that is under way. */
type Growth = Pick<RunInfo, 'runId' | 'components'>;

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
  growing: Growth & { readonly run?: RunInfo };
  /** The heads of a layer have been silenced one by one in a scan that is under way. */
  effects: LayerEffectsGrown;
  /** Of a run whose numbers are being written, so many heads have been read. */
  written: { readonly runId: number; readonly numHeads: number };
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

// ---- editor host ↔ webview ----

/** What the panel is doing; there is always one, and the panel never shows nothing. */
export type PanelStatus =
  | { readonly kind: 'empty' }
  | ({ readonly kind: 'busy' } & Progress)
  | { readonly kind: 'ready' }
  | { readonly kind: 'stale'; /** one localised sentence: what changed */ readonly reason: PlainText }
  | { readonly kind: 'failed'; readonly error: PanelError }
  | { readonly kind: 'engineStopped'; readonly error: PanelError };

/** A failure as the panel shows it: one localised sentence, what can be done, details folded. */
export interface PanelError {
  readonly code: ErrorCode;
  readonly sentence: PlainText;
  readonly details?: PlainLines | undefined;
  readonly action?: PanelButton | undefined;
  /** What else helps, less prominent. */
  readonly alternative?: PanelButton | undefined;
}

/** An action with its localised title. */
export interface PanelButton {
  readonly id: PanelAction;
  readonly title: PlainText;
}

/** The run that the panel shows, with where its text comes from. */
export interface PanelRun {
  readonly info: RunInfo;
  readonly documentName: PlainText;
  /** Zero-based line and UTF-16 column in the document of the first explained character. */
  readonly startLine: number;
  readonly startCharacter: number;
  /** The same of the second text of a pair. */
  readonly second?: { readonly startLine: number; readonly startCharacter: number };
  readonly notices: readonly PanelNotice[];
  /** Undefined where nothing was selected, or there is nothing around it that could be read. */
  readonly selected?: PanelSelection;
  /** Whether live mode made it: then it takes the place of the one before without a break. */
  readonly isLive?: boolean;
  /** Whether it was still under way. */
  readonly isGrowing?: boolean;
  /** Whether it stands in a notebook's output, from where no command can be run. */
  readonly isOutput?: boolean;
}

/** Something that the reader of a run must know, and perhaps what can be done about it. */
export interface PanelNotice {
  /** Localised. */
  readonly sentence: PlainText;
  readonly action?: PanelButton;
}

/** What was selected of the text that a run has read. */
export interface PanelSelection {
  /** UTF-16 offsets in the source's text. */
  readonly start: number;
  readonly end: number;
  /** Whether the rest of the text is context; else the selection was read alone. */
  readonly isInContext: boolean;
  /** Where it stands, and in which lines it was read. Localised. */
  readonly place: PlainText;
}

/** What the panel shows of live mode while it is on. */
export interface PanelLive {
  readonly isPaused: boolean;
  /** Localised: what went wrong last. */
  readonly sentence?: PlainText | undefined;
}

/** With what a run can be compared: an edited copy of its text, another model, another precision of its model, an earlier run, read again, or the other side of the diff that its text stands in. */
export type CompareKind = 'text' | 'model' | 'precision' | 'earlier' | 'side';

/** What the run that is shown is compared with. */
export interface PanelComparison {
  /** The run that is shown, A. */
  readonly runId: number;
  readonly kind: CompareKind;
  /** The text of B. */
  readonly text: string;
  /** What A is: its model and its text. Localised. */
  readonly a: PlainText;
  /** Whether both are read by one model, or by two precisions of one: then heads stand beside their own. */
  readonly hasOneModel: boolean;
  readonly state:
    | { readonly kind: 'busy' }
    | { readonly kind: 'failed'; readonly error: PanelError }
    | {
        readonly kind: 'ready';
        /** The window's number of B. */
        readonly otherId: number;
        /** What B is. Localised. */
        readonly b: PlainText;
        /** What both ran on, where that differs. Localised. */
        readonly backend: PlainText | undefined;
      };
}

/** How the panel should look. */
export interface PanelAppearance {
  readonly colourMap: ColourMap;
  readonly tabSize: number;
  /** Text of the translation bundle (`vscode.l10n.bundle`), or undefined for English. */
  readonly l10n: Readonly<Record<string, unknown>> | undefined;
}

/** What the page keeps over a window reload, with `vscode.setState`: the key to what the host remembers of the panel. */
export interface KeptPanel {
  readonly version: 2;
  readonly key: string;
}

/** What outlives a window reload, in the host's memory of its workspace. */
export interface PersistedPanel {
  readonly version: 1;
  readonly uri: string;
  readonly start: number;
  readonly end: number;
  /** Hash of the explained text, so that a changed document is told from the same. */
  readonly textHash: string;
  /** Whether nothing was selected: then the document is explained from its start, whatever it is now. */
  readonly isWholeDocument: boolean;
  /** Whether a picture was explained; then there is no text. */
  readonly isPicture?: boolean | undefined;
  /** The person's own target text. */
  readonly target?: string | undefined;
  /** What was selected, by UTF-16 offsets in the text, where the rest of it is context. */
  readonly focus?: { readonly start: number; readonly end: number } | undefined;
  /** Whether the model's chat template stood around the text. */
  readonly isChatMessage?: boolean | undefined;
  /** The second text of a pair. */
  readonly second?: { readonly start: number; readonly end: number; readonly textHash: string } | undefined;
  readonly view: ViewState;
}

/** The pattern that a run is looked at with first. */
export interface FirstPattern extends PatternParams {
  readonly pattern: Pattern;
}

/** Which of the views that can be opened is open, alone: all heads, sorted by a metric, or how a weight came about, at a step; undefined: none. */
export interface PanelArrangement {
  readonly open:
    | { readonly view: 'headTable'; readonly sort: MetricId }
    | { readonly view: 'how'; readonly query: number; readonly key: number; readonly step: HowKind }
    | undefined;
}

/** What the view of effects is to do as it opens: block the weight that is looked at, silence the selected heads, or ask about the pinned token. */
export type PanelDeed = 'block' | 'silence' | 'ask';

/** What the page is asked for a figure: what it shows, the matrix as it is drawn, or a figure as a picture, so many times as large as on a screen; that goes into the clipboard, or comes back. */
export type FigureRequest =
  | { readonly kind: 'seen' }
  | { readonly kind: 'drawn' }
  | { readonly kind: 'picture' | 'copy'; readonly svg: string; readonly times: number };

/** What a page shows that nobody else knows: the colours of its theme, and how its own views are arranged. */
export interface SeenView {
  readonly background: Rgb;
  readonly foreground: Rgb;
  readonly compared?: ComparedView | undefined;
  /** What the table of heads is sorted by. */
  readonly sort: MetricId | 'head';
  /** The weight whose making is shown. */
  readonly pair?: { readonly query: number; readonly key: number } | undefined;
}

/** What the page answers; a picture is a PNG file. */
export type FigureAnswer =
  | { readonly kind: 'seen'; readonly seen: SeenView }
  | { readonly kind: 'picture'; readonly png: Uint8Array }
  | { readonly kind: 'copied' }
  | { readonly kind: 'failed' };

/** Host → webview: whole snapshots, each of its part. */
export interface PanelEvents {
  appearance: PanelAppearance;
  status: PanelStatus;
  /** Comes before its run, where it comes. */
  first: FirstPattern;
  run: PanelRun | null;
  /** Of the run that is shown, and is still under way. */
  grown: Growth;
  /** `sequence` is that of the newest intent it takes into account: an older snapshot is ignored. */
  view: { readonly view: ViewState; readonly sequence: number };
  /** The token that is hovered in the editor, else in live mode the one before the caret. */
  hover: TokenRef | null;
  live: PanelLive | null;
  /** The heads of a layer have been silenced one by one. */
  effects: LayerEffectsGrown;
  /** What the run that is shown is compared with, if anything. */
  comparison: PanelComparison | null;
  /** Another profile was chosen, or a profile was made: what was asked for is another. */
  profile: Record<string, never>;
  /** Asks for something of the page that a figure needs, which comes as an intent. */
  figure: FigureRequest;
  /** Opens one of the panel's views, with the keyboard in it. */
  show: {
    readonly view: 'heads' | 'how' | 'relations' | 'predictions' | 'effects' | 'compare';
    readonly does?: PanelDeed;
  };
  /** Arranges the panel anew; the keyboard stays where it is. */
  arrange: PanelArrangement;
  persist: KeptPanel;
  /** Asks how the person has arranged the page, which comes as an intent. */
  arrangement: Record<string, never>;
  /** Arranges the page as one was that was kept in a file; the page checks it. */
  restore: { readonly arrangement: unknown };
}

/** Webview → host: data on request. */
export interface PanelApi {
  /** For patterns of at most `maxWholeCells` cells; a larger one comes in parts. */
  pattern(params: PatternParams & OfForm): Pattern;
  overview(params: PatternParams & OfForm): PatternOverview;
  tile(params: TileParams & OfForm): PatternTile;
  row(params: RowParams & OfForm): { readonly weights: Float32Array };
  sinkMass(params: PatternParams & { readonly form: PatternForm }): SinkMass;
  strongestCell(params: CellParams & { readonly form: PatternForm }): StrongestCell;
  /** The symbols of the source's text, as its outline lists them; none where nobody knows any. */
  symbols(params: { readonly runId: number }): { readonly symbols: readonly TextSymbol[] };
  /** What there is to know of a component's numbers by a method. Throws `methodNotOffered`. */
  weighing(params: MethodParams): Weighing;
  methodReasons(params: Omit<MethodParams, 'method'>): MethodReasons;
  thumbnails(params: ThumbnailParams & OfForm): Thumbnails;
  headPairs(params: PairParams & OfForm): { readonly weights: Float32Array };
  /** What reads a token is not to be had where weights are recomputed: all of them would be. */
  headRows(params: HeadRowsParams & OfForm): HeadRows;
  headTable(params: HeadTableParams): HeadTable;
  /** The same on a random text that comes twice, which the model of the run reads for it. */
  measureRandom(params: RandomParams): RandomTable;
  how(params: HowParams): How;
  /** What heads read along the relations of the run's program. */
  relations(params: PanelRelationsParams): RelationsResult;
  predict(params: PredictParams): Predictions;
  /** What a prediction is without and with interventions; heads are swapped with those of what the run is compared with. */
  effect(params: Omit<EffectParams, 'otherId'>): EffectAnswer;
  /** Has the attention of the run with interventions held in the place of the one before, for forms that show it; with none, lets go of it. */
  intervene(params: Omit<IntervenedParams, 'otherId'>): { readonly isHeld: boolean };
  /** What silencing, or swapping, each head by itself does to a prediction; layers are told as they come. */
  headEffects(params: Omit<HeadEffectsParams, 'otherId'>): HeadEffects;
  writes(params: WritesParams): Writes;
  /** How far the heads of a component are from those of what the run is compared with. Throws `notCompared`. */
  compare(params: Omit<CompareParams, 'compared'>): Comparison;
  /** What the model of B predicts in it. */
  predictOther(params: { readonly runId: number }): Predictions;
  /** What the profile that is chosen for the model of the run says of a component's heads; `null` where there is none. Throws `profileInvalid` and what reading files throws. */
  profile(params: { readonly runId: number; readonly component: ComponentInfo['component'] }): PanelProfile | null;
  picture(params: { readonly runId: number }): PictureView;
}

/** Webview → host: small intents, checked by the host. */
export interface PanelIntents {
  ready: Record<string, never>;
  /** Any part of the view; `sequence` counts the webview's own changes. */
  changeView: { readonly view: Partial<ViewState>; readonly sequence: number };
  hover: TokenRef | null;
  /** Shows the token's place in the editor. */
  reveal: TokenRef;
  act: { readonly action: PanelAction };
  /** How the model is to go on with the text. */
  continueText: Continuation;
  /** Whether the surprisal of every token is marked, in the editor, too. */
  markSurprisal: { readonly isMarked: boolean };
  /** Compares the run with another: `text` is the edited copy where it is that; null ends it. */
  compareWith: { readonly kind: CompareKind; readonly text?: string | undefined } | null;
  /** Opens an example of the profile in the editor, explained. */
  openExample: {
    readonly runId: number;
    readonly component: ComponentInfo['component'];
  } & Pick<PanelExample, 'layer' | 'head' | 'metric' | 'rank'>;
  /** The answer; only where something was asked for. */
  figure: FigureAnswer;
  /** Which views are open, and what is arranged in them, as far as it is kept with an explanation; only where it was asked for. */
  arrangement: { readonly open: readonly string[]; readonly effects: unknown };
  /** Milliseconds from the arrival of a run to its first paint, for the benchmark and the log. */
  painted: { readonly runId: number; readonly milliseconds: number };
}
