import { basename, dirname } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { RunPair, type ComparableRun } from '../engine/compare/runPair';
import type { ImageModel } from '../engine/image/imageModel';
import type { LoadedModel } from '../engine/serve/loadedModel';
import type { Explanation } from '../engine/text/textModel';
import { numCommon, onlyInB, type Alignment } from '../model/compare/alignTokens';
import {
  byChange,
  differenceSentences,
  distanceText,
  haveSameHeads,
  pairings,
  type ComparedHead,
  type Pairing,
} from '../model/compare/comparison';
import { headLabel, headsOf, type Component } from '../model/head';
import { noticeText, type Languages } from '../model/modelInfo';
import type { Predictions } from '../model/predictions';
import { visibleText, type TokenStream } from '../model/token';
import { comparedPredictions, type PredictedSide } from './comparedPredictions';
import { counted, countedTokens } from './counted';
import { isImageFile } from './isImageFile';
import type { ModelOptions } from './openModel';
import { differencesFigure } from '../model/figures/headFigures';
import { tableSvg } from '../model/figures/tableSvg';
import { loadPictureModel, openTextModel, preparePicture, readGiven, readPicture } from './readWith';
import { checkSvgOut, paperOf, writeSvg, type SvgOut } from './svgFile';
import { meantOf } from './filePart';

/** What `compare` is asked. */
export interface CompareOptions extends ModelOptions {
  /** One text or two: paths, with ranges where only parts are meant, as for `explain`. */
  readonly files: readonly string[];
  /** What stands on the standard input, where a file is `-`. */
  readonly text?: string;
  /** The model that reads the second text; the first one where it is missing. */
  readonly withModel: string | undefined;
  readonly tokenizer: string | undefined;
  readonly withTokenizer: string | undefined;
  readonly target: string | undefined;
  readonly languages?: Languages | undefined;
  readonly component: string | undefined;
  /** Which heads stand beside each other; by index within one folder, else the nearest. */
  readonly pairing: string | undefined;
  readonly wantsPredictions: boolean;
  /** Where a figure is written, if anywhere. */
  readonly figure?: SvgOut | undefined;
}

const differenceCaption = 'The heads that changed most; Jensen–Shannon divergence in bits (Lin 1991)';

/** One of the two that are compared. */
interface Side extends Pick<Explanation, 'streams' | 'components' | 'notices'>, ComparableRun {
  readonly file: string;
  readonly model: LoadedModel['info'];
  /** Undefined where nobody asked; a sentence where the model gives none. */
  readonly predictions: Predictions | PlainText | undefined;
}

/** Of each component that is compared. */
interface ComponentDifferences {
  readonly component: Component;
  readonly areHeadsAlike: boolean;
  readonly numHeads: readonly [a: number, b: number];
  readonly heads: readonly ComparedHead[];
}

/** Two texts or pictures by one model, or one by two models or two precisions: which heads differ most, as text for people or as JSON. */
export async function compare(options: CompareOptions): Promise<TerminalText> {
  const { files, withModel, withTokenizer, isJson } = options;
  checkSides(options);
  const open = files.some((file) => isImageFile(file)) ? openPictures : openTexts;
  const named = pairingOf(options.pairing);
  const drawnTo = options.figure && (await checkSvgOut(options.figure));
  const [fileA, fileB = fileA] = files;
  const loaded: Reader[] = [];
  try {
    const first = await open(options);
    loaded.push(first);
    const a = await first.read(fileA);
    let second = first;
    if (withModel !== undefined) {
      second = await open({ ...options, model: withModel, tokenizer: withTokenizer });
      loaded.push(second);
    }
    const b = await second.read(fileB);
    const pairing = named ?? (dirname(a.model.path) === dirname(b.model.path) ? 'index' : 'nearest');
    const pair = new RunPair(a, b);
    const differences = await differencesOf(pair, [a, b], options.component, pairing);
    if (drawnTo !== undefined) {
      const titles = ['head', 'head of B', 'divergence', 'mean |B − A|', 'largest B − A'];
      const nameOf = ({ model, file }: Side): string => `${model.name}, ${basename(file)}`;
      const caption = [`A: ${nameOf(a)} · B: ${nameOf(b)} · ${differences[0].component}`, differenceCaption];
      return await writeSvg(
        drawnTo,
        tableSvg(differencesFigure(differences[0].heads, titles), paperOf(drawnTo, caption)),
        [a, b].flatMap(({ notices }, i) => notices.map((notice) => plain(`${'AB'[i]}: ${noticeText(notice)}`))),
      );
    }
    return isJson
      ? asJson({ a, b, pair, pairing, differences })
      : joinTerminal(asLines({ a, b, pair, pairing, differences }));
  } finally {
    for (const model of loaded) await model.release();
  }
}

