import * as vscode from 'vscode';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled } from '../../base/errors';
import { Emitter } from '../../base/event';
import { labelText, plain, type PlainText } from '../../base/safeText';
import type { Pairing } from '../../model/compare/comparison';
import type { Continuation } from '../../model/continuation';
import type { Languages, ModelInfo } from '../../model/modelInfo';
import { withVisibleBlanks } from '../../model/token';
import { continuationOf, writtenText } from '../../model/writtenTokens';
import type { CompareKind, PanelComparison } from '../../panelProtocol';
import type { ExplainParams } from '../../protocol';
import { chooseModel, type SelectModelDependencies } from '../commands/selectModel';
import { chooseVariant } from '../commands/chooseVariant';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import { panelError } from '../localize';
import type { ChosenLanguages } from '../model/chosenLanguages';
import { listVariants } from '../model/modelFolders';
import { locateModel, settingOf, type ModelLocation } from '../model/modelLocation';
import { checkFile } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import type { ShownRun } from '../run/shownRun';
import { documentName } from '../run/documentName';
import { choosePicture } from '../run/pictureSource';
import { pictureAt } from '../run/runPicture';
import { textName } from '../run/textName';
import { otherSideOf, textOfOtherSide } from './otherSide';
import { chooseOf, type ListItem } from '../say/lists';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';

/** What comparing needs of the window. */
export interface ComparisonDependencies extends SelectModelDependencies {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly languages: ChosenLanguages;
  /** Opens the panel with the view of comparisons. */
  readonly showView: () => void;
}

/** What was read once, and can be read again to be compared with. */
interface Reading {
  readonly model: ModelLocation;
  readonly modelName: PlainText;
  readonly text: string;
  /** Where the picture lies, of one. */
  readonly picture: vscode.Uri | undefined;
  readonly documentName: PlainText;
  readonly target: string | undefined;
  /** What the model wrote after the text: one of several branches. */
  readonly continuation: Continuation | undefined;
  readonly isChatMessage: boolean;
}

/** What another run is to be, beside the one that is shown. */
interface Wanted {
  readonly kind: CompareKind;
  readonly reading: Reading;
  readonly pairing: Pairing;
}

/** So many runs can be compared with later; of each only what it has read is kept. */
const mostEarlier = 12;

