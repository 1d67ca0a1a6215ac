import { ExplorerError } from '../../base/errors';
import { writtenText } from './tokenText';
import type { Continuation } from '../../model/continuation';
import type { TokenStream } from '../../model/token';
import { TokenChoice } from './continueText';
import type { LoadedModelInfo } from '../../model/modelInfo';
import type { CacheLink } from '../../onnx/inputs/cacheLinks';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { InputPlan, InputValues, MadeInputs } from '../../onnx/inputs/inputs';
import type { ExtractionReport } from '../../onnx/report/report';
import type { AttentionResult, AttentionSession, RunOptions } from '../session/attentionSession';
import { arrangeLayers } from '../session/arrangeLayers';
import { findBakedLength, positionsFor, type BakedLength } from './bakedLength';
import { ContinuedRuns } from '../session/continuedRuns';
import type { FedFile } from '../session/fedInput';
import type { EmbeddingPart } from '../session/embeddingPart';
import { describeComponents, storedLayers } from '../session/layerInfo';
import { layerByLayer } from '../session/layerSteps';
import type { LeanRuns } from '../long/leanRuns';
import { placeTextLayers, withReasons } from '../session/placedText';
import { ownTokenNotices, paddingNotices } from './paddingNotices';
import {
  tokenizeWithPicture,
  type PictureFile,
  type PictureReader,
  type PictureWriting,
  type SeenPicture,
} from './picturedText';
import { randomText } from './randomText';
import type { Explanation, Reading, ReadingSteps, TextModel } from './textModel';
import { tokenizeSource, type SourceTokenizer } from './tokenizeSource';
import { inputOf, type ReadIds } from '../session/readIds';
import type { TokenizedText } from './tokenizeText';
import type { TokenLimits } from '../limits/tokenLimits';

