import { chunkEnd, LinePlaces, nextStart } from '../../model/profile/chunks';
import type { ChunkPlace, TextRecord } from '../../model/profile/textRecord';
import type { Grammar } from '../syntax/grammars';
import type { CodeParser } from '../syntax/parseCode';
import type { ReusedArrays } from '../runtime/reusedArrays';
import { unwatched } from '../session/layerSteps';
import type { Explanation, Reading, ReadingSteps } from '../text/textModel';
import type { TokenStream } from '../../model/token';
import type { PatternSummer } from './patternSums';
import { TextReduction } from './textReduction';

/** A model that reads texts. */
export interface ProfiledModel {
  /** The tokens of so much of a text as fits into so many. */
  tokens(text: string, tokenLimit: number): Promise<TokenStream>;
  explain(reading: Reading, steps: ReadingSteps): Promise<Explanation>;
}

/** How much of a text has been read. */
export interface PartRead {
  /** From 0 to 1, by its UTF-16 units. */
  readonly fraction: number;
  readonly numTokens: number;
}

/** How a text is read. */
export interface ChunkOptions {
  readonly parser: CodeParser;
  /** For the weights of one chunk after another. */
  readonly arrays: ReusedArrays;
  /** For their sums. */
  readonly summer: PatternSummer;
  /** Of the text, where there is one. */
  readonly grammar: Grammar | undefined;
  /** The most tokens of a chunk. */
  readonly length: number;
  /** Lines that a chunk repeats of the one before. */
  readonly overlapLines: number;
  /** Whether texts of chunks are kept. */
  readonly withTexts: boolean;
  /** Told after each chunk how much of the text has been read. */
  readonly onRead?: ((read: PartRead) => void) | undefined;
}

/** What a model did over a text, and what that took, in milliseconds. */
export interface ReadText extends Pick<TextRecord, 'chunks' | 'components' | 'texts'> {
  readonly numTokens: number;
  readonly running: number;
  readonly reducing: number;
}

/** UTF-16 units for each token of a chunk of which hardly any text has more. */
const usualUnits = 8;

/** How many UTF-16 units of a text fit into so many tokens. */
async function fittingUnits(model: ProfiledModel, text: string, length: number): Promise<number> {
  const near = text.slice(0, usualUnits * length);
  if (near.length < text.length && near.trim() !== '') {
    const fits = await model.tokens(near, length);
    if (fits.text.length < near.length) return fits.text.length;
  }
  return (await model.tokens(text, length)).text.length;
}

/** Reads a text in chunks, one after the other. Throws what reading throws. */
export async function readText(model: ProfiledModel, text: string, options: ChunkOptions): Promise<ReadText> {
  const { parser, arrays, summer, grammar, length, overlapLines, withTexts } = options;
  const lines = new LinePlaces(text);
  const reduction = new TextReduction(parser, grammar, summer);
  const chunks: ChunkPlace[] = [];
  const texts: string[] = [];
  let [numTokens, running, reducing] = [0, 0, 0];
  for (let [start, done] = [0, 0]; text.slice(start).trim() !== '';) {
    const begun = performance.now();
    const end = chunkEnd(text, { start, end: start + (await fittingUnits(model, text.slice(start), length)) }, lines);
    if (end <= done) {
      start = done;
      continue;
    }
    const explanation = await model.explain(
      { text: text.slice(start, end), tokenLimit: length },
      { ...unwatched, arrays },
    );
    const run = performance.now();
    running += run - begun;
    const [{ tokens, text: own }] = explanation.streams;
    // A chunk whose tokens are more than those of its lines by themselves is cut.
    const read = { start, end: Math.min(end, start + Math.max(1, own.length)) };
    numTokens += tokens.length;
    // One token reads itself.
    if (tokens.length > 1) {
      await reduction.add(explanation);
      chunks.push([...lines.placeOf(read.start), ...lines.placeOf(read.end), tokens.length]);
      if (withTexts) texts.push(text.slice(read.start, read.end));
    }
    arrays.reuse();
    reducing += performance.now() - run;
    done = read.end;
    start = nextStart(read, overlapLines, lines);
    options.onRead?.({ fraction: done / text.length, numTokens });
  }
  const components = reduction.records();
  return { chunks, components, ...(withTexts ? { texts } : {}), numTokens, running, reducing };
}