/** Reads a second time, otherwise, and holds that run beside the one that is shown, as long as both are wanted. */
export class Comparisons implements Disposable {
  readonly #deps: ComparisonDependencies;
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new Emitter<undefined>());
  /** What the panel shows of a comparison is another. */
  readonly onDidChange = this.#changed.event;
  readonly #other = this.#store.add(new MutableDisposable<Disposable>());
  readonly #earlier: Reading[] = [];
  #controller: AbortController | undefined;
  #of: ShownRun | undefined;
  /** What that one has read, as it was when it came. */
  #own: Reading | undefined;
  #shown: PanelComparison | null = null;

  constructor(deps: ComparisonDependencies) {
    this.#deps = deps;
    this.#store.add(deps.store.onDidChangeRun((run) => this.#runChanged(run)));
  }

  /** What the panel is to show; null where nothing is compared. */
  get shown(): PanelComparison | null {
    return this.#shown;
  }

  /** Asks with what the run that is shown is to be compared; an edited text is offered in the panel. Throws `notCompared`. */
  async choose(): Promise<void> {
    const run = this.#comparable();
    const items: (ListItem & { readonly compares: CompareKind })[] = [
      ...(run.isPicture || otherSideOf(run.text.uri) === undefined
        ? []
        : [
            {
              compares: 'side',
              label: labelText(said('The Other Side of the Diff')),
              detail: labelText(said('What stands there in the place of this text')),
            } as const,
          ]),
      run.isPicture
        ? {
            compares: 'picture',
            label: labelText(said('Another Picture')),
            detail: labelText(said('It is put beside this one patch by patch')),
          }
        : {
            compares: 'text',
            label: labelText(said('Another Text')),
            detail: labelText(said('Edit a copy of this one')),
          },
      {
        compares: 'model',
        label: labelText(said('Another Model')),
        detail: labelText(run.isPicture ? said('It reads the same picture') : said('It reads the same text')),
      },
      {
        compares: 'precision',
        label: labelText(said('Another Precision of {0}', run.info.model.name)),
        detail: labelText(said('Which heads did quantisation change most?')),
      },
      ...(this.#earlierOf(run).length === 0
        ? []
        : [
            {
              compares: 'earlier',
              label: labelText(said('An Earlier Run')),
              detail: labelText(said('It is read again')),
            } as const,
          ]),
    ];
    const chosen = await chooseOf(items, { title: said('Compare with') });
    if (chosen !== undefined) await this.compare(chosen.compares);
  }

  /** Compares the run that is shown with another one, which is read now. Throws `notCompared`; what fails in reading the panel says. */
  async compare(kind: CompareKind, text?: string): Promise<void> {
    const run = this.#comparable();
    if (kind === 'text' && text === undefined) return this.#deps.showView();
    try {
      // A list closes where the panel takes the keyboard.
      const wanted = await this.#wanted(run, kind, text);
      if (wanted === undefined || run !== this.#deps.store.run) return;
      this.#deps.showView();
      await this.#read(run, wanted);
    } catch (error) {
      this.#deps.showView();
      this.stop();
      const { text: own, documentName, modelName } = this.#readingOf(run);
      const failed = { kind: 'failed', error: panelError(ExplorerError.from(error)) } as const;
      this.#show({
        runId: run.runId,
        kind,
        text: text ?? own,
        a: sideName(modelName, documentName),
        hasOneModel: true,
        state: failed,
      });
    }
  }

  /** Lets go of the other run. */
  stop(): void {
    this.#controller?.abort();
    this.#other.value = undefined;
    this.#show(null);
  }

  dispose(): void {
    this.#controller?.abort();
    this.#store.dispose();
  }

  /** The run that is shown. Throws `notCompared` where it cannot be compared. */
  #comparable(): ShownRun {
    const { run } = this.#deps.store;
    if (run === undefined) throw new ExplorerError('notCompared', ['explain a text first']);
    if (run.isPicture && run.info.model.reads !== 'image')
      throw new ExplorerError('notCompared', ['a picture within a text is explained, whose tokens stand for both']);
    if (run.text.texts !== undefined) throw new ExplorerError('notCompared', ['two texts of a pair are explained']);
    return run;
  }

  #runChanged(run: ShownRun | undefined): void {
    if (run === this.#of) return;
    const former = this.#of;
    this.#of = run;
    this.#own = undefined;
    if (former !== undefined) this.stop();
    const isReadable = run !== undefined && (!run.isPicture || run.info.model.reads === 'image');
    if (isReadable && !run.isLive && run.text.texts === undefined) this.#remember(run);
  }

  #remember(run: ShownRun): void {
    let reading: Reading;
    try {
      reading = this.#own = this.#readingOf(run);
    } catch (error) {
      if (error instanceof ExplorerError) return; // the settings lead nowhere by now
      throw error;
    }
    const kept = this.#earlier.filter((other) => !isSameReading(other, reading));
    this.#earlier.splice(0, this.#earlier.length, reading, ...kept.slice(0, mostEarlier - 1));
  }

  #earlierOf(run: ShownRun): readonly Reading[] {
    const own = this.#readingOf(run);
    return this.#earlier.filter(
      (other) => (other.picture === undefined) === (own.picture === undefined) && !isSameReading(other, own),
    );
  }

  #readingOf(run: ShownRun): Reading {
    if (run === this.#of && this.#own !== undefined) return this.#own;
    const { uri } = run.text;
    const [stream] = run.info.streams;
    const written = writtenText(stream);
    return {
      model: run.model ?? locateModel(readSettings(uri), this.#deps.places, uri),
      modelName: run.info.model.name,
      text: run.source.text,
      picture: run.isPicture ? uri : undefined,
      documentName: written === '' ? textName(uri) : said('{0}, then “{1}”', textName(uri), branchName(written)),
      target: run.target,
      continuation: continuationOf(stream),
      isChatMessage: run.isChatMessage,
    };
  }

  async #wanted(run: ShownRun, kind: CompareKind, text: string | undefined): Promise<Wanted | undefined> {
    const own = this.#readingOf(run);
    switch (kind) {
      case 'text':
        return { kind, reading: { ...own, text: text ?? own.text, target: undefined }, pairing: 'index' };
      case 'picture': {
        const picture = await choosePicture({
          title: said('Compare with Another Picture'),
          button: said('Compare with This Picture'),
        });
        return (
          picture && { kind, reading: { ...own, picture, documentName: textName(picture) }, pairing: 'index' as const }
        );
      }
      case 'side': {
        const other = otherSideOf(run.text.uri);
        if (other === undefined) throw new ExplorerError('notCompared', ['the text stands in no diff that is open']);
        const side = await textOfOtherSide(run.text.uri, run.text.range, other);
        const reading = { ...ofText(own, run), text: side, documentName: textName(other), target: undefined };
        return { kind, reading, pairing: 'index' };
      }
      case 'earlier': {
        const reading = await this.#chooseEarlier(run);
        const pairing = reading?.model.spec.path === own.model.spec.path ? 'index' : 'nearest';
        return reading && { kind, reading, pairing };
      }
      case 'model': {
        const path = await chooseModel(this.#deps, run.isPicture ? 'image' : 'text', {
          title: said('Compare with Another Model'),
          placeholder: run.isPicture
            ? said('It reads the same picture; your settings stay as they are')
            : said('It reads the same text; your settings stay as they are'),
        });
        return path === undefined
          ? undefined
          : { kind, reading: { ...ofText(own, run), model: this.#locate(run, path) }, pairing: 'nearest' };
      }
      case 'file':
        throw new ExplorerError('notCompared', ['this is no attention file']);
      case 'precision': {
        const uri = await this.#choosePrecision(own.model.uri, run);
        if (uri === undefined) return undefined;
        const path = settingOf(uri, this.#deps.places.hasFilePaths);
        return { kind, reading: { ...own, model: this.#locate(run, path) }, pairing: 'index' };
      }
    }
  }

  #locate({ text: { uri } }: ShownRun, modelPath: string): ModelLocation {
    return locateModel({ ...readSettings(uri), modelPath }, this.#deps.places, uri);
  }

  /** Another file of the model's folder. Throws `notCompared` where there is none. */
  async #choosePrecision(model: vscode.Uri, run: ShownRun): Promise<vscode.Uri | undefined> {
    const folder = /\.onnx$/i.test(model.path) ? vscode.Uri.joinPath(model, '..') : model;
    const variants = await listVariants(folder);
    const others = variants.filter(
      ({ files }) => !files.some((file) => run.info.model.path.replaceAll('\\', '/').endsWith(`/${file}`)),
    );
    if (others.length === 0)
      throw new ExplorerError('notCompared', [`the folder of ${run.info.model.name} holds it in one precision only`]);
    return chooseVariant(folder, others);
  }

  async #chooseEarlier(run: ShownRun): Promise<Reading | undefined> {
    const items = this.#earlierOf(run).map((reading) => ({
      label: labelText(reading.documentName),
      description: labelText(reading.modelName),
      detail: labelText(plain(reading.text.trim().slice(0, 120))),
      reading,
    }));
    return (await chooseOf(items, { title: said('Compare with an Earlier Run') }))?.reading;
  }

  async #read(run: ShownRun, { kind, reading, pairing }: Wanted): Promise<void> {
    const { files } = this.#deps;
    this.#controller?.abort();
    const controller = (this.#controller = new AbortController());
    this.#other.value = undefined;
    const base = {
      runId: run.runId,
      kind,
      text: reading.text,
      a: sideName(modelOf(run.info.model, kind), this.#readingOf(run).documentName),
      hasOneModel: pairing === 'index',
    } as const;
    this.#show({ ...base, state: { kind: 'busy' } });
    files.allowModel(reading.model.uri, reading.model.tokenizerUri);
    try {
      const held = await this.#explain(reading, readSettings(run.text.uri).tokenLimit, controller.signal);
      if (controller.signal.aborted || run !== this.#deps.store.run) {
        held.release();
        return;
      }
      run.held.comparedWith = { other: held, pairing };
      this.#other.value = {
        dispose: () => {
          run.held.comparedWith = undefined;
          held.release();
        },
      };
      const b = sideName(
        modelOf(held.info.model, kind),
        kind === 'text' ? said('{0}, edited', reading.documentName) : reading.documentName,
      );
      this.#show({ ...base, state: { kind: 'ready', otherId: held.info.runId, b, backend: backends(run.held, held) } });
    } catch (error) {
      if (!isCancelled(error) && !controller.signal.aborted)
        this.#show({ ...base, state: { kind: 'failed', error: panelError(ExplorerError.from(error)) } });
      else if (this.#controller === controller) this.#show(null);
    }
  }

  async #explain(reading: Reading, tokenLimit: number, signal: AbortSignal): Promise<HeldRun> {
    const { supervisor, files, languages, places } = this.#deps;
    const { model, picture } = reading;
    if (picture === undefined)
      return supervisor.explain(paramsOf(reading, tokenLimit, languages.of(model.spec.path)), signal);
    await checkFile(picture, 'picture', documentName(picture));
    files.allowPicture(picture);
    return supervisor.explainImage({ model: model.spec, ...(await pictureAt(picture, places)) }, signal);
  }

  #show(comparison: PanelComparison | null): void {
    if (comparison === null && this.#shown === null) return;
    this.#shown = comparison;
    this.#changed.fire(undefined);
  }
}