/** Throws `wrongUsage` where what is named are no two sides of one kind. */
function checkSides({ files, withModel, withTokenizer }: CompareOptions): void {
  if (files.length === 1 && withModel === undefined)
    throw new ExplorerError('wrongUsage', ['B', 'name a second text, or a second model with --with-model']);
  if (withTokenizer !== undefined && withModel === undefined)
    throw new ExplorerError('wrongUsage', ['--with-tokenizer', 'it goes with --with-model']);
  if (files.length !== 1 && files.length !== 2)
    throw new ExplorerError('wrongUsage', [files.length === 0 ? 'A' : 'B', 'name one text or two']);
  const pictures = files.filter((file) => isImageFile(file));
  if (pictures.length > 0 && pictures.length < files.length)
    throw new ExplorerError('wrongUsage', [pictures[0], 'it is a picture, and the other a text']);
  if (files.length === 2 && files.every((file) => file === '-'))
    throw new ExplorerError('wrongUsage', ['-', 'only one text can stand on the standard input']);
}

/** A model that reads one side after the other. */
interface Reader {
  read(this: void, file: string): Promise<Side>;
  release(this: void): Promise<void>;
}

async function openTexts(options: CompareOptions): Promise<Reader> {
  const model = await openTextModel(options);
  return { read: (file) => readText(options, file, model), release: () => model.release() };
}

async function openPictures(options: CompareOptions): Promise<Reader> {
  const model = await loadPictureModel(options);
  return {
    read: async (file) => {
      const { picture, notices: preparing } = await preparePicture(model, await readPicture(file));
      const explanation = await model.run(picture);
      const notices = [...preparing, ...explanation.notices];
      return sideOf(options, file, model, { ...explanation, notices });
    },
    release: () => model.release(),
  };
}

async function readText(options: CompareOptions, file: string, model: LoadedModel): Promise<Side> {
  const { text, span } = await readGiven({
    file,
    ...(file === '-' && options.text !== undefined ? { text: options.text } : {}),
  });
  // Which of the two it is, is not to be guessed.
  if (text === '')
    throw new ExplorerError('invalidArgument', [file === '-' ? 'The standard input' : file, 'there is no text in it']);
  const explanation = await model.explain({
    text: meantOf({ text, span }),
    tokenLimit: 0,
    target: options.target,
    languages: options.languages,
  });
  return sideOf(options, file, model, explanation);
}

async function sideOf(
  options: CompareOptions,
  file: string,
  model: LoadedModel | ImageModel,
  explanation: Pick<Explanation, 'streams' | 'components' | 'notices' | 'layers'>,
): Promise<Side> {
  const { streams, components, notices, layers } = explanation;
  return {
    file,
    model: model.info,
    streams,
    components,
    notices,
    layersOf: (name) => layers.filter(({ component }) => component === name),
    predictions: options.wantsPredictions ? await predictionsOf(model, explanation) : undefined,
  };
}

