import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { LoadedModelInfo, RunLanguages } from '../../model/modelInfo';
import { readsOf } from '../../onnx/inputs/reads';
import type { TokenStream } from '../../model/token';
import type { InputView, ModelSpec, ReportView } from '../../protocol';
import type { DrawnCell } from '../how/cellRead';
import type { CellRuns } from '../how/cellRuns';
import type { EffectRuns } from '../effects/effectRuns';
import type { PredictedRun } from '../predict/predictedFile';
import type { MaskedPlaces, PredictionRuns, PredictionSteps } from '../predict/predictionRuns';
import type { WriteRuns, WritesAsked, WrittenRun } from '../predict/writeRuns';
import type { Writes } from '../../model/writes';
import type { Predictions } from '../../model/predictions';
import type { How } from '../../model/how/how';
import type { FedFile } from '../session/fedInput';
import { noDeadlines } from '../limits/deadlines';
import type { FileAccess } from '../files/fileAccess';
import { besideText } from '../image/visionPart';
import { inputAccount, inputView, type InputAccount } from '../report/inputAccount';
import { isSameModel } from '../folder/isSameModel';
import type { Loading } from '../folder/loading';
import { usualLimits } from '../long/memoryPlan';
import { unwatched } from '../session/layerSteps';
import { prepareModel, type AskedOfRuns, type PreparedModel } from './prepareModel';
import { modelAccess, type ModelAccess } from '../files/modelAccess';
import { givesTypes, resolveModel } from '../folder/modelFolder';
import { analysesOf, readModelParts, takesEmbeddings } from '../folder/modelParts';
import { ModelTokenizer } from '../text/modelTokenizer';
import { noAttention } from '../session/noAttention';
import type { WeighRuns } from '../session/weighRuns';
import { reportView } from '../report/reportView';
import type { ChosenRuntime } from '../runtime/runtimes';
import type { Explanation, Reading, ReadingSteps, TextModel } from '../text/textModel';

/** Files that a model's description names. */
const mostTold = 20;

interface LoadedParts extends PreparedModel {
  readonly spec: ModelSpec;
  readonly access: ModelAccess;
  readonly account: (languages?: RunLanguages) => InputAccount;
  readonly pictureRefusal: ExplorerError;
}

/** A model with its tokenizer, ready to read texts. */
export class LoadedModel {
  readonly #spec: ModelSpec;
  readonly #model: TextModel;
  readonly #access: ModelAccess;
  readonly #notices: LoadedParts['notices'];
  readonly #asked: AskedOfRuns;
  /** Why it does not read a picture alone. */
  readonly pictureRefusal: ExplorerError;
  /** Where its input comes from. */
  readonly #account: LoadedParts['account'];
  /** Of the latest run. */
  #languages: RunLanguages | undefined;
  readonly info: LoadedModelInfo;

  private constructor({ spec, model, access, notices, account, asked, pictureRefusal }: LoadedParts) {
    this.pictureRefusal = pictureRefusal;
    this.#spec = spec;
    this.#model = model;
    this.#access = access;
    this.#notices = notices;
    this.#account = account;
    this.#asked = asked;
    const { files, settings, assumptions } = account();
    this.info = {
      ...model.info,
      readFiles: files.slice(0, mostTold).map((file) => plain(file)),
      settings,
      assumptions,
    };
  }

