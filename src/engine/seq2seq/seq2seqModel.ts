import { ExplorerError } from '../../base/errors';
import type { Component } from '../../model/head';
import type { LoadedModelInfo, Notice } from '../../model/modelInfo';
import type { Token, TokenStream } from '../../model/token';
import type { ExtractionReport } from '../../onnx/report/report';
import { sidesOf } from '../../onnx/name/site';
import { arrangeLayers } from '../session/arrangeLayers';
import { mostWrittenTokens, writeGreedily, type GenerationRules } from '../text/generation';
import type { Streams } from '../session/layerInfo';
import { inLanguage, intoLanguage, namedLanguageId, runLanguages, targetOpening } from '../text/languages';
import { mostThatFit } from '../long/memoryPlan';
import type { FedFile } from '../session/fedInput';
import type { Settings } from '../files/modelSettings';
import { ownTokenNotices, paddingNotices } from '../text/paddingNotices';
import { unwatched } from '../session/layerSteps';
import { inputOf } from '../session/readIds';
import type { RandomText } from '../../protocol';
import { randomText } from '../text/randomText';
import type { ReadSource, Seq2SeqSessions } from './seq2seqSessions';
import { givenTarget, writtenTarget } from '../text/targetText';
import type { Explanation, Reading, ReadingSteps, TextModel } from '../text/textModel';
import { tokenizeSource, type SourceTokenizer } from '../text/tokenizeSource';
import { specialNotices, tokenizeText, type TokenizedText } from '../text/tokenizeText';
import type { TokenLimits } from '../limits/tokenLimits';

/** What an encoder–decoder model is made of. */
export interface Seq2SeqParts extends SourceTokenizer {
  readonly info: LoadedModelInfo;
  readonly sessions: Seq2SeqSessions;
  readonly rules: GenerationRules;
  readonly config: Settings;
  readonly tokenizerConfig: Settings;
  /** The most tokens of a target that the settings allow. */
  readonly targetContextLength: number | undefined;
  readonly padId: number;
}

/**
 * A model with an encoder and a decoder of its own. The person's text is the source; the target is what the model writes
 * greedily, or the person's own. Rows of decoder and cross attention belong to what the decoder reads: the row of a target's
 * token is what the decoder looks at when it has read that token and is about to write the next.
 */
export class Seq2SeqModel implements TextModel {
  readonly #parts: Seq2SeqParts;
  #reports: readonly ExtractionReport[];

  constructor(parts: Seq2SeqParts) {
    this.#parts = parts;
    this.#reports = parts.sessions.reports;
  }

  get info(): LoadedModelInfo {
    return this.#parts.info;
  }

  get reports(): readonly ExtractionReport[] {
    return this.#reports;
  }

  get fed(): readonly FedFile[] {
    return this.#parts.sessions.fed;
  }

