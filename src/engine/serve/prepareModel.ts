import type { LoadedModelInfo, ModelInfo, Notice } from '../../model/modelInfo';
import { plain } from '../../base/safeText';
import { cacheLinks, type CacheLink } from '../../onnx/inputs/cacheLinks';
import { planInputs, signatureOf, withCaches, type InputRole } from '../../onnx/inputs/inputs';
import { modelFacts } from '../../onnx/inputs/modelFacts';
import { EffectRuns } from '../effects/effectRuns';
import type { FileAccess } from '../files/fileAccess';
import type { ModelFiles } from '../files/modelFiles';
import { configNumber } from '../folder/configNumber';
import { configuredContextLength, type ResolvedModel } from '../folder/modelFolder';
import type { ModelParts } from '../folder/modelParts';
import { CellRuns } from '../how/cellRuns';
import { VisionPart } from '../image/visionPart';
import { LeanRuns } from '../long/leanRuns';
import { MemoryPlan, type MemoryLimits } from '../long/memoryPlan';
import { PredictionRuns } from '../predict/predictionRuns';
import { ScoreRuns } from '../predict/scoreRuns';
import { WriteRuns } from '../predict/writeRuns';
import { maxReason, type ChosenRuntime } from '../runtime/runtimes';
import { Seq2SeqModel } from '../seq2seq/seq2seqModel';
import { Seq2SeqPart } from '../seq2seq/seq2seqPart';
import { scoresOutput, SplitSeq2Seq, WholeSeq2Seq, type Seq2SeqSessions } from '../seq2seq/seq2seqSessions';
import { AttentionSession, type SessionOptions } from '../session/attentionSession';
import { EmbeddingPart } from '../session/embeddingPart';
import { planStages, type StagePlan, type Staging } from '../session/staging';
import { WeighRuns } from '../session/weighRuns';
import { endIdsOf, readGenerationRules } from '../text/generation';
import { StackModel } from '../text/stackModel';
import type { TextModel } from '../text/textModel';
import type { SourceTokenizer } from '../text/tokenizeSource';

/** What a model is made ready from. */
interface Preparation {
  readonly chosen: ChosenRuntime;
  readonly resolved: ResolvedModel;
  readonly parts: ModelParts;
  readonly source: SourceTokenizer;
  readonly limits: MemoryLimits;
  readonly staging: Staging;
  readonly access: FileAccess;
}

/** What answers questions about runs. */
export interface AskedOfRuns {
  readonly cells: CellRuns;
  readonly weighs: WeighRuns;
  readonly predictions: PredictionRuns;
  readonly effects: EffectRuns;
  readonly writing: WriteRuns;
}

/** A model made ready. */
export interface PreparedModel {
  readonly model: TextModel;
  /** What is to be said of how the model was loaded, as far as it is. */
  readonly notices: () => readonly Notice[];
  readonly asked: AskedOfRuns;
}

/** The sessions of a model's files, and what they are to each other. */
interface OpenedModel {
  readonly encoder: AttentionSession | undefined;
  readonly embedding: AttentionSession | undefined;
  /** Of the file that reads the text, or writes its own. */
  readonly main: AttentionSession;
  readonly lean: LeanRuns;
  readonly roles: ReadonlyMap<string, InputRole>;
  /** Whether the file holds encoder and decoder. */
  readonly hasTarget: boolean;
  readonly links: readonly CacheLink[];
}

type Open = (options: Omit<SessionOptions, 'ort' | 'runtime'>) => Promise<AttentionSession>;

/** Opens a model's files and puts together what reads texts with them. Throws what opening a session throws, `modelTooLarge` and `inputNotMade`. */
export async function prepareModel(preparation: Preparation): Promise<PreparedModel> {
  const { chosen, resolved, parts, source, limits } = preparation;
  const { runtime } = chosen;
  // What the file fixes is known before anything is loaded.
  for (const part of parts.encoder === undefined ? [parts.main] : [parts.encoder, parts.main])
    checkFixed(resolved.name, part, limits);
  const sessions: AttentionSession[] = [];
  try {
    const opened = await openFiles(preparation, async (options) => {
      const session = await AttentionSession.create({ ort: runtime.ort, runtime, ...options });
      sessions.push(session);
      return session;
    });
    const asked = askedOf(preparation, opened);
    const seq2seq = seq2seqOf(preparation, opened);
    return {
      model:
        seq2seq === undefined
          ? stackModel(preparation, opened, asked.predictions)
          : new Seq2SeqModel({
              info: infoOf(preparation, seq2seq.source),
              sessions: seq2seq,
              ...source,
              rules: readGenerationRules(resolved.name, resolved.generationConfig, resolved.config),
              config: resolved.config,
              tokenizerConfig: resolved.tokenizerConfig,
              targetContextLength: smallest(
                configuredContextLength(resolved),
                configNumber(resolved.config, ['max_target_positions']),
              ),
              padId: padIdOf(resolved),
            }),
      notices: () => sessions.flatMap((each) => each.notices),
      asked,
    };
  } catch (error) {
    for (const session of sessions) await session.release();
    throw error;
  }
}

