import { ExplorerError } from '../base/errors';
import type { ComponentInfo } from '../model/head';
import type { ModelInfo, Notice } from '../model/modelInfo';
import type { TokenStream } from '../model/token';
import { planInputs, type InputPlan } from '../onnx/inputs';
import { modelFacts } from '../onnx/modelFacts';
import { readsOf } from '../onnx/reads';
import { formatReport, type ExtractionReport } from '../onnx/report';
import type { EngineEvents, ModelSpec, ReportView } from '../protocol';
import { Tokenizer } from '../tokenizer/tokenizer';
import { AttentionSession } from './attentionSession';
import type { LayerAttention } from './attentionStore';
import type { FileAccess } from './fileAccess';
import { describeComponents, maxAttentionBytes, storedLayers } from './layerInfo';
import { readModelFiles } from './modelFiles';
import { configNumber, configuredContextLength, resolveModel } from './modelFolder';
import type { ChosenRuntime } from './runtimes';
import { tokenizeText, type TokenizedText } from './tokenizeText';

/** Heads that a layer is taken to have where its graph does not say. */
const usualHeads = 16;

/** The attention of one run, ready for the store, and what is to be said of it. */
export interface RunResult {
  readonly layers: readonly LayerAttention[];
  readonly components: readonly ComponentInfo[];
  readonly notices: readonly Notice[];
}

/** A model with its tokenizer, ready to read texts. */
export class LoadedModel {
  readonly info: ModelInfo;
  readonly #spec: ModelSpec;
  readonly #session: AttentionSession;
  readonly #tokenizer: Tokenizer;
  readonly #plan: InputPlan;
  /** Fills texts up to a fixed length. */
  readonly #padId: number;
  #report: ExtractionReport;

  private constructor(spec: ModelSpec, info: ModelInfo, session: AttentionSession, tokenizer: Tokenizer, plan: InputPlan, padId: number) {
    this.#padId = padId;
    this.#spec = spec;
    this.info = info;
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#plan = plan;
    this.#report = session.report;
  }

  /** Finds, reads and prepares a model. Throws the errors of reading its files, its graph and its tokenizer, and `inputNotMade`. */
  static async load({ runtime, reason }: ChosenRuntime, access: FileAccess, spec: ModelSpec, onProgress: (progress: EngineEvents['progress']) => void = () => {}, signal?: AbortSignal): Promise<LoadedModel> {
    onProgress({ stage: 'readModel' });
    const resolved = await resolveModel(access, spec.path, spec.tokenizerPath);
    const files = await readModelFiles(access, resolved.modelPath);
    if (readsOf(files.analysis.index) === 'image') throw new ExplorerError('modelReadsImages', [resolved.name]);
    if (resolved.tokenizerPath === undefined) throw new ExplorerError('tokenizerNotFound', [resolved.name]);
    const tokenizerBytes = await access.read(resolved.tokenizerPath);
    signal?.throwIfAborted();
    const tokenizer = Tokenizer.fromJson(new TextDecoder().decode(tokenizerBytes), resolved.tokenizerPath);
    const { index } = files.analysis;
    // What text cannot give is said before the model is loaded, not after.
    if (files.analysis.sites.length === 0) throw new ExplorerError('modelNoAttention', [resolved.name]);
    onProgress({ stage: 'loadModel' });
    const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
    try {
      const plan = planInputs(index, session.inputNames);
      const [target] = [...plan.roles].find(([, role]) => role === 'targetIds') ?? [];
      if (target !== undefined) throw new ExplorerError('inputNotMade', [target, 'it is the target text of an encoder–decoder model']);
      const facts = modelFacts(index, plan.roles);
      const padId = resolved.config['pad_token_id'];
      const info: ModelInfo = {
        name: resolved.name,
        path: resolved.modelPath,
        backend: runtime.backend,
        backendReason: reason,
        numThreads: runtime.numThreads,
        contextLength: smallest(configuredContextLength(resolved), facts.contextLength),
        vocabularySize: facts.vocabularySize ?? configNumber(resolved.config, ['vocab_size', 'n_vocab']),
        reads: 'text',
      };
      return new LoadedModel(spec, info, session, tokenizer, plan, typeof padId === 'number' ? padId : 0);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /** Whether this is the model that a specification asks for. */
  isOf(spec: ModelSpec): boolean {
    return this.#spec.path === spec.path && this.#spec.tokenizerPath === spec.tokenizerPath && this.#spec.backend === spec.backend;
  }

  /** Tokenises a text and cuts it to what the model reads; see {@link tokenizeText}. */
  tokenize(text: string, tokenLimit: number): TokenizedText {
    const { name, contextLength, vocabularySize } = this.info;
    return tokenizeText(this.#tokenizer, text, { modelName: name, contextLength, fixedLength: this.#plan.fixedLength, tokenLimit, memoryLimit: this.#memoryLimit(), vocabularySize });
  }

  /** The most tokens whose attention, heads × n² numbers of four bytes, stays within the budget. */
  #memoryLimit(): number {
    const numHeads = this.#report.sites.reduce((sum, site) => sum + (site.numHeads ?? usualHeads), 0);
    return Math.floor(Math.sqrt(maxAttentionBytes / (4 * Math.max(1, numHeads))));
  }

  /** Reads tokens and gives the attention of every layer, checked; sites whose checks fail are named in the notices. Throws `checksFailed` where none is left. */
  async run(stream: TokenStream): Promise<RunResult> {
    const ids = stream.tokens.map((token) => token.id);
    const { inputs, numTokens, numPositions } = this.#plan.make({ ids, padId: this.#padId });
    const { layers, failed, report } = await this.#session.run(inputs, { numPositions, numTokens });
    this.#report = report;
    const [firstFailure] = failed;
    if (layers.length === 0) throw new ExplorerError('checksFailed', [this.info.name, firstFailure?.reason ?? 'nothing came out'], { details: failed.map(({ path, reason }) => `${path}: ${reason}`).join('\n') });
    const notices: Notice[] = failed.map(({ path, reason }) => ({ code: 'siteNotDrawn', args: [path, reason] }));
    if (numPositions > numTokens) notices.push({ code: 'paddedToShape', args: [numPositions] });
    const components = describeComponents(layers);
    return { layers: storedLayers(layers, components), components, notices };
  }

  /** The extraction report, with the checks of the latest run. */
  report(): ReportView {
    return { title: this.info.name, markdown: formatReport(this.#report), json: JSON.stringify(this.#report, undefined, 2) };
  }

  /** Frees the session. */
  async release(): Promise<void> {
    await this.#session.release();
  }
}

function smallest(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
