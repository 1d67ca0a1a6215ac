import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { ModelInfo, Notice, RunLanguages } from '../../model/modelInfo';
import { cacheLinks } from '../../onnx/inputs/cacheLinks';
import { planInputs, type InputRole } from '../../onnx/inputs/inputs';
import { modelFacts } from '../../onnx/inputs/modelFacts';
import { readsOf } from '../../onnx/inputs/reads';
import type { TokenStream } from '../../model/token';
import type { InputView, ModelSpec, ReportView } from '../../protocol';
import { CellRuns, type DrawnCell } from '../how/cellRuns';
import { EffectRuns } from '../effects/effectRuns';
import type { PredictedRun } from '../predict/predictedFile';
import { PredictionRuns, type MaskedPlaces, type PredictionSteps } from '../predict/predictionRuns';
import { ScoreRuns } from '../predict/scoreRuns';
import { WriteRuns, type WritesAsked, type WrittenRun } from '../predict/writeRuns';
import type { Writes } from '../../model/writes';
import type { Predictions } from '../../model/predictions';
import type { How } from '../../model/how/how';
import type { FedFile } from '../session/fedInput';
import { AttentionSession } from '../session/attentionSession';
import { noDeadlines } from '../limits/deadlines';
import { EmbeddingPart } from '../session/embeddingPart';
import type { FileAccess } from '../files/fileAccess';
import { besideText, VisionPart } from '../image/visionPart';
import { endIdsOf, readGenerationRules } from '../text/generation';
import { inputAccount, inputView, type InputAccount } from '../report/inputAccount';
import { isSameModel } from '../folder/isSameModel';
import type { Loading } from '../folder/loading';
import { LeanRuns } from '../long/leanRuns';
import { MemoryPlan, usualLimits, type MemoryLimits } from '../long/memoryPlan';
import type { ModelFiles } from '../files/modelFiles';
import { planStages, type Staging } from '../session/staging';
import { unwatched } from '../session/layerSteps';
import { modelAccess, type ModelAccess } from '../files/modelAccess';
import { configNumber } from '../folder/configNumber';
import { configuredContextLength, givesTypes, resolveModel, type ResolvedModel } from '../folder/modelFolder';
import { analysesOf, readModelParts, takesEmbeddings, type ModelParts } from '../folder/modelParts';
import { ModelTokenizer } from '../text/modelTokenizer';
import { noAttention } from '../session/noAttention';
import { WeighRuns } from '../session/weighRuns';
import { reportView } from '../report/reportView';
import { maxReason, type ChosenRuntime } from '../runtime/runtimes';
import { Seq2SeqModel } from '../seq2seq/seq2seqModel';
import { Seq2SeqPart } from '../seq2seq/seq2seqPart';
import { scoresOutput, SplitSeq2Seq, WholeSeq2Seq, type Seq2SeqSessions } from '../seq2seq/seq2seqSessions';
import { StackModel } from '../text/stackModel';
import type { Explanation, Reading, ReadingSteps, TextModel } from '../text/textModel';
import type { SourceTokenizer } from '../text/tokenizeSource';

/** Files that a model's description names. */
const mostTold = 20;

/** What answers questions about runs. */
interface AskedOfRuns {
  readonly cells: CellRuns;
  readonly weighs: WeighRuns;
  readonly predictions: PredictionRuns;
  readonly effects: EffectRuns;
  readonly writing: WriteRuns;
}