/** What a model predicts in its latest run, or why it does not. */
async function predictionsOf(
  model: LoadedModel | ImageModel,
  { streams, components }: Pick<Explanation, 'streams' | 'components'>,
): Promise<Predictions | PlainText> {
  const run = { streams, components, fed: model.fed };
  try {
    const first = await model.predict(run);
    return first.kind === 'masked' && first.positions.length === 0 ? await model.predict(run, 'each') : first;
  } catch (error) {
    if (error instanceof ExplorerError && error.code === 'noPredictions') return error.sentence;
    throw error;
  }
}

async function differencesOf(
  pair: RunPair,
  [a, b]: readonly [Side, Side],
  wanted: string | undefined,
  pairing: Pairing,
): Promise<ComponentDifferences[]> {
  const names = pair.components.filter((name) => wanted === undefined || name === wanted);
  if (names.length === 0)
    throw new ExplorerError('invalidArgument', ['--component', `both have ${pair.components.join(', ')}`]);
  const found: ComponentDifferences[] = [];
  for (const component of names) {
    const [own, other] = [a, b].map(({ components }) => components.filter((each) => each.component === component)[0]);
    found.push({
      component,
      areHeadsAlike: haveSameHeads(own, other),
      numHeads: [headsOf(own).length, headsOf(other).length],
      heads: byChange(await pair.heads(component, pairing)),
    });
  }
  return found;
}

interface Compared {
  readonly a: Side;
  readonly b: Side;
  readonly pair: RunPair;
  readonly pairing: Pairing;
  readonly differences: readonly ComponentDifferences[];
}

const alignmentTitles: Readonly<Record<Alignment['kind'], string>> = {
  same: 'one by one: both have the same tokens',
  ids: 'by the longest common subsequence of their ids',
  characters: 'by their characters, as their tokenizers differ',
  patches: 'patch by patch, and other tokens by their names',
};

const pairingTitles: Readonly<Record<Pairing, string>> = {
  index: 'each beside the head of B with its layer and index',
  nearest: 'each beside the head of B that is nearest by Jensen–Shannon divergence',
};

function asJson({ a, b, pair, pairing, differences }: Compared): TerminalText {
  const side = ({ file, model, notices, streams }: Side): object => ({
    file,
    model,
    notices: notices.map(noticeText),
    numTokens: streams.map(({ tokens }) => tokens.length),
  });
  const predictions = predictedSides(a, b);
  const numberOf = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return jsonText({
    a: side(a),
    b: side(b),
    method: 'attention weight, B − A',
    definitions: differenceSentences,
    alignments: pair.alignments.map((alignment, i) => ({
      stream: a.streams[i].role,
      by: alignment.kind,
      numCommon: numCommon(alignment),
      units: [...alignment.starts],
      isCommon: [...alignment.isCommon].map((each) => each === 1),
      unitsOfB: [...alignment.unitsOfB].map((unit) => (unit < 0 ? null : unit)),
    })),
    pairing,
    components: differences.map(({ component, areHeadsAlike, numHeads, heads }) => ({
      component,
      numHeads,
      areHeadsAlike,
      heads: heads.map(({ head, other, difference: { jensenShannon, meanAbsolute, largest, unaligned } }) => ({
        head: headLabel(head),
        other: headLabel(other),
        jensenShannon: numberOf(jensenShannon),
        meanAbsolute: numberOf(meanAbsolute),
        largest,
        unaligned: { a: numberOf(unaligned.a), b: numberOf(unaligned.b) },
      })),
    })),
    ...(predictions === undefined ? {} : { predictions: comparedPredictions(predictions, pair.alignments).json }),
  });
}

function asLines({ a, b, pair, pairing, differences }: Compared): TerminalText[] {
  const predictions = predictedSides(a, b);
  return [
    ...[a, b].flatMap(({ file, model, streams, notices }, i) => [
      line`${plain('AB'[i])}: ${model.name} · ${plain(model.backend)} · ${plain(file)} · ${countedTokens(streams)}`,
      ...notices.map((notice) => line`   ${noticeText(notice)}`),
    ]),
    ...pair.alignments.map((alignment, i) => alignmentLine(alignment, [a.streams[i], b.streams[i]])),
    ...differences.flatMap((each) => componentLines(each, { a, b, pair, pairing })),
    line``,
    ...Object.entries(differenceSentences).map(
      ([id, sentence]) => line`  ${plain(columns[id] ?? id)}: ${plain(sentence)}`,
    ),
    ...(predictions === undefined ? [] : comparedPredictions(predictions, pair.alignments).lines),
  ];
}

