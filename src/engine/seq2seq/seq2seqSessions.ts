import { ExplorerError } from '../../base/errors';
import type { DataTypeName } from '../../onnx/file/dataType';
import {
  planInputs,
  type InputPlan,
  type MadeInputs,
  type ModelInput,
  type TensorData,
  withCaches,
} from '../../onnx/inputs/inputs';
import { modelFacts, type ModelFacts } from '../../onnx/inputs/modelFacts';
import { positionsFirst } from '../../onnx/inputs/positionsFirst';
import type { ExtractionReport } from '../../onnx/report/report';
import type { AttentionResult } from '../session/attentionSession';
import { toFloats } from '../runtime/feeds';
import type { FedFile } from '../session/fedInput';
import type { ModelFiles } from '../files/modelFiles';
import type { LayerSteps } from '../session/layerSteps';
import type { ReadIds } from '../session/readIds';
import type { PairLengths, Seq2SeqPart } from './seq2seqPart';

/** A source that an encoder has read, or that the one graph will read with each target. */
export interface ReadSource extends ReadIds {
  readonly made: Pick<MadeInputs, 'numTokens' | 'numPositions'>;
  /** Attention of the encoder, where it has a file of its own. */
  readonly encoder: AttentionResult | undefined;
  readonly inputs: readonly ModelInput[];
}

/** The sessions of an encoder–decoder model, in one file or in two. */
export interface Seq2SeqSessions {
  readonly source: ModelFacts & { readonly fixedLength: number | undefined };
  readonly target: ModelFacts & { readonly fixedLength: number | undefined };
  /** Whether a source and a target of so many tokens fit into memory with their attention. */
  fits(numSource: number, numTarget: number): boolean;
  /** As the graphs alone make them. */
  readonly reports: readonly ExtractionReport[];
  /** What the files were fed in the latest runs for attention; empty before one. */
  readonly fed: readonly FedFile[];
  read(text: ReadIds, padId: number, steps: LayerSteps): Promise<ReadSource>;
  /** Scores of every id after the target's last one, in an array of its own. Throws `targetNotWritten` where the model gives none. */
  scores(source: ReadSource, targetIds: readonly number[]): Promise<Float32Array>;
  /** Attention over the whole target, with that of the encoder; one result per file. The layers are the caller's to release, those of the source too. */
  attention(source: ReadSource, targetIds: readonly number[], steps: LayerSteps): Promise<readonly AttentionResult[]>;
  release(): Promise<void>;
}

/** An encoder–decoder model in one file, which reads the source anew with every target. */
export class WholeSeq2Seq implements Seq2SeqSessions {
  readonly source: Seq2SeqSessions['source'];
  readonly target: Seq2SeqSessions['target'];
  readonly #part: Seq2SeqPart;
  readonly #plan: InputPlan;
  readonly #scored: ScoredPart;
  fed: readonly FedFile[] = [];
  #padId = 0;

  constructor(name: string, part: Seq2SeqPart, plan: InputPlan) {
    this.#part = part;
    this.#plan = plan;
    const { index } = part.files.analysis;
    this.source = { ...modelFacts(index, plan.roles), fixedLength: plan.fixedLength };
    this.target = { ...modelFacts(index, plan.roles, 'targetIds'), fixedLength: plan.fixedTargetLength };
    this.#scored = { name, part, output: scoresOutput(part.files), vocabularySize: this.target.vocabularySize };
  }

