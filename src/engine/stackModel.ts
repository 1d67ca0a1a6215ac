import { ExplorerError } from '../base/errors';
import type { ModelInfo } from '../model/modelInfo';
import type { CacheLink } from '../onnx/cacheLinks';
import type { InputPlan } from '../onnx/inputs';
import type { ExtractionReport } from '../onnx/report';
import type { AttentionSession } from './attentionSession';
import { arrangeLayers } from './arrangeLayers';
import { ContinuedRuns } from './continuedRuns';
import type { LeanRuns } from './leanRuns';
import { paddingNotices } from './paddingNotices';
import type { Explanation, Reading, ReadingSteps, TextModel } from './textModel';
import { tokenizeSource, type SourceTokenizer } from './tokenizeSource';

/** A model of one stack: it reads one text, whose tokens attend to each other. */
export class StackModel implements TextModel {
  readonly info: ModelInfo;
  readonly #session: AttentionSession;
  readonly #tokenizer: SourceTokenizer;
  readonly #plan: InputPlan;
  /** Fills texts up to a fixed length. */
  readonly #padId: number;
  /** Of texts that are edited. */
  readonly #continued: ContinuedRuns;
  /** Of long texts. */
  readonly #lean: LeanRuns;
  #report: ExtractionReport;

  constructor(info: ModelInfo, session: AttentionSession, lean: LeanRuns, tokenizer: SourceTokenizer, plan: InputPlan, padId: number, links: readonly CacheLink[] = []) {
    this.info = info;
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#plan = plan;
    this.#padId = padId;
    this.#continued = new ContinuedRuns(session, plan, padId, links);
    this.#lean = lean;
    this.#report = session.report;
  }

  get reports(): readonly ExtractionReport[] {
    return [this.#report];
  }

  async explain({ text, tokenLimit, target, isChatMessage, isLive }: Reading, { onProgress, turn }: ReadingSteps): Promise<Explanation> {
    const { name, contextLength, vocabularySize } = this.info;
    if (target !== undefined) throw new ExplorerError('targetNotRead', [name]);
    const started = performance.now();
    onProgress({ stage: 'tokenize' });
    const { stream, notices: cuts } = await tokenizeSource(this.#tokenizer, text, isChatMessage, { modelName: name, contextLength, fixedLength: this.#plan.fixedLength, tokenLimit, memoryLimit: this.#lean.mostPositions, vocabularySize });
    const tokenized = performance.now();
    onProgress({ stage: 'run' });
    await turn();
    const ids = stream.tokens.map((token) => token.id);
    const { inputs, numTokens, numPositions } = this.#plan.make({ ids, padId: this.#padId });
    const isLean = this.#lean.isFor(numPositions);
    if (!isLean) await this.#lean.suspend();
    const { result, numReused } =
      isLive === true && !isLean ? await this.#continued.run(ids) : { result: isLean ? await this.#lean.run(inputs, { numPositions, numTokens }) : await this.#session.run(inputs, { numPositions, numTokens, outputs: [] }), numReused: 0 };
    // What an edited text would go on from is kept only as long as it is edited.
    if (isLive !== true || isLean) this.#continued.forget();
    this.#report = result.report;
    const { layers, components, notices } = arrangeLayers(name, [result]);
    return { streams: [stream], layers, components, notices: [...cuts, ...notices, ...paddingNotices({ numTokens, numPositions }, [result])], numReused, timings: { tokenize: tokenized - started, run: performance.now() - tokenized } };
  }

  async write(): Promise<string> {
    throw new ExplorerError('targetNotRead', [this.info.name]);
  }

  async release(): Promise<void> {
    await this.#lean.suspend();
    await this.#session.release();
  }
}
