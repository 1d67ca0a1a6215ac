import type { ErrorCode } from '../base/errors';
import type { ViewState } from '../model/viewState';
import type { RunInfo } from '../model/modelInfo';
import type { PanelComparison, PanelStatus } from '../panelProtocol';
import type { Highlight } from './editor/decorationPlan';
import type { LiveState } from './view/viewStore';
import type { ProfileBudget } from './profiles/profilePace';
import type { EngineState } from './engine/engineSupervisor';

/** What tests inside VS Code see of the extension; it is exported in test mode only. */
export interface TestApi {
  /** Milliseconds that `activate` took. */
  readonly activationMilliseconds: number;
  snapshot(): TestSnapshot;
  /** The weights of a token in the heads shown. */
  row(position: number): Promise<Float32Array>;
  /** Ends the engine as an accident would. */
  crashEngine(): void;
  /** Puts in the window's memory what its panel showed. Throws `invalidMessage`. */
  remember(state: unknown): void;
  /** Delivers what a webview could have left behind, a hostile or late one too. */
  restore(state: unknown): Promise<void>;
  changeView(view: Partial<ViewState>): void;
  /** Profiles heads over the files that a glob names; resolves, when that is done, to what was told. Rejects where it does not begin. */
  profile(
    include: string,
    budget?: ProfileBudget,
    exclude?: string,
    most?: number,
  ): Promise<{ readonly code?: ErrorCode; readonly sentence: string }>;
  closePanel(): void;
}

/** The state of the window at one moment. */
export interface TestSnapshot {
  readonly status: PanelStatus;
  readonly run: RunInfo | undefined;
  readonly notices: readonly string[];
  readonly textRange: { readonly start: number; readonly end: number } | undefined;
  readonly view: ViewState;
  readonly hovered: number | undefined;
  /** The token before the caret, in live mode. */
  readonly caret: number | undefined;
  readonly live: LiveState;
  readonly highlights: readonly Highlight[];
  readonly engine: EngineState;
  readonly enginePid: number | undefined;
  readonly hasSpare: boolean;
  readonly statusBar: string;
  readonly statusTooltip: string;
  readonly comparison: PanelComparison | null;
  /** The attention file or saved explanation that is looked at in an editor of its own. */
  readonly file: { readonly status: PanelStatus; readonly run: RunInfo | undefined } | undefined;
  readonly panel:
    | {
        readonly isVisible: boolean;
        readonly isReady: boolean;
        readonly postedBytes: number;
        readonly paintMilliseconds: number | undefined;
      }
    | undefined;
  /** What the page keeps for a reload. */
  readonly kept: unknown;
  /** What the window remembers for it. */
  readonly remembered: unknown;
}
