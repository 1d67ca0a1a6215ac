import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import type { MaskedPlaces } from '../engine/predict/predictionRuns';
import { noticeText, type ModelAnswer, type ModelInfo, type Notice } from '../model/modelInfo';
import {
  meanSurprisal,
  predictionAt,
  wordParts,
  type PartOfWord,
  type TokenPrediction,
  type TokenPredictions,
} from '../model/predictions';
import { visibleText, type TokenStream } from '../model/token';
import { byOption } from './byOption';
import { counted } from './counted';
import { isImageFile } from './isImageFile';
import { askOfText, openPictureModel, type TranslatedOptions } from './readWith';

/** What `predict` is asked. */
export interface PredictOptions extends TranslatedOptions {
  /** The place of a token that a masked language model is to tell, from zero. */
  readonly mask: string | undefined;
}

/** What a model predicts at each token of a text, or of a whole text or picture, as text for people or as JSON. */
export async function predict(options: PredictOptions): Promise<TerminalText> {
  const { file, mask } = options;
  if (options.text === undefined && isImageFile(file)) return predictPicture(options);
  if (mask !== undefined && !/^\d{1,9}$/.test(mask))
    throw new ExplorerError('wrongUsage', ['--mask', 'it is the place of a token, from 0']);
  return askOfText(
    options,
    { target: options.target, languages: options.languages },
    async (model, { streams, components, notices }) => {
      const run = { streams, components, fed: model.fed };
      const masked: MaskedPlaces = mask === undefined ? undefined : Number(mask);
      const first = await byOption({ '--mask': mask }, () => model.predict(run, masked));
      // Without mask tokens of its own, a text is told token by token.
      const found =
        masked === undefined && first.kind === 'masked' && first.positions.length === 0
          ? await model.predict(run, 'each')
          : first;
      if (found.kind === 'labels') return told(options, model.info, notices, found.questions);
      const stream = streams[found.stream];
      const places = [...found.positions].flatMap((position) => predictionAt(found, position) ?? []);
      const partOf = wordParts(stream);
      return options.isJson
        ? jsonText({
            model: model.info,
            method: methods[found.kind],
            notices: notices.map(noticeText),
            stream: stream.role,
            vocabularySize: found.vocabularySize,
            mean: meanSurprisal(found, stream) ?? null,
            predictions: places.map((place) => placeJson(place, stream, partOf)),
          })
        : joinTerminal(tokenLines(model.info, notices, { found, places, stream, partOf }));
    },
  );
}

const methods = {
  next: 'probability of each token after those before it (softmax of the model’s logits, temperature 1)',
  masked: 'probability of each token in the place of a mask token (softmax of the model’s logits, temperature 1)',
  tokenLabels: 'probability of each label of a token (softmax of the model’s logits)',
  labels: 'probability of each label (softmax of the model’s logits)',
} as const;

async function predictPicture(options: PredictOptions): Promise<TerminalText> {
  if (options.mask !== undefined)
    throw new ExplorerError('wrongUsage', ['--mask', 'it is for texts, and the file is a picture']);
  const { model, picture, notices } = await openPictureModel(options, options.file);
  try {
    const { streams, components, notices: more } = await model.run(picture);
    const found = await model.predict({ streams, components, fed: model.fed });
    if (found.kind !== 'labels')
      throw new ExplorerError('noPredictions', [
        model.info.name,
        'its file gives no logits of labels that config.json names',
      ]);
    return told(options, model.info, [...notices, ...more], found.questions);
  } finally {
    await model.release();
  }
}

function told(
  { isJson }: PredictOptions,
  info: ModelInfo,
  notices: readonly Notice[],
  questions: readonly (readonly ModelAnswer[])[],
): TerminalText {
  const sentences = notices.map(noticeText);
  if (isJson) return jsonText({ model: info, method: methods.labels, notices: sentences, labels: questions });
  return joinTerminal([
    line`${info.name} · ${plain(info.backend)} · ${plain(methods.labels)}`,
    ...sentences.map((sentence) => line`${sentence}`),
    ...questions.flatMap((labels) =>
      labels.map(({ label, probability }) => line`  ${plain(share(probability))}  ${label}`),
    ),
  ]);
}

function placeJson(
  { position, actual, entropy, alternatives }: TokenPrediction,
  stream: TokenStream,
  partOf: (position: number) => PartOfWord | undefined,
): object {
  const part = partOf(position);
  return {
    position,
    token: position < stream.tokens.length ? visibleText(stream, position) : null,
    ...(part === undefined ? {} : { partOfWord: part }),
    surprisal: actual?.surprisal ?? null,
    rank: actual?.rank ?? null,
    entropy: Number.isFinite(entropy) ? entropy : null,
    alternatives,
  };
}

function tokenLines(
  info: ModelInfo,
  notices: readonly Notice[],
  {
    found,
    places,
    stream,
    partOf,
  }: {
    readonly found: TokenPredictions;
    readonly places: readonly TokenPrediction[];
    readonly stream: TokenStream;
    readonly partOf: (position: number) => PartOfWord | undefined;
  },
): TerminalText[] {
  const mean = meanSurprisal(found, stream);
  return [
    line`${info.name} · ${plain(info.backend)} · ${counted(stream.tokens.length, 'token')} · ${plain(methods[found.kind])}`,
    ...notices.map((notice) => line`${noticeText(notice)}`),
    ...(mean === undefined
      ? []
      : [
          line`mean surprisal ${plain(mean.surprisal.toFixed(3))} bits over ${counted(mean.numTokens, 'token')}; a uniform guess among ${found.vocabularySize} has ${plain(Math.log2(found.vocabularySize).toFixed(3))}`,
        ]),
    line``,
    found.kind === 'tokenLabels'
      ? line`   place entropy  token, and its labels`
      : line`   place       bits   rank entropy  token, and the most probable ones`,
    ...places.map(({ position, actual, entropy, alternatives }) => {
      const part = partOf(position);
      const name = position < stream.tokens.length ? line`"${visibleText(stream, position)}"` : line`what comes next`;
      const of = part === undefined ? line`` : line` (part ${part.part} of ${part.of} of ${part.word})`;
      const open = padded(Number.isFinite(entropy) ? entropy.toFixed(3) : '–', 7);
      if (found.kind === 'tokenLabels') {
        const labels = alternatives.map(({ text, probability }) => line`${text} ${plain(share(probability))}`);
        return line`${padded(String(position), 8)} ${open}  ${name}${of}: ${joinTerminal(labels, ', ')}`;
      }
      const others = alternatives.map(({ text, probability }) => line`"${text}" ${plain(share(probability))}`);
      return line`${padded(String(position), 8)} ${padded(actual === undefined ? '–' : actual.surprisal.toFixed(3), 10)} ${padded(actual === undefined ? '–' : String(actual.rank), 6)} ${open}  ${name}${of}: ${joinTerminal(others, ', ')}`;
    }),
  ];
}

const padded = (text: string, width: number): PlainText => plain(text.padStart(width));

const share = (probability: number): string => probability.toFixed(4);