  async explain(reading: Reading, steps: ReadingSteps): Promise<Explanation> {
    const { tokenLimit, target: given, languages, isLive, isInContext } = reading;
    const { sessions, info } = this.#parts;
    if (reading.picture !== undefined) throw new ExplorerError('modelReadsText', [info.name]);
    if (reading.continuation !== undefined)
      throw new ExplorerError('noContinuation', [info.name, 'it writes a text of its own']);
    if (isLive === true) throw new ExplorerError('liveWrites', [info.name]);
    if (isInContext === true) throw new ExplorerError('contextNotRead', [info.name]);
    const started = performance.now();
    steps.onProgress({ stage: 'tokenize' });
    const { stream, notices } = await this.#tokenize(reading);
    const tokenized = performance.now();
    steps.onProgress({ stage: 'run' });
    await steps.turn();
    const source = await sessions.read(inputOf(stream), this.#padId, steps);
    try {
      const most = this.#mostTargetTokens(stream.tokens.length);
      const target =
        reading.random !== undefined
          ? this.#drawTarget(reading.random, most)
          : given === undefined
            ? await this.#write(source, most, steps, languages?.target)
            : this.#give(given, tokenLimit, most, languages?.target);
      steps.onProgress({ stage: 'run' });
      await steps.turn();
      const results = await sessions.attention(source, idsOf(target.stream), steps);
      if (reading.random === undefined) this.#reports = results.map(({ report }) => report);
      const { layers, components, notices: missing } = arrangeLayers(info.name, results, streamsOf);
      const padding = paddingNotices(source.made, results, this.#parts.tokenizer.sides.padsLeft);
      const used = this.#parts.tokenizer.use(0, (own) =>
        runLanguages(own, [stream, target.stream], this.#parts.tokenizerConfig),
      );
      const told: Notice[] =
        languages === undefined || used === undefined
          ? []
          : [{ code: 'inLanguages', args: [used.source ?? '?', used.target ?? '?'] }];
      return {
        streams: [stream, target.stream],
        layers,
        components,
        notices: [...told, ...notices, ...target.notices, ...missing, ...ownTokenNotices(...results), ...padding],
        languages: used,
        timings: { tokenize: tokenized - started, run: performance.now() - tokenized },
      };
    } catch (error) {
      releaseSource(source);
      throw error;
    }
  }

  async write(text: string): Promise<string> {
    const { sessions } = this.#parts;
    const { stream } = await this.#tokenize({ text, tokenLimit: 0 });
    const source = await sessions.read(inputOf(stream), this.#padId, unwatched);
    try {
      const { stream: target } = await this.#write(source, this.#mostTargetTokens(stream.tokens.length), unwatched);
      return target.text;
    } finally {
      releaseSource(source);
    }
  }

  async release(): Promise<void> {
    await this.#parts.sessions.release();
  }

  /** What fills a text up: the tokenizer's own token, else what the model's settings say. */
  get #padId(): number {
    return this.#parts.tokenizer.sides.padId ?? this.#parts.padId;
  }

  async #tokenize(reading: Reading): Promise<TokenizedText> {
    const { info, sessions, tokenizer, rules } = this.#parts;
    const { text, second, tokenLimit, languages } = reading;
    await tokenizer.ready();
    const isBefore = tokenizer.use(0, (own) => own.targetCodes.size > 0);
    const language = languages?.source;
    const into = isBefore ? languages?.target : undefined;
    const limits: TokenLimits = {
      modelName: info.name,
      contextLength: info.contextLength,
      fixedLength: sessions.source.fixedLength,
      tokenLimit,
      memoryLimit: mostThatFit((count) => sessions.fits(count, mostWrittenTokens + 1)),
      vocabularySize: info.vocabularySize,
      numTypes: sessions.source.numTypes,
    };
    if (reading.random !== undefined) {
      const { random } = reading;
      return { stream: tokenizer.use(2 * random.numTokens, (own) => randomText(own, random, limits)), notices: [] };
    }
    if (language === undefined && into === undefined) return tokenizeSource(this.#parts, reading, limits);
    if (second !== undefined) throw new ExplorerError('pairNotRead', [info.name, 'a text in a language is read alone']);
    return tokenizeText(
      {
        encode: (part) =>
          tokenizer.use(part.length, (own) => {
            const encoding = own.encode(part);
            const inOwn = language === undefined ? encoding : inLanguage(own, encoding, language, rules.endIds);
            return into === undefined ? inOwn : intoLanguage(own, inOwn, into);
          }),
        specialOf: (id) => tokenizer.specialOf(id),
      },
      text,
      { ...limits, cutsLeft: tokenizer.sides.cutsLeft },
    );
  }

  /** A target of random tokens that come twice, others than those of the source. */
  #drawTarget({ numTokens, seed }: RandomText, mostTokens: number): TokenizedText {
    const { tokenizer, sessions, rules, info } = this.#parts;
    const random = { numTokens, seed: seed + 1 };
    const limits: TokenLimits = {
      modelName: info.name,
      contextLength: mostTokens,
      fixedLength: undefined,
      tokenLimit: 0,
      memoryLimit: Infinity,
      vocabularySize: sessions.target.vocabularySize,
      numTypes: 0,
    };
    const stream = tokenizer.use(2 * numTokens, (own) => {
      const start: Token = {
        id: rules.startId,
        piece: own.tokenOf(rules.startId) ?? '',
        start: 0,
        end: 0,
        isSpecial: true,
      };
      return randomText(own, random, limits, [start]);
    });
    return { stream, notices: [] };
  }

  async #write(
    source: ReadSource,
    mostTokens: number,
    { onProgress, turn }: ReadingSteps,
    language?: string,
  ): Promise<{ stream: TokenStream; notices: Notice[] }> {
    const { sessions, tokenizer } = this.#parts;
    const isBefore = tokenizer.use(0, (own) => own.targetCodes.size > 0);
    const rules = language === undefined || isBefore ? this.#parts.rules : this.#inTarget(language);
    const most = Math.max(1, Math.min(mostTokens - 1, mostWrittenTokens));
    const limit = Math.min(most, rules.mostTokens);
    const written = await writeGreedily(rules, most, async (ids) => {
      onProgress({ stage: 'generate', fraction: (ids.length - 1) / limit });
      await turn();
      return sessions.scores(source, ids);
    });
    return {
      stream: tokenizer.use(written.ids.length, (own) => writtenTarget(own.forTarget, written)),
      notices: written.endId === undefined ? [{ code: 'targetCut', args: [written.ids.length - 1] }] : [],
    };
  }