async function openFiles({ chosen, parts, limits, staging }: Preparation, open: Open): Promise<OpenedModel> {
  const { runtime } = chosen;
  const { encoder, embedding, main, bridges } = parts;
  const { index } = main.analysis;
  const { roles, numItems } = signatureOf(index);
  const hasTarget = encoder === undefined && [...roles.values()].includes('targetIds');
  const isWriting = hasTarget || encoder !== undefined;
  const links = isWriting || embedding !== undefined ? [] : cacheLinks(index, roles);
  const openBeside = (files: ModelFiles, plan?: StagePlan): Promise<AttentionSession> =>
    open({
      files,
      wantOutputs: true,
      mayLackAttention: true,
      numItems: signatureOf(files.analysis.index).numItems,
      ...plan,
    });
  const encoderSession = encoder && (await openBeside(encoder, planStages(runtime, encoder.analysis.index, staging)));
  const embeddingSession = embedding && (await openBeside(embedding));
  const ofMain = {
    files: main,
    numItems,
    heldBytes: (encoderSession ?? embeddingSession)?.weightBytes ?? 0,
    mayLackAttention: encoder !== undefined,
    given: new Set(bridges.keys()),
  };
  const session = await open({
    ...ofMain,
    wantOutputs: isWriting,
    keptOutputs: links.map(({ output }) => output),
    ...planStages(runtime, index, staging, isWriting),
  });
  const scores = isWriting ? scoresOutput(main) : undefined;
  const keptOutputs = scores === undefined ? [] : [scores];
  const lean = new LeanRuns({ ort: runtime.ort, runtime, ...ofMain, keptOutputs }, session, limits);
  return { encoder: encoderSession, embedding: embeddingSession, main: session, lean, roles, hasTarget, links };
}

function askedOf({ resolved, source, parts: { embedding } }: Preparation, opened: OpenedModel): AskedOfRuns {
  const { encoder, main, roles } = opened;
  const ofFiles = encoder === undefined ? [main] : [encoder, main];
  const weighs = new WeighRuns(ofFiles);
  const predicting = {
    name: resolved.name,
    session: main,
    tokenizer: source.tokenizer,
    vocabularySize: vocabularySizeOf(resolved, main, roles, embedding),
    config: resolved.config,
    maskToken: resolved.maskToken,
  };
  const predictions = new PredictionRuns(predicting);
  return {
    cells: new CellRuns(ofFiles),
    weighs,
    predictions,
    effects: new EffectRuns(predicting),
    writing: new WriteRuns(main, predictions, weighs),
  };
}

/** Encoder and decoder together; undefined of a model of one stack. */
function seq2seqOf(
  { chosen: { runtime }, resolved: { name }, parts, limits }: Preparation,
  opened: OpenedModel,
): Seq2SeqSessions | undefined {
  const { encoder, main, bridges } = parts;
  const decoder = new Seq2SeqPart(main, opened.main, opened.lean);
  if (encoder === undefined || opened.encoder === undefined)
    return opened.hasTarget
      ? new WholeSeq2Seq(
          name,
          decoder,
          planInputs(main.analysis.index, withCaches(main.analysis.index, opened.main.inputNames)),
        )
      : undefined;
  const ofEncoder = {
    ort: runtime.ort,
    runtime,
    files: encoder,
    numItems: signatureOf(encoder.analysis.index).numItems,
    heldBytes: opened.main.weightBytes,
    mayLackAttention: true,
    keptOutputs: [...new Set(bridges.values())],
  };
  const lean = new LeanRuns(ofEncoder, opened.encoder, limits);
  return new SplitSeq2Seq(name, new Seq2SeqPart(encoder, opened.encoder, lean), decoder, bridges);
}

function stackModel(preparation: Preparation, opened: OpenedModel, predictions: PredictionRuns): StackModel {
  const { chosen, resolved, parts, source, limits, access } = preparation;
  const { bridges } = parts;
  const { index } = parts.main.analysis;
  const { main: session, lean, links } = opened;
  const plan = planInputs(index, withCaches(index, session.inputNames), new Set(bridges.keys()));
  const embedding = opened.embedding && new EmbeddingPart(opened.embedding, bridges);
  const facts = embedding?.facts ?? modelFacts(index, plan.roles);
  return new StackModel({
    info: infoOf(preparation, facts),
    session,
    lean,
    index,
    ...source,
    plan,
    padId: padIdOf(resolved),
    links,
    embedding,
    openPictures:
      embedding &&
      (() => VisionPart.open({ runtime: chosen.runtime, access, resolved, deadlines: source.deadlines, limits })),
    numTypes: facts.numTypes,
    scoring: new ScoreRuns(session, predictions),
    endIds: endIdsOf(resolved.generationConfig, resolved.config),
  });
}

const padIdOf = ({ config }: ResolvedModel): number => configNumber(config, ['pad_token_id']) ?? 0;

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
  const outer = embedding && modelFacts(embedding.analysis.index, signatureOf(embedding.analysis.index).roles);
  return outer?.vocabularySize ?? configNumber(config, ['vocab_size', 'n_vocab']);
}

/** Throws `modelTooLarge` where a file is made for batches or lengths that no run of it would have memory for. */
function checkFixed(name: string, { analysis }: ModelFiles, limits: MemoryLimits): void {
  const { fixedLength, fixedTargetLength, numItems } = signatureOf(analysis.index);
  if (fixedLength === undefined && fixedTargetLength === undefined && numItems === 1) return;
  new MemoryPlan(analysis, 0, limits, { numItems }).check(name, {
    numPositions: fixedLength,
    numTargetPositions: fixedTargetLength,
  });
}

function infoOf(
  { chosen: { runtime, reason }, resolved }: Preparation,
  facts: Pick<ModelInfo, 'contextLength' | 'vocabularySize'>,
): LoadedModelInfo {
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