  /** Finds, reads and prepares a model; the runtime may come while its files are read. Throws the errors of reading its files, its graph and its tokenizer, and `inputNotMade`. */
  static async load(
    choosing: ChosenRuntime | PromiseLike<ChosenRuntime>,
    files: FileAccess,
    spec: ModelSpec,
    { onProgress = () => {}, signal, memory = usualLimits, deadlines = noDeadlines, staging = 'none' }: Loading = {},
  ): Promise<LoadedModel> {
    onProgress({ stage: 'readModel' });
    const access = await modelAccess(files, spec);
    const resolved = await resolveModel(access, spec.path, spec.tokenizerPath);
    const parts = await readModelParts(access, resolved);
    if (readsOf((parts.encoder ?? parts.main).analysis.index) === 'image')
      throw new ExplorerError('modelReadsImages', [resolved.name]);
    if (takesEmbeddings(parts.main) && parts.embedding === undefined)
      throw new ExplorerError('inputNotMade', [
        'inputs_embeds',
        `embeddings, which a file such as embed_tokens.onnx beside ${parts.main.name} would make of a text`,
      ]);
    if (resolved.tokenizerPath === undefined) throw new ExplorerError('tokenizerNotFound', [resolved.name]);
    signal?.throwIfAborted();
    const tokenizer = await ModelTokenizer.open(
      { path: resolved.tokenizerPath, config: resolved.config, tokenizerConfig: resolved.tokenizerConfig },
      access,
      deadlines,
    );
    signal?.throwIfAborted();
    // What text cannot give is said before the model is loaded, not after.
    if (parts.main.analysis.sites.length === 0 && (parts.encoder?.analysis.sites.length ?? 0) === 0)
      throw noAttention(
        resolved.name,
        parts.main.analysis,
        ...(parts.encoder === undefined ? [] : [parts.encoder.analysis]),
      );
    onProgress({ stage: 'loadModel' });
    const { model, notices, asked } = await prepareModel({
      chosen: await choosing,
      resolved,
      parts,
      source: { tokenizer, chatTemplate: resolved.chatTemplate, deadlines, givesTypes: givesTypes(resolved) },
      limits: memory,
      staging,
      access,
    });
    return new LoadedModel({
      spec,
      model,
      access,
      notices: () => [...resolved.notices, ...tokenizer.notices, ...notices()],
      asked,
      pictureRefusal: takesEmbeddings(parts.main)
        ? besideText(resolved)
        : new ExplorerError('modelReadsText', [resolved.name]),
      account: (languages) =>
        inputAccount(access.readFiles, resolved, analysesOf(parts), { sides: tokenizer.sides, languages }),
    });
  }

  /** Whether this is the model that a specification asks for. */
  isOf(spec: ModelSpec): boolean {
    return isSameModel(this.#spec, spec) && this.#spec.tokenizerPath === spec.tokenizerPath;
  }

  /** Reads a text and gives the attention of every layer, checked; see {@link TextModel.explain}. */
  async explain(reading: Reading, steps: ReadingSteps = unwatched): Promise<Explanation> {
    const explanation = await this.#model.explain(reading, steps);
    this.#languages = explanation.languages;
    return { ...explanation, notices: [...this.#notices(), ...explanation.notices] };
  }

  /** Weighs what its runs have read. */
  get weighs(): WeighRuns {
    return this.#asked.weighs;
  }

  /** What its heads do to what it predicts. */
  get effects(): EffectRuns {
    return this.#asked.effects;
  }

  /** What its files were fed in the latest run. */
  get fed(): readonly FedFile[] {
    return this.#model.fed;
  }

  /** How a cell came about, of a run that was fed these inputs; see {@link CellRuns.how}. */
  how(cell: DrawnCell, fed: readonly FedFile[]): Promise<How> {
    return this.#asked.cells.how(cell, fed);
  }

  /** What it predicts in a run that was fed these inputs; see {@link PredictionRuns.predict}. */
  predict(run: PredictedRun, masked?: MaskedPlaces, steps?: PredictionSteps): Promise<Predictions> {
    return this.#asked.predictions.predict(run, masked, steps);
  }

  /** In a clause, why tokens have no surprisal; undefined where they may have one. */
  get lackOfSurprisal(): string | undefined {
    return this.#asked.predictions.lackOfSurprisal;
  }

  /** What its heads write to a prediction directly, in a run that was fed these inputs; see {@link WriteRuns.writes}. */
  writes(run: WrittenRun, asked: WritesAsked): Promise<Writes> {
    return this.#asked.writing.writes(run, asked);
  }

  /** The target that an encoder–decoder model writes for a text, without any attention: the quick way to measure what it does. */
  write(text: string): Promise<string> {
    return this.#model.write(text);
  }

  /** The tokens of so much of a text as fits; see {@link TextModel.tokens}. Throws `noProfile` where it writes a text of its own. */
  tokens(text: string, tokenLimit: number): Promise<TokenStream> {
    if (this.#model.tokens === undefined) throw new ExplorerError('noProfile', [this.info.name]);
    return this.#model.tokens(text, tokenLimit);
  }

  /** The extraction report, with the checks of the latest run. */
  report(): ReportView {
    return reportView(this.info.name, this.#model.reports, this.#access, {
      account: this.#account(this.#languages),
      notices: this.#notices(),
    });
  }

  /** What it was fed in its latest run. Throws `nothingRead` before one. */
  input(): InputView {
    return inputView(this.info, this.#model.fed, this.#account(this.#languages));
  }

  /** Frees the model. */
  async release(): Promise<void> {
    const { cells, weighs, predictions, effects, writing } = this.#asked;
    for (const each of [cells, weighs, predictions, effects, writing]) await each.release();
    await this.#model.release();
  }
}
