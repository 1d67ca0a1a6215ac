import { effect, type ReadonlySignal } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import { ExplorerError } from '../../src/base/errors';
import type { Look } from '../../src/model/lighting';
import { surprisalMethod } from '../../src/model/methods';
import type { Predictions } from '../../src/model/predictions';
import { isSameToken, type TokenRef } from '../../src/model/token';
import type { ViewState } from '../../src/model/viewState';
import type { PanelRun } from '../../src/panelProtocol';
import type { MatrixCell } from '../layout/matrixView';
import type { ShownPattern } from './matrixData';
import type { Methods } from './methods';
import type { PredictionView } from './predictionView';
import type { RowFetcher } from './rowFetcher';

/** What is looked at in which matrix, and where in it the pointer is. */
export interface LookedAt {
  readonly look: ReadonlySignal<Look | undefined>;
  readonly matrix: ReadonlySignal<ShownPattern | undefined>;
  readonly crosshair: ReadonlySignal<MatrixCell | undefined>;
}

/** Of large patterns, fetches the rows of the tokens that are looked at, and of the cell under the crosshair. */
export function followRows(
  { look: looked, matrix: shownMatrix, crosshair }: LookedAt,
  lightRows: RowFetcher,
  crosshairRows: RowFetcher,
): void {
  effect(() => {
    const matrix = shownMatrix.value?.matrix;
    const look = looked.value;
    const missing =
      matrix?.kind === 'remote'
        ? (look?.tokens ?? []).filter(
            ({ position }) => look === undefined || matrix.heldRow(position, look.direction) === undefined,
          )
        : [];
    if (matrix?.kind !== 'remote' || look === undefined || missing.length === 0) lightRows.want(undefined);
    else
      lightRows.want((aborted) =>
        Promise.all(missing.map(({ position }) => matrix.fetchRow(position, look.direction, aborted))),
      );
  });
  effect(() => {
    const cell = crosshair.value;
    const shown = shownMatrix.value;
    if (
      cell === undefined ||
      shown?.matrix.kind !== 'remote' ||
      cell.query >= shown.matrix.numQueries ||
      shown.matrix.weightAt(cell.query, cell.key) !== undefined
    )
      return crosshairRows.want(undefined);
    const { matrix } = shown;
    crosshairRows.want((aborted) => matrix.fetchRow(cell.query, 'reads', aborted));
  });
}

/** Tells the token that is hovered here, or that the keyboard is at, once a frame and only when it changes. */
export function followHover(
  {
    view,
    hovered,
    cursor,
  }: {
    readonly view: ReadonlySignal<ViewState>;
    readonly hovered: ReadonlySignal<TokenRef | undefined>;
    readonly cursor: ReadonlySignal<TokenRef | undefined>;
  },
  tell: (token: TokenRef | null) => void,
): void {
  let told: TokenRef | undefined;
  let frame = 0;
  effect(() => {
    // While something is pinned, hovering changes no light here, so it must not in the editor.
    const token = view.value.pinned.length > 0 ? undefined : (hovered.value ?? cursor.value);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (isSameToken(token, told)) return;
      told = token;
      tell(token ?? null);
    });
  });
}

/** Why surprisal cannot be had of a run, in a clause; undefined where it can, or where that is not known yet. */
function lackOfSurprisal(run: PanelRun, shown: Predictions | undefined, error: ExplorerError | undefined) {
  if (run.info.streams.some(({ grid }) => grid !== undefined))
    return l10n.t('it reads a picture, whose patches are not predicted');
  if (shown === undefined)
    return error?.code === 'noPredictions' ? String(error.args[1]) : error?.message.replace(/\.$/, '');
  return shown.kind === 'labels' || shown.kind === 'tokenLabels'
    ? l10n.t('it tells labels, and predicts no tokens')
    : undefined;
}

/** Where surprisal is chosen and cannot be had of a run, goes back to weights and has it said why. */
export function followSurprisal({
  run,
  view,
  predictions,
  methods,
}: {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly view: ReadonlySignal<ViewState>;
  readonly predictions: Pick<PredictionView, 'shown' | 'error'>;
  readonly methods: Pick<Methods, 'refuse'>;
}): void {
  effect(() => {
    if (view.value.light !== 'surprisal' || run.value === null) return;
    const lack = lackOfSurprisal(run.value, predictions.shown.value, predictions.error.value);
    if (lack !== undefined)
      methods.refuse(surprisalMethod.id, new ExplorerError('methodNotOffered', [surprisalMethod.title, lack]));
  });
}
