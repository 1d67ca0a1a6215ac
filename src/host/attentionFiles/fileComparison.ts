import type * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled } from '../../base/errors';
import { Emitter } from '../../base/event';
import { plain, type PlainText } from '../../base/safeText';
import type { Pairing } from '../../model/compare/comparison';
import type { PanelComparison, PanelIntents } from '../../panelProtocol';
import type { HeldRun } from '../engine/heldRun';
import { panelError } from '../localize';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { askForFile } from '../say/dialogs';
import { said } from '../say/said';

/** What comparing two attention files needs of the editor of one. */
export interface FileComparisonDependencies {
  readonly uri: vscode.Uri;
  readonly run: () => ShownRun | undefined;
  /** Holds another file in the engine that holds the one that is shown; undefined where that is no attention file. Throws `attentionFileInvalid`, and what reading it throws. */
  readonly open: ((uri: vscode.Uri, signal: AbortSignal) => Promise<HeldRun>) | undefined;
  /** Says that what was asked would take a model. */
  readonly needsModel: () => void;
  /** Opens the view of comparisons. */
  readonly showView: () => void;
}

/** Compares an attention file with another one, which is held beside it as long as both are wanted. */
export class FileComparison implements Disposable {
  readonly #deps: FileComparisonDependencies;
  readonly #changed = new Emitter<undefined>();
  /** What the panel shows of a comparison is another. */
  readonly onDidChange = this.#changed.event;
  #shown: PanelComparison | null = null;
  #letGo: () => void = () => {};
  #controller: AbortController | undefined;

  constructor(deps: FileComparisonDependencies) {
    this.#deps = deps;
  }

  /** What the panel is to show; null where nothing is compared. */
  get shown(): PanelComparison | null {
    return this.#shown;
  }

  /** Does what the page asks for. */
  want(wanted: PanelIntents['compareWith']): void {
    if (wanted === null) this.stop();
    else if (wanted.kind !== 'file') this.#deps.needsModel();
    else void this.choose();
  }

  /** Asks for the other file, and reads it; what fails in that the panel says. */
  async choose(): Promise<void> {
    const { open } = this.#deps;
    if (open === undefined) return this.#deps.needsModel();
    const run = this.#deps.run();
    if (run === undefined) return;
    const uri = await askForFile({
      title: said('Compare with an Attention File'),
      button: said('Compare'),
      kind: { name: said('Attention Files'), extensions: ['npz', 'safetensors'] },
      startAt: this.#deps.uri,
    });
    if (uri === undefined || run !== this.#deps.run()) return;
    this.#deps.showView();
    await this.#read(run, { uri, open });
  }

  /** Lets go of the other file. */
  stop(): void {
    this.#controller?.abort();
    this.#letGo();
    this.#show(null);
  }

  dispose(): void {
    this.#controller?.abort();
    this.#changed.dispose();
  }

  async #read(
    run: ShownRun,
    { uri, open }: { readonly uri: vscode.Uri; readonly open: NonNullable<FileComparisonDependencies['open']> },
  ): Promise<void> {
    this.stop();
    const controller = (this.#controller = new AbortController());
    const base = {
      runId: run.runId,
      kind: 'file',
      text: run.source.text,
      a: sideName(run.held, this.#deps.uri),
      hasOneModel: false,
    } as const;
    this.#show({ ...base, state: { kind: 'busy' } });
    try {
      const other = await open(uri, controller.signal);
      if (controller.signal.aborted) return other.release();
      const pairing = pairingOf(run.held, other);
      run.held.comparedWith = { other, pairing };
      this.#letGo = () => {
        this.#letGo = () => {};
        run.held.comparedWith = undefined;
        other.release();
      };
      this.#show({
        ...base,
        hasOneModel: pairing === 'index',
        state: { kind: 'ready', otherId: other.info.runId, b: sideName(other, uri), backend: undefined },
      });
    } catch (error) {
      if (!controller.signal.aborted && !isCancelled(error))
        this.#show({ ...base, state: { kind: 'failed', error: panelError(ExplorerError.from(error)) } });
    }
  }

  #show(comparison: PanelComparison | null): void {
    if (comparison === null && this.#shown === null) return;
    this.#shown = comparison;
    this.#changed.fire(undefined);
  }
}

/** Heads stand beside their own where both files name one model and have as many heads in each layer. */
function pairingOf(a: HeldRun, b: HeldRun): Pairing {
  const headsOf = ({ info }: HeldRun): string =>
    info.components
      .map(({ component, layers }) => `${component} ${layers.map(({ numHeads }) => numHeads).join()}`)
      .join();
  return a.info.model.name === b.info.model.name && headsOf(a) === headsOf(b) ? 'index' : 'nearest';
}

function sideName({ info }: HeldRun, uri: vscode.Uri): PlainText {
  const name = documentName(uri);
  return info.model.name === name ? plain(name) : plain(`${info.model.name} · ${name}`);
}
