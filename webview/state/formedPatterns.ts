import { computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { ComponentInfo } from '../../src/model/head';
import { lightingFrom, type Lighting, type Look } from '../../src/model/lighting';
import {
  fadeReaders,
  fadeSinks,
  formName,
  levels,
  plainForm,
  type ComparedView,
  tokensOfMethod,
  type PatternForm,
} from '../../src/model/patternForm';
import { joinsHeads, methodOf } from '../../src/model/methods';
import type { TokenRef } from '../../src/model/token';
import type { ViewState } from '../../src/model/viewState';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { StrongestCell } from '../../src/model/weightForm';
import type { Client } from '../../src/rpc/connection';
import type { MatrixCell } from '../layout/matrixView';
import { inPattern, sinkColumns, type ShownPattern } from './matrixData';
import { settle } from './patternStore';
import { stable } from './stable';

const hoverDelay = 30;

/** Which run's patterns are wanted, where they are not those of the run that is shown. */
export class SeenRun {
  /** What is seen of a comparison; undefined is the run itself. */
  readonly compared = signal<ComparedView | undefined>(undefined);
  /** Whether the run with interventions is seen, where no comparison is. */
  readonly isIntervened = signal(false);
  readonly view: ReadonlySignal<ComparedView | undefined> = computed(
    () => this.compared.value ?? (this.isIntervened.value ? 'intervened' : undefined),
  );
}

/** The form of a view, the same object as long as it says the same. */
export function stableForm(
  view: ReadonlySignal<PatternForm & Pick<ViewState, 'pinned'>>,
  compared: ReadonlySignal<ComparedView | undefined>,
): ReadonlySignal<PatternForm> {
  return stable(() => {
    // What is compared are the weights as both models have them.
    if (compared.value !== undefined) return { ...plainForm, compared: compared.value };
    const { method, level, isRenormalized, pinned } = view.value;
    // Sinks are those of one head.
    const sinks = joinsHeads(method) ? 'show' : view.value.sinks;
    return { method, ...tokensOfMethod(method, pinned), level, sinks, isRenormalized };
  }, formName);
}

/** Tokens as rows or columns of a pattern, each once. */
export function lookingIn(shown: ShownPattern, tokens: readonly TokenRef[]): readonly TokenRef[] {
  if (shown.form.level === 'token') return tokens;
  const seen = new Set<string>();
  return tokens
    .map((token) => inPattern(shown, token))
    .filter(({ stream, position }) => {
      const name = `${stream} ${position}`;
      return !seen.has(name) && seen.add(name);
    });
}

/** With what weights a look is drawn, where sinks are faded. */
export function drawnLighting(
  shown: ShownPattern,
  look: Look,
  counts?: (token: number, other: number) => boolean,
): Pick<Lighting, 'drawn' | 'maximum'> | undefined {
  const { matrix, drawn } = shown;
  if (drawn === undefined) return undefined;
  const rows = look.tokens.map(({ position }) => {
    const row = drawn.kind === 'whole' ? drawn.heldRow(position, look.direction) : undefined;
    if (row !== undefined) return row;
    // Of a large pattern the row alone is here: what is drawn of it follows from its sinks.
    const own = Float32Array.from(matrix.heldRow(position, look.direction) ?? []);
    const sinks = sinkColumns(shown);
    if (look.direction === 'readBy') return sinks.includes(position) ? fadeReaders(own) : own;
    fadeSinks(own, sinks);
    return own;
  });
  const { weights, maximum } = lightingFrom(look, rows, counts);
  return { drawn: weights, maximum };
}

/** Asks for the strongest single weight within the cell under the crosshair, once it rests, where cells are of several tokens: a sum over keys and a mean over queries hide it. */
export function followStrongestCell(
  {
    matrix,
    crosshair,
    strongestCell,
    run,
  }: {
    readonly matrix: ReadonlySignal<ShownPattern | undefined>;
    readonly crosshair: ReadonlySignal<MatrixCell | undefined>;
    readonly strongestCell: Signal<StrongestCell | undefined>;
    readonly run: ReadonlySignal<PanelRun | null>;
  },
  remote: Pick<Client<PanelApi>, 'strongestCell'>,
): void {
  let controller: AbortController | undefined;
  let timer = 0;
  effect(() => {
    const shown = matrix.value;
    const cell = crosshair.value;
    const runId = run.value?.info.runId;
    controller?.abort();
    clearTimeout(timer);
    strongestCell.value = undefined;
    if (
      shown === undefined ||
      cell === undefined ||
      runId === undefined ||
      shown.streams.every(({ units }) => units === undefined) ||
      cell.query >= shown.matrix.numQueries ||
      cell.key >= shown.matrix.numKeys
    )
      return;
    controller = new AbortController();
    const { signal: aborted } = controller;
    const { selection, form } = shown;
    const asked = {
      runId,
      selection,
      form: { ...form, sinks: form.sinks === 'fade' ? 'show' : form.sinks },
      ...cell,
    } as const;
    timer = window.setTimeout(
      () =>
        void settle(
          remote.strongestCell(asked, aborted),
          (found) => (strongestCell.value = found),
          () => {}, // what is wrong shows where the pattern is asked for
        ),
      hoverDelay,
    );
  });
}

/** Goes to the next level; pictures have tokens alone. */
export function nextLevel(panel: FormedView): void {
  const { level } = panel.view.peek();
  if (panel.run.peek()?.info.streams.some(({ grid }) => grid !== undefined) === true) return;
  panel.change({ level: levels[(levels.indexOf(level) + 1) % levels.length] });
}

/** Goes on to what becomes of sinks next: shown, faded, removed, removed with rows renormalised. */
export function nextSinks(panel: FormedView): void {
  const { method, sinks, isRenormalized } = panel.view.peek();
  if (joinsHeads(method)) return;
  if (sinks === 'show') panel.change({ sinks: 'fade', isRenormalized: false });
  else if (sinks === 'fade') panel.change({ sinks: 'remove', isRenormalized: false });
  else if (isRenormalized || !canRenormalize(panel.component.peek(), panel.view.peek()))
    panel.change({ sinks: 'show', isRenormalized: false });
  else panel.change({ sinks: 'remove', isRenormalized: true });
}

/** Whether rows are shares of something, and can be renormalised. */
export function canRenormalize(component: ComponentInfo | undefined, { method }: Pick<PatternForm, 'method'>): boolean {
  return (
    methodOf(method).unit === 'share' &&
    component?.layers.every(({ normalization }) => normalization !== 'unnormalized') === true
  );
}

interface FormedView {
  readonly view: ReadonlySignal<PatternForm>;
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  change(form: Partial<PatternForm>): void;
}