const columns: Readonly<Record<string, string>> = {
  jensenShannon: 'JS',
  meanAbsolute: 'mean |B − A|',
  largest: 'largest',
  unaligned: 'off A, off B',
};

function alignmentLine(alignment: Alignment, [a, b]: readonly [TokenStream, TokenStream]): TerminalText {
  const { kind, starts, isCommon } = alignment;
  const onlyA = isCommon.length - numCommon(alignment);
  const ofA = counted(a.tokens.length, 'token');
  const parts = starts.length === a.tokens.length ? ofA : line`${starts.length} parts of ${ofA}`;
  const number = numCommon(alignment);
  return line`${plain(a.role)}: ${number} of ${parts} ${plain(number === 1 ? 'is' : 'are')} in both, put together ${plain(alignmentTitles[kind])}; ${onlyA} only in A, ${onlyInB(alignment).length} of ${counted(b.tokens.length, 'token')} only in B`;
}

function componentLines(
  { component, areHeadsAlike, numHeads, heads }: ComponentDifferences,
  { a, pair, pairing }: Pick<Compared, 'a' | 'b' | 'pair' | 'pairing'>,
): TerminalText[] {
  const info = a.components.filter((each) => each.component === component)[0];
  const nameOf = (stream: number, unit: number): PlainText =>
    visibleText(a.streams[stream], pair.alignments[stream].starts[unit]);
  const apart = (value: number, width: number): PlainText => plain(distanceText(value).padStart(width));
  const share = (value: number): PlainText => plain((Number.isNaN(value) ? '–' : value.toFixed(3)).padStart(7));
  const numAlone = numHeads[0] - heads.length;
  return [
    line``,
    line`${plain(component)}: ${counted(heads.length, 'head')}, ${plain(pairingTitles[pairing])}; those that differ most first`,
    ...(areHeadsAlike
      ? []
      : [
          line`  A has ${counted(numHeads[0], 'head')} and B has ${numHeads[1]}, not as many in each layer${plain(pairing === 'index' ? `: ${numAlone} of A ${numAlone === 1 ? 'has' : 'have'} none beside ${numAlone === 1 ? 'it' : 'them'}` : '')}`,
        ]),
    line`head   with        JS  mean |B − A|  largest    off A   off B  where the largest is`,
    ...heads.map(({ head, other, difference: { jensenShannon, meanAbsolute, largest, unaligned } }) => {
      const sign = largest.difference > 0 ? '+' : '';
      return line`${plain(headLabel(head).padEnd(6))} ${plain(headLabel(other).padEnd(6))} ${apart(jensenShannon, 7)}  ${apart(meanAbsolute, 12)}  ${plain(`${sign}${largest.difference.toPrecision(3)}`.padStart(8))} ${share(unaligned.a)} ${share(unaligned.b)}  "${nameOf(info.queryStream, largest.query)}" reads "${nameOf(info.keyStream, largest.key)}"`;
    }),
  ];
}

function predictedSides(a: Side, b: Side): readonly [PredictedSide, PredictedSide] | undefined {
  if (a.predictions === undefined || b.predictions === undefined) return undefined;
  return [
    { streams: a.streams, predictions: a.predictions },
    { streams: b.streams, predictions: b.predictions },
  ];
}

function pairingOf(value: string | undefined): Pairing | undefined {
  const chosen = pairings.find((name) => name === value);
  if (value !== undefined && chosen === undefined)
    throw new ExplorerError('wrongUsage', ['--heads', `it is ${pairings.join(' or ')}`]);
  return chosen;
}