/** Reads what a model would write next. */
interface Scoring {
  /** The score of each id at a row of what the model's file is fed. Throws `noPredictions` where it gives none. */
  scoresAt(inputs: MadeInputs['inputs'], row: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/** What a model of one stack is made of. */
export interface StackParts extends SourceTokenizer {
  readonly info: LoadedModelInfo;
  readonly session: AttentionSession;
  /** Of long texts. */
  readonly lean: LeanRuns;
  readonly index: GraphIndex;
  readonly plan: InputPlan;
  /** Fills texts up to a fixed length. */
  readonly padId: number;
  readonly links: readonly CacheLink[];
  /** What makes embeddings of ids, where the decoder takes these. */
  readonly embedding: EmbeddingPart | undefined;
  /** Opens what makes features of pictures; undefined where the model reads text alone. */
  readonly openPictures?: (() => Promise<PictureReader>) | undefined;
  /** See {@link ModelFacts.numTypes}. */
  readonly numTypes: number;
  readonly scoring: Scoring;
  /** Ids that end a text. */
  readonly endIds: ReadonlySet<number>;
}

/** A picture that was made ready, and how it is written. */
interface Seen {
  readonly picture: SeenPicture;
  readonly writing: PictureWriting;
}

/** What is to be run. */
interface ToRead extends ReadIds {
  readonly seen?: Seen | undefined;
}

/** A text that was run. */
interface ReadText extends Pick<MadeInputs, 'numTokens' | 'numPositions' | 'firstPosition'> {
  readonly result: AttentionResult;
  readonly numReused: number;
}

/** A model of one stack: it reads one text, whose tokens attend to each other. */
export class StackModel implements TextModel {
  readonly info: LoadedModelInfo;
  readonly #parts: StackParts;
  /** Of texts that are edited. */
  readonly #continued: ContinuedRuns;
  #report: ExtractionReport;
  #fed: readonly FedFile[] = [];
  /** Known once a run has given no layer over the whole text. */
  #hasBlocks = false;
  /** Known once a run of another length has failed. */
  #baked: BakedLength | undefined;
  /** Made when someone first shows it a picture. */
  #pictures: Promise<PictureReader> | undefined;

  constructor(parts: StackParts) {
    this.info = parts.info;
    this.#parts = parts;
    this.#continued = new ContinuedRuns(parts.session, parts.plan, parts.padId, parts.links);
    this.#report = parts.session.report;
  }

  get reports(): readonly ExtractionReport[] {
    return [this.#report];
  }

  get fed(): readonly FedFile[] {
    return this.#fed;
  }

  async explain(reading: Reading, steps: ReadingSteps): Promise<Explanation> {
    const { name } = this.info;
    const { onProgress, turn } = steps;
    if (reading.target !== undefined) throw new ExplorerError('targetNotRead', [name]);
    if (reading.languages !== undefined)
      throw new ExplorerError('invalidArgument', [
        reading.languages.source ?? reading.languages.target ?? '',
        'the model has no decoder of its own, so it has no languages',
      ]);
    const started = performance.now();
    const formerlyFed = this.#fed;
    const { sites } = this.#parts.session.analysis;
    const seen = reading.picture && (await this.#see(reading.picture, turn));
    onProgress({ stage: 'tokenize' });
    let { stream, notices: cuts } = await this.#tokenize(reading, seen);
    const { continuation } = reading;
    if (continuation !== undefined) stream = await this.#continue(stream, continuation, turn);
    const tokenized = performance.now();
    onProgress({ stage: 'run' });
    await turn();
    let read: ReadText;
    try {
      read = await this.#run(
        { ...inputOf(stream), seen },
        reading.isLive === true,
        layerByLayer(steps, sites, (layers) => {
          const components = describeComponents(layers);
          if (reading.second === undefined || components.some(({ isCausal }) => !isCausal))
            steps.onGrowth?.({
              streams: [stream],
              layers: storedLayers(layers, components),
              components,
              notices: cuts,
            });
        }),
      );
    } catch (error) {
      if (this.#baked !== undefined) throw error;
      this.#baked = await this.#findLength(error, stream.tokens.length, turn);
      if (this.#baked === undefined) throw error;
      ({ stream, notices: cuts } = await this.#tokenize(reading, seen));
      read = await this.#run({ ...inputOf(stream), seen }, reading.isLive === true, layerByLayer(steps, sites));
    }
    if (continuation !== undefined && this.#isTwoSided(read.result)) throw this.#refuse('it reads both ways');
    if (reading.random === undefined) this.#report = read.result.report;
    else this.#fed = formerlyFed;
    // A length at which the file runs, and computes no attention, is not the one that it was made for.
    if (read.result.layers.length === 0) this.#baked = undefined;
    const { layers, components, notices } = arrangeLayers(name, [read.result]);
    if (reading.second !== undefined && components.every(({ isCausal }) => isCausal))
      throw new ExplorerError('pairNotRead', [name, 'it is a causal model, which reads one text']);
    return {
      streams: [stream],
      layers,
      components,
      ...(seen === undefined ? {} : { picture: seen.picture.picture }),
      notices: [
        ...(seen?.picture.notices ?? []),
        ...cuts,
        ...notices,
        ...ownTokenNotices(read.result),
        ...paddingNotices(read, [read.result], this.#parts.tokenizer.sides.padsLeft),
      ],
      numReused: read.numReused,
      timings: { tokenize: tokenized - started, run: performance.now() - tokenized },
    };
  }

  async write(): Promise<string> {
    throw new ExplorerError('targetNotRead', [this.info.name]);
  }

  async tokens(text: string, tokenLimit: number): Promise<TokenStream> {
    return (await this.#tokenize({ text, tokenLimit })).stream;
  }

  #refuse(reason: string): ExplorerError {
    return new ExplorerError('noContinuation', [this.info.name, reason]);
  }

  /** Whether a layer of a run reads what comes later. */
  #isTwoSided({ layers }: AttentionResult): boolean {
    return describeComponents(layers).some(({ isCausal }) => !isCausal);
  }

  /** A text with what the model writes after it, one run a token. Throws `noContinuation`, `noPredictions`, and what a run throws. */
  async #continue(
    stream: TokenStream,
    { written, tokens, sampling }: Continuation,
    turn: ReadingSteps['turn'],
  ): Promise<TokenStream> {
    const { tokenizer, scoring, endIds } = this.#parts;
    const from = stream.tokens.length;
    const ids = [...stream.tokens.map(({ id }) => id), ...written];
    const shares: (number | null)[] = written.map(() => null);
    const choice = new TokenChoice(sampling, written.length);
    let ended: number | undefined;
    for (let i = 0; i < tokens && ended === undefined; i++) {
      await turn();
      const { inputs, firstPosition } = await this.#inputs({ ids }, positionsFor(this.#baked, ids.length));
      const { id, share } = choice.choose(await scoring.scoresAt(inputs, firstPosition + ids.length - 1));
      if (endIds.has(id)) ended = id;
      else {
        ids.push(id);
        shares.push(share);
      }
    }
    if (shares.length === 0) throw this.#refuse('what it writes first ends the text');
    return tokenizer.use(shares.length, (own) => ({
      ...stream,
      tokens: [
        ...stream.tokens,
        ...ids.slice(from).map((id) => ({
          id,
          piece: own.tokenOf(id) ?? `[${id}]`,
          start: stream.text.length,
          end: stream.text.length,
          isSpecial: own.isSpecial(id),
          isWritten: true,
          template: writtenText(own, id),
        })),
      ],
      written: { from, sampling, shares, ending: ended === undefined ? undefined : own.tokenOf(ended) },
    }));
  }

  async release(): Promise<void> {
    await this.#parts.scoring.release();
    await this.#parts.lean.suspend();
    await this.#parts.embedding?.release();
    await (await this.#pictures?.catch(() => undefined))?.release();
    await this.#parts.session.release();
  }

  /** A picture made ready for the decoder. */
  async #see(picture: PictureFile, turn: ReadingSteps['turn']): Promise<Seen> {
    const { openPictures, info } = this.#parts;
    if (openPictures === undefined) throw new ExplorerError('modelReadsText', [info.name]);
    const opening = (this.#pictures ??= openPictures());
    const reader = await opening.catch((error: unknown) => {
      this.#pictures = undefined;
      throw error;
    });
    return { picture: await reader.read(picture, turn), writing: reader.writing };
  }

  async #tokenize(reading: Reading, seen?: Seen): Promise<TokenizedText> {
    const { plan, lean, numTypes } = this.#parts;
    const { name, contextLength = Infinity, vocabularySize } = this.info;
    const { kind, length } = this.#baked ?? {};
    const { continuation } = reading;
    const numWritten = continuation === undefined ? 0 : continuation.written.length + continuation.tokens;
    const fixed = plan.fixedLength ?? (kind === 'exact' ? length : undefined);
    const room = Math.min(contextLength, kind === 'most' ? (length ?? Infinity) : Infinity);
    if (Math.min(room, fixed ?? Infinity, lean.mostPositions) <= numWritten)
      throw this.#refuse(
        `it reads ${Math.min(room, fixed ?? Infinity)} tokens in all, so that there is no room for ${numWritten} more`,
      );
    const limits: TokenLimits = {
      modelName: name,
      contextLength: room - numWritten,
      fixedLength: fixed === undefined ? undefined : fixed - numWritten,
      tokenLimit: reading.tokenLimit,
      memoryLimit: lean.mostPositions - numWritten,
      vocabularySize,
      numTypes,
    };
    const { random } = reading;
    const { tokenizer } = this.#parts;
    if (seen !== undefined) {
      await tokenizer.ready();
      return tokenizeWithPicture(reading.text, seen, limits, {
        tokenize: (text, within) =>
          tokenizeSource(this.#parts, { ...reading, text, isBare: seen.writing.isBare }, within),
        specialOf: (id) => tokenizer.specialOf(id),
      });
    }
    if (random === undefined) return tokenizeSource(this.#parts, reading, limits);
    await tokenizer.ready();
    return { stream: tokenizer.use(2 * random.numTokens, (own) => randomText(own, random, limits)), notices: [] };
  }

  async #run(text: ToRead, isLive: boolean, steps: Pick<RunOptions, 'turn' | 'onLayer' | 'arrays'>): Promise<ReadText> {
    const { lean, session, embedding } = this.#parts;
    const { inputs, numTokens, numPositions, firstPosition, fed } = await this.#inputs(
      text,
      positionsFor(this.#baked, text.ids.length),
    );
    this.#fed = fed;
    const isLean = lean.isFor(numPositions);
    if (!isLean) await lean.suspend();
    const isContinued = isLive && !isLean && this.#baked === undefined && embedding === undefined;
    // What an edited text would go on from is kept only as long as it is edited.
    if (!isContinued) this.#continued.forget();
    if (isContinued) return { ...(await this.#continued.run(text)), numTokens, numPositions, firstPosition };
    const result = isLean
      ? await lean.run(inputs, { numPositions, numTokens, ...steps })
      : this.#hasBlocks
        ? await this.#inBlocks(inputs, numTokens, steps.turn)
        : await session.run(inputs, {
            numPositions,
            numTokens,
            firstPosition,
            outputs: [],
            ...steps,
          });
    if (
      !isLean &&
      !this.#hasBlocks &&
      embedding === undefined &&
      ((result.layers.length === 0 && result.failed.length > 0) || hasParts(session))
    ) {
      // Attention may be computed block by block; then it is put together.
      const placed = await this.#inBlocks(inputs, numTokens, steps.turn);
      this.#hasBlocks = placed.layers.length > 0;
      const shown = this.#hasBlocks ? placed : withReasons(result, placed, session.analysis);
      return { result: shown, numReused: 0, numTokens, numPositions, firstPosition };
    }
    return { result, numReused: 0, numTokens, numPositions, firstPosition };
  }

  /** The attention of a model that computes it within blocks of the text, as patterns over its tokens. */
  async #inBlocks(
    inputs: MadeInputs['inputs'],
    numTokens: number,
    turn?: () => Promise<void>,
  ): Promise<AttentionResult> {
    const { session, plan } = this.#parts;
    const ids = inputs.find(({ name }) => plan.roles.get(name) === 'ids');
    const result = await session.run(inputs, { hasWindows: true, outputs: [] });
    return ids === undefined ? result : placeTextLayers(session, result, { inputs, ids, numTokens, turn });
  }

  /** What the model is fed for ids, with the embeddings that another file makes of them. */
  async #inputs({ seen, ...read }: ToRead, wanted: number): Promise<MadeInputs & { readonly fed: readonly FedFile[] }> {
    const { plan, session, embedding, lean, tokenizer, links } = this.#parts;
    const padId = tokenizer.sides.padId ?? this.#parts.padId;
    // What is computed in parts, or goes on, counts from the text's start.
    const isPaddedLeft =
      tokenizer.sides.padsLeft && links.length === 0 && !this.#hasBlocks && !lean.isFor(plan.fixedLength ?? wanted);
    const text = seen === undefined ? read : withPicture(read, seen);
    const made = plan.make({ ...text, padId, numPositions: wanted, isPaddedLeft });
    const first = await embedding?.run(
      { ...text, padId, numPositions: made.numPositions, isPaddedLeft },
      seen && { id: seen.writing.id, features: seen.picture.features, width: seen.picture.width },
    );
    const inputs = [...(first?.inputs ?? []), ...made.inputs];
    const { numPositions, numTokens, firstPosition } = made;
    const ids = made.inputs.find(({ name }) => plan.roles.get(name) === 'ids');
    const own: FedFile = {
      file: session.fileName,
      inputs,
      firstPosition,
      positions: { numPositions, numTokens, firstPosition },
      ...(ids === undefined ? {} : { placedBy: { input: ids.name } }),
    };
    return {
      ...made,
      inputs,
      fed: [...(seen === undefined ? [] : seen.picture.fed), ...(first === undefined ? [] : [first.fed]), own],
    };
  }

  /** The length that a failure comes from; undefined where it comes from something else. */
  #findLength(error: unknown, numTokens: number, turn: ReadingSteps['turn']): Promise<BakedLength | undefined> {
    const { plan, lean, index, padId, session } = this.#parts;
    if (plan.fixedLength !== undefined) return Promise.resolve(undefined);
    return findBakedLength(error, numTokens, index, async (numPositions) => {
      await turn();
      if (lean.isFor(numPositions)) return false;
      await lean.suspend();
      try {
        await session.run((await this.#inputs({ ids: [padId] }, numPositions)).inputs, { outputs: [] });
        return true;
      } catch (failure) {
        if (failure instanceof ExplorerError && failure.code === 'runtimeFailed') return false;
        throw failure;
      }
    });
  }
}

/** What is fed of a text with a picture: types and positions are those of its kind. */
function withPicture(text: ReadIds, { picture, writing }: Seen): ReadIds & Pick<InputValues, 'positionIds'> {
  const { ids } = text;
  return {
    ...text,
    ...(writing.hasTypes === true ? { typeIds: ids.map((id) => (id === writing.id ? 1 : 0)) } : {}),
    positionIds: writing.positionsOf?.(ids, picture.grid),
  };
}

/** Whether attentions of a model are computed in parts, which are put together after a run. */
function hasParts({ analysis }: AttentionSession): boolean {
  return analysis.sites.some(({ inParts }) => inParts !== undefined);
}