/** Whether two are the same text, or picture, by the same model, which went on with it in the same way. */
function isSameReading(a: Reading, b: Reading): boolean {
  return (
    a.text === b.text &&
    a.picture?.toString() === b.picture?.toString() &&
    a.model.spec.path === b.model.spec.path &&
    a.continuation?.written.join() === b.continuation?.written.join()
  );
}

/** Units of what was written that a name tells. */
const mostNamed = 40;

/** What a model wrote, as one of several branches is called. */
function branchName(written: string): PlainText {
  return withVisibleBlanks(written.length > mostNamed ? `${written.slice(0, mostNamed)}…` : written);
}

/** A text without what its model wrote after it: another one has other tokens, and another text goes on otherwise. */
function ofText(reading: Reading, { text: { uri } }: ShownRun): Reading {
  return { ...reading, continuation: undefined, documentName: textName(uri) };
}

/** A model's name; of several precisions of one with the name of its file. */
function modelOf({ name, path }: Pick<ModelInfo, 'name' | 'path'>, kind: CompareKind): PlainText {
  return kind === 'precision' ? plain(`${name} (${path.split(/[\\/]/).at(-1) ?? ''})`) : name;
}

function sideName(model: PlainText, text: PlainText): PlainText {
  return plain(`${model} · ${text}`);
}

/** What both ran on, where that is not the same: then differences are of that, too. */
function backends(a: HeldRun, b: HeldRun): PlainText | undefined {
  const [own, other] = [a.info.model.backend, b.info.model.backend];
  return own === other ? undefined : said('A ran on {0}, and B on {1}.', own, other);
}

function paramsOf(
  { model, text, target, continuation, isChatMessage }: Reading,
  tokenLimit: number,
  languages: Languages | undefined,
): ExplainParams {
  return {
    model: model.spec,
    text,
    tokenLimit,
    target,
    continuation,
    languages,
    ...(isChatMessage ? { isChatMessage: true } : {}),
  };
}