  #give(
    text: string,
    tokenLimit: number,
    mostTokens: number,
    language?: string,
  ): { stream: TokenStream; notices: Notice[] } {
    const { tokenizer, sessions, rules, config, tokenizerConfig } = this.#parts;
    const whole = tokenizer.use(text.length, (own) =>
      givenTarget(
        own.forTarget,
        text,
        rules,
        // Where the code stands before the source, the target has none.
        own.targetCodes.size > 0
          ? undefined
          : targetOpening(own, language, { config, tokenizerConfig, endIds: rules.endIds }),
      ),
    );
    const foreign = whole.tokens.find((token) => token.id >= (sessions.target.vocabularySize ?? Infinity));
    if (foreign !== undefined)
      throw new ExplorerError('tokenizerMismatch', [foreign.id, sessions.target.vocabularySize ?? 0]);
    const most = Math.min(mostTokens, tokenLimit > 0 ? Math.max(1, tokenLimit) : Infinity);
    const tokens = whole.tokens.slice(0, most);
    const notices = specialNotices(tokenizer, { text, tokens });
    if (whole.tokens.length <= most) return { stream: whole, notices };
    const end = Math.max(...tokens.map((token) => token.end));
    return {
      stream: { ...whole, tokens, text: text.slice(0, end), target: { isWritten: false, ending: undefined } },
      notices: [...notices, { code: 'targetTextCut', args: [most, whole.tokens.length] }],
    };
  }

  /** The rules of a target that is written in a language: its code is forced first, or is the start where the decoder begins with it. */
  #inTarget(language: string): GenerationRules {
    const { tokenizer, rules, config, tokenizerConfig } = this.#parts;
    const id = tokenizer.use(0, (own) => namedLanguageId(own, language));
    const opening = tokenizer.use(0, (own) =>
      targetOpening(own, language, { config, tokenizerConfig, endIds: rules.endIds }),
    );
    return opening?.startId === undefined
      ? { ...rules, forcedFirstId: id }
      : { ...rules, startId: opening.startId, forcedFirstId: undefined };
  }

  /** The most target tokens that the model reads, and that fit into memory beside the source. */
  #mostTargetTokens(numSource: number): number {
    const { sessions, targetContextLength } = this.#parts;
    const byMemory = mostThatFit((count) => sessions.fits(numSource, count));
    return Math.max(
      1,
      Math.min(
        ...[byMemory, targetContextLength, sessions.target.contextLength, sessions.target.fixedLength].map(
          (limit) => limit ?? Infinity,
        ),
      ),
    );
  }
}

/** Frees what the encoder's layers hold, where nobody will read them. */
function releaseSource({ encoder }: ReadSource): void {
  for (const { inParts } of encoder?.layers ?? []) inParts?.release?.();
}

function streamsOf(component: Component): Streams {
  const [queryStream, keyStream] = sidesOf(component, 0, 1);
  return { queryStream, keyStream };
}

function idsOf(stream: TokenStream): number[] {
  return stream.tokens.map((token) => token.id);
}