  get reports(): readonly ExtractionReport[] {
    return [this.#part.session.report];
  }

  fits(numSource: number, numTarget: number): boolean {
    return this.#part.plan.fits(this.source.fixedLength ?? numSource, this.target.fixedLength ?? numTarget);
  }

  read(text: ReadIds, padId: number): Promise<ReadSource> {
    this.#padId = padId;
    const { ids } = text;
    const numPositions = this.#plan.fixedLength ?? ids.length;
    return Promise.resolve({
      ...text,
      made: { numTokens: Math.min(ids.length, numPositions), numPositions },
      encoder: undefined,
      inputs: [],
    });
  }

  async scores({ ids, typeIds }: ReadSource, targetIds: readonly number[]): Promise<Float32Array> {
    return lastScores(this.#scored, this.#plan.make({ ids, typeIds, targetIds, padId: this.#padId }), targetIds.length);
  }

  async attention(
    { ids, typeIds }: ReadSource,
    targetIds: readonly number[],
    steps: LayerSteps,
  ): Promise<readonly AttentionResult[]> {
    const { inputs, numTokens, numPositions, numTargetPositions } = this.#plan.make({
      ids,
      typeIds,
      targetIds,
      padId: this.#padId,
    });
    const positions = { numPositions, numTokens, numTargetPositions, numTargetTokens: targetIds.length };
    this.fed = [{ file: this.#part.files.name, inputs, positions }];
    return [await this.#part.run(inputs, { ...positions, outputs: [] }, steps)];
  }

  async release(): Promise<void> {
    await this.#part.release();
  }
}

/** An encoder and a decoder, each in a file of its own: what the encoder makes of the source is fed to the decoder. */
export class SplitSeq2Seq implements Seq2SeqSessions {
  readonly source: Seq2SeqSessions['source'];
  readonly target: Seq2SeqSessions['target'];
  readonly #encoder: Seq2SeqPart;
  readonly #decoder: Seq2SeqPart;
  readonly #encoderPlan: InputPlan;
  readonly #decoderPlan: InputPlan;
  /** Inputs of the decoder, each with the output of the encoder that it gets. */
  readonly #bridges: ReadonlyMap<string, string>;
  readonly #scored: ScoredPart;
  fed: readonly FedFile[] = [];
  #padId = 0;

  /** Throws `inputNotMade` where the decoder needs what neither a text nor the encoder gives. */
  constructor(name: string, encoder: Seq2SeqPart, decoder: Seq2SeqPart, bridges: ReadonlyMap<string, string>) {
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#bridges = bridges;
    this.#encoderPlan = planInputs(encoder.files.analysis.index, encoder.session.inputNames);
    this.#decoderPlan = planInputs(
      decoder.files.analysis.index,
      withCaches(decoder.files.analysis.index, decoder.session.inputNames),
      new Set(this.#bridges.keys()),
    );
    this.source = {
      ...modelFacts(encoder.files.analysis.index, this.#encoderPlan.roles),
      fixedLength: this.#encoderPlan.fixedLength,
    };
    const { fixedLength, fixedTargetLength, roles } = this.#decoderPlan;
    const readsIds = [...roles.values()].includes('ids');
    this.target = {
      ...modelFacts(decoder.files.analysis.index, roles, readsIds ? 'ids' : 'targetIds'),
      fixedLength: readsIds ? fixedLength : fixedTargetLength,
    };
    const { vocabularySize } = this.target;
    this.#scored = { name, part: decoder, output: scoresOutput(decoder.files), vocabularySize };
  }

  get reports(): readonly ExtractionReport[] {
    return [this.#encoder.session.report, this.#decoder.session.report];
  }

  fits(numSource: number, numTarget: number): boolean {
    const source = this.source.fixedLength ?? numSource;
    const { plan } = this.#encoder;
    return (
      plan.fits(source) &&
      this.#decoder.plan.fits(source, this.target.fixedLength ?? numTarget, {
        held: plan.heldBytes(source),
        whole: plan.wholeBytes(source),
      })
    );
  }

  async read(text: ReadIds, padId: number, steps: LayerSteps): Promise<ReadSource> {
    this.#padId = padId;
    const { inputs, numTokens, numPositions } = this.#encoderPlan.make({ ...text, padId });
    const positions = { numPositions, numTokens, numTargetPositions: 0 };
    this.fed = [{ file: this.#encoder.files.name, inputs, positions }];
    const outputs = [...new Set(this.#bridges.values())];
    const encoder = await this.#encoder.run(inputs, { ...positions, outputs }, steps);
    const fed = [...this.#bridges].map(([input, output]): ModelInput => {
      const tensor = encoder.outputs.get(output);
      if (tensor === undefined || Array.isArray(tensor.data))
        throw new ExplorerError('inputNotMade', [input, `the encoder gives no ${output}`]);
      return { name: input, type: tensor.type as DataTypeName, dims: tensor.dims, data: tensor.data as TensorData }; // as the runtime gave them; strings were ruled out above
    });
    return { ...text, made: { numTokens, numPositions }, encoder, inputs: fed };
  }

  async scores(source: ReadSource, targetIds: readonly number[]): Promise<Float32Array> {
    return lastScores(this.#scored, this.#make(source, targetIds), targetIds.length);
  }

  async attention(
    source: ReadSource,
    targetIds: readonly number[],
    steps: LayerSteps,
  ): Promise<readonly AttentionResult[]> {
    const { inputs, ...lengths } = this.#make(source, targetIds);
    const positions = { ...lengths, numTokens: source.made.numTokens, numTargetTokens: targetIds.length };
    this.fed = [...this.fed.slice(0, 1), { file: this.#decoder.files.name, inputs, positions }];
    const decoder = await this.#decoder.run(inputs, { ...positions, outputs: [] }, steps);
    return source.encoder === undefined ? [decoder] : [source.encoder, decoder];
  }

  async release(): Promise<void> {
    await this.#encoder.release();
    await this.#decoder.release();
  }

  #make(
    { made, inputs }: ReadSource,
    targetIds: readonly number[],
  ): PairLengths & { readonly inputs: readonly ModelInput[] } {
    const target = this.#decoderPlan.make({ ids: targetIds, targetIds, encoder: made, padId: this.#padId });
    return {
      inputs: [...inputs, ...target.inputs],
      numPositions: made.numPositions,
      numTargetPositions: this.target.fixedLength ?? targetIds.length,
    };
  }
}

/** The output that may hold scores of ids. */
export function scoresOutput({ analysis }: ModelFiles): string | undefined {
  const names = analysis.index.graph.outputs.map((output) => output.name);
  return names.find((name) => /logits|scores/i.test(name)) ?? names[0];
}

/** What gives scores of ids. */
interface ScoredPart {
  /** Of the model. */
  readonly name: string;
  readonly part: Seq2SeqPart;
  readonly output: string | undefined;
  readonly vocabularySize: number | undefined;
}

/** The row of the target's last token: scores are [batch, position, id], or of the last position alone. */
async function lastScores(
  { name, part, output, vocabularySize }: ScoredPart,
  { inputs, ...lengths }: PairLengths & { readonly inputs: readonly ModelInput[] },
  numTokens: number,
): Promise<Float32Array> {
  const tensor = output === undefined ? undefined : (await part.outputs(inputs, [output], lengths)).get(output);
  const floats = tensor === undefined ? undefined : toFloats(tensor);
  const width = tensor?.dims.at(-1) ?? 0;
  const rows = tensor?.dims.at(positionsFirst(part.files.analysis.index).size > 0 ? 0 : -2) ?? 1;
  // A model without its head gives hidden states, which are no scores.
  if (
    floats === undefined ||
    width === 0 ||
    (tensor?.dims.length ?? 0) < 2 ||
    (vocabularySize !== undefined && width < vocabularySize / 2)
  )
    throw new ExplorerError('targetNotWritten', [name]);
  const row = Math.min(rows, numTokens) - 1;
  return floats.slice(row * width, (row + 1) * width);
}
