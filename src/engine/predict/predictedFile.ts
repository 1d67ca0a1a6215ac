import { ExplorerError } from '../../base/errors';
import { plain, type PlainText } from '../../base/safeText';
import type { ComponentInfo } from '../../model/head';
import type { TokenStream } from '../../model/token';
import { signatureOf, type ModelInput } from '../../onnx/inputs/inputs';
import { positionsFirst } from '../../onnx/inputs/positionsFirst';
import type { LogitsOutput } from '../../onnx/predict/findLogits';
import type { AttentionSession } from '../session/attentionSession';
import type { FedFile } from '../session/fedInput';
import type { ModelTokenizer } from '../text/modelTokenizer';
import { tokenText } from '../text/tokenText';

/** A model whose predictions are read. */
export interface PredictionParts {
  readonly name: string;
  /** Of the file that ends in the logits. */
  readonly session: AttentionSession;
  readonly tokenizer: Pick<ModelTokenizer, 'use'>;
  /** Rows of its table of embeddings, as far as they are known; 0 where it reads no tokens. */
  readonly vocabularySize: number | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  /** What a masked language model reads in the place of a token, as the tokenizer's settings spell it; undefined where they do not say. */
  readonly maskToken: string | undefined;
}

/** A run whose predictions are asked for. */
export interface PredictedRun {
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  readonly fed: readonly FedFile[];
}

/** What a file with logits was fed. */
export interface FedLogits {
  readonly inputs: readonly ModelInput[];
  /** Where its text begins. */
  readonly first: number;
  /** Positions of all items of its batch, and of one of them. */
  readonly numPositions: number;
  readonly length: number;
  /** Its input of ids. */
  readonly ids: string | undefined;
}

/** Scores of a vocabulary are as many as it has rows, up to rows that were added to one of them alone, to round it or for new tokens. */
const mostAdded = 0.1;

/** Rows of the vocabulary: of the table of embeddings, else of the tokenizer. */
export function vocabularySizeOf({ vocabularySize, tokenizer }: PredictionParts): number {
  return vocabularySize ?? tokenizer.use(0, (own) => own.vocabularySize);
}

/** Whether so many scores are one for each word. */
export function isVocabulary(parts: PredictionParts, width: number): boolean {
  const size = vocabularySizeOf(parts);
  return Math.abs(width - size) <= mostAdded * size;
}

/** The output that holds scores of the vocabulary; undefined where none does. */
export function logitsOfVocabulary(parts: PredictionParts, found: readonly LogitsOutput[]): LogitsOutput | undefined {
  if (parts.vocabularySize === 0) return undefined;
  const own = found.filter(({ width }) => width !== undefined && isVocabulary(parts, width));
  const unknown = found.filter(({ width, rank }) => width === undefined && rank !== 2);
  return [...own, ...unknown].sort((a, b) => rankOfName(a.output) - rankOfName(b.output))[0];
}

/** Outputs that are named as scores go before others. */
function rankOfName(name: string): number {
  return /logits|scores/i.test(name) ? 0 : 1;
}

/** The stream whose tokens a model predicts, and how: each after those before it, or where it is masked. */
export function predictsHow(
  { maskToken, tokenizer }: PredictionParts,
  { streams, components }: PredictedRun,
): { readonly stream: number; readonly isNext: boolean } {
  const stream = components.some(({ component }) => component === 'decoder' || component === 'cross') ? 1 : 0;
  const own = components.filter(({ queryStream, keyStream }) => queryStream === stream && keyStream === stream);
  // A decoder's own text is written from its beginning; and of a text of one token nothing shows what it could read.
  const isWritten =
    stream === 1 || (streams[stream].tokens.length === 1 && maskIdOf(tokenizer, maskToken) === undefined);
  return { stream, isNext: isWritten || (own.length > 0 && own.every(({ isCausal }) => isCausal)) };
}

/** The id of the token that is put in the place of one; undefined where there is none. */
export function maskIdOf(tokenizer: Pick<ModelTokenizer, 'use'>, maskToken: string | undefined): number | undefined {
  return tokenizer.use(0, (own) => {
    const spelled = [maskToken, '[MASK]', '<mask>'].find(
      (each) => each !== undefined && own.specialTokens.includes(each),
    );
    const { ids } = own.encode(spelled ?? '', { addSpecialTokens: false });
    const id = ids.find((each) => own.tokenOf(each) === spelled);
    return spelled === undefined ? undefined : id;
  });
}

/** What the file with the logits was fed. Throws `noPredictions` where that is not known. */
export function fedOf(
  { name, session }: PredictionParts,
  { fed, streams }: Pick<PredictedRun, 'fed' | 'streams'>,
): FedLogits {
  const read = fed.find(({ file }) => file === session.fileName);
  if (read === undefined) throw new ExplorerError('noPredictions', [name, 'its input is not known']);
  const { index } = session.analysis;
  const { roles } = signatureOf(index);
  const named = (role: string): ModelInput | undefined => read.inputs.find((input) => roles.get(input.name) === role);
  if (named('pixels') !== undefined)
    return {
      inputs: read.inputs,
      first: 0,
      numPositions: Math.max(...streams.map(({ tokens }) => tokens.length)),
      length: Math.max(...streams.map(({ tokens }) => tokens.length)),
      ids: undefined,
    };
  const ids =
    named('targetIds') ?? named('ids') ?? read.inputs.find(({ type, dims }) => type === 'float32' && dims.length === 3);
  if (ids === undefined) throw new ExplorerError('noPredictions', [name, 'its input of tokens is not known']);
  return {
    inputs: read.inputs,
    first: read.firstPosition ?? 0,
    numPositions: ids.dims.length === 3 ? ids.dims[0] * ids.dims[1] : ids.data.length,
    // Where positions come before items, [position, item], there is one item.
    length: ids.dims[positionsFirst(index).has(ids.name) ? 0 : 1] ?? ids.data.length,
    ids: ids.name,
  };
}

/** Ids with another in the place of one, in every item of the batch, of which each has so many positions. */
export function withIds(
  input: ModelInput,
  { at, length }: { readonly at: number; readonly length: number },
  id: number,
): ModelInput {
  const data = input.data.slice();
  for (let from = 0; from < data.length; from += length) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[from + at] = BigInt(id);
    else data[from + at] = id;
  }
  return { ...input, data };
}

/** Tokens of the vocabulary as a reader should see them. */
export function tokenTexts(tokenizer: Pick<ModelTokenizer, 'use'>, ids: ArrayLike<number>): PlainText[] {
  const texts = new Map<number, PlainText>();
  const all = Array.from(ids);
  tokenizer.use(all.length, (own) => {
    for (const id of new Set(all)) texts.set(id, tokenText(own.forTarget, id));
  });
  return all.map((id) => texts.get(id) ?? plain(''));
}

/** In a clause, why a file's outputs give no predictions. */
export function whyNone({ analysis: { index } }: AttentionSession, found: readonly LogitsOutput[]): string {
  const names = index.graph.outputs.map(({ name }) => plain(name));
  const told = names.slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '');
  return found.length === 0
    ? `its file gives ${told}, which no linear layer makes of the last hidden states: export it with its head`
    : `none of what its file gives (${told}) are scores of its vocabulary, or of labels that config.json names`;
}