/** A model made ready. */
interface PreparedModel {
  readonly model: TextModel;
  /** What is to be said of how the model was loaded, as far as it is. */
  readonly notices: () => readonly Notice[];
  readonly asked: AskedOfRuns;
}

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
  readonly info: ModelInfo;

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
    const { model, notices, asked } = await prepare({
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

interface Preparation {
  readonly chosen: ChosenRuntime;
  readonly resolved: ResolvedModel;
  readonly parts: ModelParts;
  readonly source: SourceTokenizer;
  readonly limits: MemoryLimits;
  readonly staging: Staging;
  readonly access: FileAccess;
}

async function prepare(preparation: Preparation): Promise<PreparedModel> {
  const {
    chosen: { runtime },
    resolved,
    parts: { encoder, embedding, main, bridges },
    source,
    limits,
    staging,
  } = preparation;
  const { name } = resolved;
  const { index } = main.analysis;
  const inputs = index.inputs.map((input) => input.name);
  const { roles, numItems } = planInputs(index, inputs, new Set(inputs));
  // What the file fixes is known before anything is loaded.
  for (const part of encoder === undefined ? [main] : [encoder, main]) checkFixed(name, part, limits);
  const hasTarget = encoder === undefined && [...roles.values()].includes('targetIds');
  const links = hasTarget || encoder !== undefined || embedding !== undefined ? [] : cacheLinks(index, roles);
  const sessions: AttentionSession[] = [];
  const padId = configNumber(resolved.config, ['pad_token_id']) ?? 0;
  try {
    const numEncoderItems = encoder === undefined ? 1 : itemsOfModel(encoder);
    const encoderSession =
      encoder &&
      (await AttentionSession.create({
        ort: runtime.ort,
        runtime,
        files: encoder,
        wantOutputs: true,
        mayLackAttention: true,
        numItems: numEncoderItems,
        ...planStages(runtime, encoder.analysis.index, staging),
      }));
    if (encoderSession !== undefined) sessions.push(encoderSession);
    const embeddingSession =
      embedding &&
      (await AttentionSession.create({
        ort: runtime.ort,
        runtime,
        files: embedding,
        wantOutputs: true,
        mayLackAttention: true,
        numItems: itemsOfModel(embedding),
      }));
    if (embeddingSession !== undefined) sessions.push(embeddingSession);
    const ofMain = {
      ort: runtime.ort,
      runtime,
      files: main,
      numItems,
      heldBytes: (encoderSession ?? embeddingSession)?.weightBytes ?? 0,
      mayLackAttention: encoder !== undefined,
      given: new Set(bridges.keys()),
    };
    const session = await AttentionSession.create({
      ...ofMain,
      wantOutputs: hasTarget || encoder !== undefined,
      keptOutputs: links.map(({ output }) => output),
      ...planStages(runtime, index, staging, hasTarget || encoder !== undefined),
    });
    sessions.push(session);
    const scores = hasTarget || encoder !== undefined ? scoresOutput(main) : undefined;
    const lean = new LeanRuns({ ...ofMain, keptOutputs: scores === undefined ? [] : [scores] }, session, limits);
    const notices = (): Notice[] => sessions.flatMap((each) => each.notices);
    const ofFiles = [encoderSession, session].filter((each) => each !== undefined);
    const weighs = new WeighRuns(ofFiles);
    const predicting = {
      name,
      session,
      tokenizer: source.tokenizer,
      vocabularySize: vocabularySizeOf(resolved, session, roles, embedding),
      config: resolved.config,
      maskToken: resolved.maskToken,
    };
    const predictions = new PredictionRuns(predicting);
    const asked: AskedOfRuns = {
      cells: new CellRuns(ofFiles),
      weighs,
      predictions,
      effects: new EffectRuns(predicting),
      writing: new WriteRuns(session, predictions, weighs),
    };
    let seq2seq: Seq2SeqSessions | undefined;
    if (encoder !== undefined && encoderSession !== undefined) {
      const ofEncoder = {
        ort: runtime.ort,
        runtime,
        files: encoder,
        numItems: numEncoderItems,
        heldBytes: session.weightBytes,
        mayLackAttention: true,
        keptOutputs: [...new Set(bridges.values())],
      };
      seq2seq = new SplitSeq2Seq(
        name,
        new Seq2SeqPart(encoder, encoderSession, new LeanRuns(ofEncoder, encoderSession, limits)),
        new Seq2SeqPart(main, session, lean),
        bridges,
      );
    } else if (hasTarget)
      seq2seq = new WholeSeq2Seq(name, new Seq2SeqPart(main, session, lean), planInputs(index, session.inputNames));
    if (seq2seq !== undefined) {
      const rules = readGenerationRules(name, resolved.generationConfig, resolved.config);
      const targetContextLength = smallest(
        configuredContextLength(resolved),
        configNumber(resolved.config, ['max_target_positions']),
      );
      return {
        model: new Seq2SeqModel({
          info: infoOf(preparation, seq2seq.source),
          sessions: seq2seq,
          ...source,
          rules,
          config: resolved.config,
          tokenizerConfig: resolved.tokenizerConfig,
          targetContextLength,
          padId,
        }),
        notices,
        asked,
      };
    }
    const plan = planInputs(index, session.inputNames, new Set(bridges.keys()));
    const embeddingPart = embeddingSession && new EmbeddingPart(embeddingSession, bridges);
    const facts = embeddingPart?.facts ?? modelFacts(index, plan.roles);
    return {
      model: new StackModel({
        info: infoOf(preparation, facts),
        session,
        lean,
        index,
        ...source,
        plan,
        padId,
        links,
        embedding: embeddingPart,
        openPictures:
          embeddingPart &&
          (() =>
            VisionPart.open({ runtime, access: preparation.access, resolved, deadlines: source.deadlines, limits })),
        numTypes: facts.numTypes,
        scoring: new ScoreRuns(session, predictions),
        endIds: endIdsOf(resolved.generationConfig, resolved.config),
      }),
      notices,
      asked,
    };
  } catch (error) {
    for (const session of sessions) await session.release();
    throw error;
  }
}

/** Rows of the table of embeddings that the tokens of the last file are: as its graph has them, or that of what makes embeddings for it, else as the settings say. */
function vocabularySizeOf(
  { config }: ResolvedModel,
  { analysis: { index } }: AttentionSession,
  roles: ReadonlyMap<string, InputRole>,
  embedding: ModelFiles | undefined,
): number | undefined {
  const read = [...roles.values()].includes('targetIds') ? 'targetIds' : 'ids';
  const own = modelFacts(index, roles, read).vocabularySize;
  if (own !== undefined) return own;
  const names = embedding?.analysis.index.inputs.map(({ name }) => name) ?? [];
  const outer =
    embedding &&
    modelFacts(embedding.analysis.index, planInputs(embedding.analysis.index, names, new Set(names)).roles);
  return outer?.vocabularySize ?? configNumber(config, ['vocab_size', 'n_vocab']);
}

/** Items of the batch that a file takes. */
function itemsOfModel({ analysis: { index } }: ModelFiles): number {
  const inputs = index.inputs.map((input) => input.name);
  return planInputs(index, inputs, new Set(inputs)).numItems;
}

/** Throws `modelTooLarge` where a file is made for batches or lengths that no run of it would have memory for. */
function checkFixed(name: string, { analysis }: ModelFiles, limits: MemoryLimits): void {
  const inputs = analysis.index.inputs.map((input) => input.name);
  const { fixedLength, fixedTargetLength, numItems } = planInputs(analysis.index, inputs, new Set(inputs));
  if (fixedLength === undefined && fixedTargetLength === undefined && numItems === 1) return;
  new MemoryPlan(analysis, 0, limits, { numItems }).check(name, {
    numPositions: fixedLength,
    numTargetPositions: fixedTargetLength,
  });
}

function infoOf(
  { chosen: { runtime, reason }, resolved }: Preparation,
  facts: Pick<ModelInfo, 'contextLength' | 'vocabularySize'>,
): ModelInfo {
  return {
    name: plain(resolved.name),
    path: resolved.modelPath,
    backend: runtime.backend,
    backendReason: plain(reason, maxReason),
    numThreads: runtime.numThreads,
    contextLength: smallest(configuredContextLength(resolved), facts.contextLength),
    vocabularySize: facts.vocabularySize ?? configNumber(resolved.config, ['vocab_size', 'n_vocab']),
    reads: 'text',
  };
}

function smallest(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
