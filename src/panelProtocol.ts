// Everything that crosses the border between the editor and the panel’s page: plain interfaces and event maps, types only.
import type { ErrorCode } from './base/errors';
import type { PlainLines, PlainText } from './base/safeText';
import type { ComponentInfo } from './model/head';
import type { RunInfo } from './model/modelInfo';
import type { HeadTable } from './model/metrics/headTable';
import type { MetricId } from './model/metrics/metrics';
import type { EffectAnswer, HeadEffects } from './model/effects/effects';
import type { CompareParams, Comparison } from './model/compare/comparison';
import type { How, HowKind } from './model/how/how';
import type { Pattern } from './model/pattern';
import type { Continuation } from './model/continuation';
import type { Predictions } from './model/predictions';
import type { Writes } from './model/writes';
import type { PanelAction } from './model/panelAction';
import type { PanelExample, PanelProfile } from './model/profile/panelProfile';
import type { ComparedView, PatternForm } from './model/patternForm';
import type { MethodReasons, OfForm, SinkMass, StrongestCell, Weighing } from './model/weightForm';
import type { Rgb } from './model/ramp';
import type { RelationsResult } from './model/relations/relationsParams';
import type { TokenRef } from './model/token';
import type { TextSymbol } from './model/units';
import type { ColourMap, ViewState } from './model/viewState';
import type {
  PictureView,
  PatternParams,
  RowParams,
  PatternOverview,
  TileParams,
  PatternTile,
  ThumbnailParams,
  Thumbnails,
  PairParams,
  HeadRowsParams,
  HeadRows,
  HeadTableParams,
  RandomParams,
  RandomTable,
  HowParams,
  PredictParams,
  EffectParams,
  IntervenedParams,
  HeadEffectsParams,
  LayerEffectsGrown,
  WritesParams,
  PanelRelationsParams,
  MethodParams,
  CellParams,
  Progress,
  Growth,
} from './protocol';

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

/**
 * With what a run can be compared: an edited copy of its text, another picture, another model, another precision of its model, an earlier run, read again, or
 * the other side of the diff that its text stands in; an attention file with another one.
 */
export type CompareKind = 'text' | 'picture' | 'model' | 'precision' | 'earlier' | 'side' | 'file';

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
