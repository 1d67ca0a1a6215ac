import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import {
  effectPaths,
  isShared,
  shareOf,
  silencings,
  type AskedChoice,
  type EffectPath,
  type EffectQuestion,
  type EffectSide,
  type HeadEffects,
  type Intervention,
  type Replacement,
  type ResolvedQuestion,
} from '../model/effects/effects';
import { isMaskedOut, isSameForwards, standsBehind } from '../model/effects/causalReach';
import { headLabel, headsOf, type Component, type ComponentInfo, type HeadRef } from '../model/head';
import { noticeText, type ModelInfo, type Notice } from '../model/modelInfo';
import { signedFixed } from '../model/signedFixed';
import { visibleText, type TokenStream } from '../model/token';
import type { PredictedRun } from '../engine/predict/predictedFile';
import type { EffectRuns } from '../engine/effects/effectRuns';
import type { ImageModel } from '../engine/image/imageModel';
import type { LoadedModel } from '../engine/serve/loadedModel';
import type { Explanation } from '../engine/text/textModel';
import { byOption } from './byOption';
import { counted } from './counted';
import { isImageFile } from './isImageFile';
import { namedComponents } from './namedComponents';
import { parseHead } from './parseHead';
import { askOfText, openPictureModel, preparePicture, readPicture, type TranslatedOptions } from './readWith';

/** What `effect` is asked. */
export interface EffectOptions extends TranslatedOptions {
  readonly component: string | undefined;
  /** The place of the token that is predicted, and what is asked about it: the text of a token, or `#` and its id. */
  readonly at: string | undefined;
  readonly token: string | undefined;
  readonly against: string | undefined;
  readonly label: string | undefined;
  readonly isLoss: boolean;
  readonly isAll: boolean;
  readonly by: string | undefined;
  readonly path: string | undefined;
  /** `QUERY:KEY`, either of which may be `*`. */
  readonly block: string | undefined;
  readonly isRenormalized: boolean;
  /** A part of the text, and what stands in its place in the text that heads are swapped with; of a picture, `to` is another one. */
  readonly swap: string | undefined;
  readonly to: string | undefined;
}

/** Said beside each number of one head. */
const backUp =
  'Each number is of an experiment with that alone: other heads may take over what one does, so small effects do not show that it does nothing.';

/** Said where nothing can be seen whatever is done. */
const causalNote =
  'The model is causal: what stands at or behind the predicted token cannot act on its prediction, so that no effect of it can be seen here.';

/** Said where what is blocked was no weight before. */
const maskedOutNote =
  'The causal mask has taken this weight out already: no token reads ahead, so that blocking it changes nothing.';

/** A run that is asked about, by whom, and beside what. */
interface AskedRun {
  readonly info: ModelInfo;
  readonly effects: EffectRuns;
  readonly run: PredictedRun;
  readonly notices: readonly Notice[];
  readonly other: OtherRead | undefined;
}

/** A run that heads are swapped with, and what is told of reading it. */
interface OtherRead {
  readonly run: PredictedRun;
  readonly notices: readonly Notice[];
}

/** What silent or swapped heads or blocked cells do to a prediction, of a text or a picture, as text for people or as JSON. */
export async function effect(options: EffectOptions): Promise<TerminalText> {
  if (options.text === undefined && isImageFile(options.file)) return effectOfPicture(options);
  const tell = told(options);
  return askOfText(options, { target: options.target, languages: options.languages }, async (model, read) => {
    const { streams, components, notices } = read;
    const run = { streams, components, fed: model.fed };
    const { info, effects } = model;
    return tell({ info, effects, run, notices, other: await readOther(options, model, read) });
  });
}

async function effectOfPicture(options: EffectOptions): Promise<TerminalText> {
  if (options.label === undefined)
    throw new ExplorerError('wrongUsage', ['--label', 'it is missing: of a picture, labels are predicted']);
  const tell = told(options);
  const read = options.to === undefined ? undefined : await readPicture(options.to);
  const { model, picture, notices } = await openPictureModel(options, options.file);
  try {
    const { streams, components, notices: more } = await model.run(picture);
    const run = { streams, components, fed: model.fed };
    const { info, effects } = model;
    const other = read && (await readOtherPicture(model, read));
    return await tell({ info, effects, run, notices: [...notices, ...more], other });
  } finally {
    await model.release();
  }
}

async function readOtherPicture(model: ImageModel, read: Awaited<ReturnType<typeof readPicture>>): Promise<OtherRead> {
  const { picture, notices } = await preparePicture(model, read);
  const { streams, components, notices: more } = await model.run(picture);
  return { run: { streams, components, fed: model.fed }, notices: [...notices, ...more] };
}

/** Asks what the options ask of a run, and tells it. Throws `wrongUsage` where they say nothing that can be asked. */
function told(options: EffectOptions): (asked: AskedRun) => Promise<TerminalText> {
  const question = questionOf(options);
  checkUnread(options);
  const by = byOf(options);
  const path = oneOf('--path', options.path ?? 'total', effectPaths);
  if (options.isAll && (options.head !== undefined || options.block !== undefined))
    throw new ExplorerError('wrongUsage', ['--all', 'leave --head and --block out']);
  const named = questionOptions(question, options);
  return async ({ info, effects, run, notices, other }) => {
    const { streams, components } = run;
    const told = { options, info, notices: sentencesOf(notices, other), streams, components };
    const isScan = options.head === undefined && options.block === undefined;
    if (isScan) {
      const chosen = componentOf(components, options.component);
      const only = options.component === undefined ? {} : { components: [chosen.component] };
      const found = await byOption(named, () =>
        effects.headEffects(run, { question, by, path, ...only, other: other?.run }),
      );
      return options.isJson ? jsonText(scanJson(found, told)) : joinTerminal(scanLines(found, told));
    }
    const interventions = interventionsOf(options, components, by);
    const found = await byOption(named, () =>
      effects.effect(run, { question, interventions, path, other: other?.run }),
    );
    const causal = interventions.every((each) => isMaskedOut(each, components))
      ? maskedOutNote
      : standsBehind(found, components) || isSameForwards(found, components)
        ? causalNote
        : undefined;
    if (options.isJson)
      return jsonText({
        ...headJson(told, found.question, path),
        interventions: found.interventions,
        plain: sideJson(found.plain),
        intervened: sideJson(found.intervened),
        effect: found.effect,
        ...(found.other === undefined
          ? {}
          : {
              other: sideJson(found.other),
              share: shareOf(found.effect, found.plain, found.other) ?? null,
              shareMeaning,
            }),
        ...(causal === undefined ? {} : { causal }),
        note: backUp,
      });
    return joinTerminal([
      ...headLines(told, found.question, path),
      ...interventions.map((each) => line`${plain(describe(each))}`),
      line``,
      line`plain       ${sideLine(found.plain)}`,
      line`intervened  ${sideLine(found.intervened)}`,
      line`effect      ${plain(signed(found.effect))} nats`,
      ...(found.other === undefined
        ? []
        : [
            line`other       ${sideLine(found.other)}`,
            line`share       ${plain(shareText(shareOf(found.effect, found.plain, found.other)))}`,
            line``,
            line`${plain(shareMeaning)}`,
          ]),
      line``,
      ...(causal === undefined ? [] : [line`${plain(causal)}`]),
      line`${plain(backUp)}`,
    ]);
  };
}

/** What shares are of, said beside them. */
const shareMeaning =
  'A share is the effect ÷ the difference of the other prediction to this one: 0 leaves the prediction as it is, 1 makes it that of the other text or picture.';
const noShare = 'undefined: both come to the same prediction, and there is no difference that it could be a share of';

/** What is put in the place of what heads read. Throws `wrongUsage`. */
function byOf({ by, swap, to, block, file, text }: EffectOptions): Replacement {
  const isPicture = text === undefined && isImageFile(file);
  if (isPicture && swap !== undefined)
    throw new ExplorerError('wrongUsage', ['--swap', 'a picture has no parts: name another one with --to alone']);
  if (!isPicture && (swap === undefined) !== (to === undefined))
    throw new ExplorerError('wrongUsage', swap === undefined ? ['--swap', 'it is missing'] : ['--to', 'it is missing']);
  if (to === undefined) return oneOf('--by', by ?? 'zero', silencings);
  const name = isPicture ? '--to' : '--swap';
  if (by !== undefined) throw new ExplorerError('wrongUsage', ['--by', `leave it out beside ${name}`]);
  if (block !== undefined) throw new ExplorerError('wrongUsage', ['--block', `leave it out beside ${name}`]);
  return 'swap';
}

/** The text with one span replaced, read by the same model; undefined where no heads are swapped. Throws `invalidArgument`, and what reading throws. */
async function readOther(
  { swap, to, languages }: EffectOptions,
  model: LoadedModel,
  { streams: [source, target] }: Explanation,
): Promise<OtherRead | undefined> {
  if (swap === undefined || to === undefined) return undefined;
  const parts = source.text.split(swap);
  if (swap === '' || parts.length !== 2)
    throw new ExplorerError('invalidArgument', [
      '--swap',
      swap === '' || parts.length === 1
        ? 'it is not in the text'
        : `it is ${parts.length - 1} times in the text: give more of it`,
    ]);
  const { streams, components, notices } = await model.explain({
    text: parts.join(to),
    tokenLimit: 0,
    languages,
    target: target?.text,
  });
  return { run: { streams, components, fed: model.fed }, notices };
}

/** What is told of the text, and of the other one where that is something else. */
function sentencesOf(notices: readonly Notice[], other: OtherRead | undefined): PlainText[] {
  const own = notices.map(noticeText);
  const others = (other?.notices ?? []).map(noticeText).filter((sentence) => !own.includes(sentence));
  return [...own, ...others.map((sentence) => plain(`Of the other: ${sentence}`))];
}

interface Told {
  readonly options: EffectOptions;
  readonly info: ModelInfo;
  readonly notices: readonly PlainText[];
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
}

/** Throws `wrongUsage` where something is given that would change nothing. */
function checkUnread({ isLoss, label, token, against, by, block, isRenormalized }: EffectOptions): void {
  if (by !== undefined && block !== undefined)
    throw new ExplorerError('wrongUsage', ['--by', 'it is of silent heads: leave it out beside --block']);
  if (isRenormalized && block === undefined)
    throw new ExplorerError('wrongUsage', ['--renormalize', 'it goes with --block']);
  const asked = isLoss ? '--loss' : label === undefined ? undefined : '--label';
  const unread = token !== undefined ? '--token' : isLoss && against !== undefined ? '--against' : undefined;
  if (asked !== undefined && unread !== undefined)
    throw new ExplorerError('wrongUsage', [unread, `leave it out beside ${asked}`]);
}

/** Throws `wrongUsage` where nothing, or more than one thing, is asked. */
function questionOf({ at, token, against, label, isLoss }: EffectOptions): EffectQuestion {
  const kinds = [
    isLoss ? '--loss' : undefined,
    label === undefined ? undefined : '--label',
    at === undefined ? undefined : '--at',
  ];
  const [first, second] = kinds.filter((kind) => kind !== undefined);
  if (first === undefined) throw new ExplorerError('wrongUsage', ['--at', 'it is missing; or give --loss, or --label']);
  if (second !== undefined) throw new ExplorerError('wrongUsage', [second, `leave ${first} out`]);
  if (isLoss) return { kind: 'loss' };
  if (label !== undefined) {
    // A label is named by its place, or as it is called.
    const named = (value: string): number | string => (/^\d{1,9}$/.test(value) ? Number(value) : value);
    return { kind: 'label', label: named(label), against: against === undefined ? undefined : named(against) };
  }
  if (token === undefined) throw new ExplorerError('wrongUsage', ['--token', 'it is missing']);
  return {
    kind: 'token',
    position: numberOf('--at', at ?? ''),
    token: tokenOf(token),
    against: against === undefined ? undefined : tokenOf(against),
  };
}

/** What is asked, by the options that ask it; of what is no value of an option, the kind of question. */
function questionOptions(
  { kind }: EffectQuestion,
  { at, label, against }: EffectOptions,
): Readonly<Record<string, string | undefined>> {
  switch (kind) {
    case 'token':
      return { '--at': at, '--token': kind };
    case 'loss':
      return { '--loss': kind };
    case 'label':
      return { '--label': label, '--against': against };
  }
}

function numberOf(name: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new ExplorerError('wrongUsage', [name, 'it is a number from 0']);
  return Number(value);
}

/** An id stands behind `#`. */
function tokenOf(value: string): number | string {
  return /^#\d{1,9}$/.test(value) ? Number(value.slice(1)) : value;
}

function oneOf<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw new ExplorerError('wrongUsage', [name, `it is ${choices.join(' or ')}`]);
  return chosen;
}

function componentOf(components: readonly ComponentInfo[], wanted: string | undefined): ComponentInfo {
  const named = namedComponents(components, wanted);
  return named.find(({ component }) => component === 'cross') ?? named[0];
}

/** The head named, or all of the component, silent, or without some cells. */
function interventionsOf(
  { head, component: wanted, block, isRenormalized }: EffectOptions,
  components: readonly ComponentInfo[],
  by: Replacement,
): Intervention[] {
  const component = componentOf(components, wanted);
  const named: HeadRef | undefined = parseHead(head, [component]);
  const of: { readonly component: Component; readonly heads: readonly HeadRef[] } = {
    component: component.component,
    heads: named === undefined ? headsOf(component) : [named],
  };
  if (by === 'swap') return [{ kind: 'swap', ...of }];
  if (block === undefined) return [{ kind: 'silence', ...of, by }];
  const [, query, key] = /^(\d{1,9}|\*):(\d{1,9}|\*)$/.exec(block) ?? [];
  if (query === undefined || (query === '*' && key === '*'))
    throw new ExplorerError('wrongUsage', [
      '--block',
      'it is QUERY:KEY, places of tokens from 0, one of which may be *',
    ]);
  const place = (value: string): number | undefined => (value === '*' ? undefined : Number(value));
  return [{ kind: 'block', ...of, query: place(query), key: place(key), isRenormalized }];
}

function describe(intervention: Intervention): string {
  const { component, heads } = intervention;
  const names = heads.length > 8 ? `all ${heads.length} heads` : `head ${heads.map(headLabel).join(', ')}`;
  const of = `${component}, ${names}`;
  if (intervention.kind === 'silence')
    return `${of}: ${intervention.by === 'zero' ? 'silent (zeros in place of what it reads)' : 'silent (the mean over all positions in place of what it reads)'}`;
  if (intervention.kind === 'swap')
    return `${of}: swapped (what it reads in the other text or picture in place of what it reads)`;
  const { query, key, isRenormalized } = intervention;
  const cells =
    query === undefined
      ? `what every token reads of token ${key}`
      : key === undefined
        ? `all that token ${query} reads`
        : `what token ${query} reads of token ${key}`;
  return `${of}: blocked ${cells}${isRenormalized ? ', the rest of the row divided by its sum' : ', which is gone'}`;
}

const pathTexts: Readonly<Record<EffectPath, string>> = {
  total: 'total effect: all that follows runs again',
  direct: 'direct effect: only what it adds to the final sum, all between as it was',
};

function askedText(
  { kind, stream, positions, masked }: ResolvedQuestion,
  { streams, options: { against } }: Pick<Told, 'streams' | 'options'>,
): string {
  const hidden = masked.length === 0 ? '' : `, ${masked.length === 1 ? 'masked' : 'all masked at once'}`;
  const measure =
    against === undefined ? 'ln p in nats' : 'difference of two ln p, which is that of their logits, in nats';
  if (kind === 'label')
    return `label of the ${streams.some(({ grid }) => grid !== undefined) ? 'picture' : 'text'}, ${measure}`;
  if (kind === 'loss') return `mean loss over ${counted(positions.length, 'token')}${hidden}, −ln p in nats`;
  const [position] = positions;
  const { tokens } = streams[stream];
  const name =
    position < tokens.length
      ? `"${visibleText(streams[stream], position)}" (${position})`
      : `what comes next (${position})`;
  return `prediction at ${name}${hidden}, ${measure}`;
}

function headJson(told: Told, question: ResolvedQuestion, path: EffectPath): object {
  const { info, notices } = told;
  return {
    model: info,
    experiment: pathTexts[path],
    measure: askedText(question, told),
    unit: 'nats',
    notices,
    question: { ...question, positions: [...question.positions] },
  };
}

function headLines(told: Told, question: ResolvedQuestion, path: EffectPath): TerminalText[] {
  const { info, notices } = told;
  return [
    line`${info.name} · ${plain(info.backend)} · ${plain(askedText(question, told))} · ${plain(pathTexts[path])}`,
    ...notices.map((sentence) => line`${sentence}`),
  ];
}

function sideJson({ value, choices, alternatives }: EffectSide): object {
  return { value, choices, alternatives };
}

function sideLine({ value, choices, alternatives }: EffectSide): TerminalText {
  const name = ({ text, probability, rank }: AskedChoice, hasRank: boolean): TerminalText =>
    line`"${text}" ${plain(probability.toPrecision(4))}${plain(hasRank ? ` (rank ${rank})` : '')}`;
  const asked = choices.map((choice) => name(choice, true));
  const others = alternatives.map((choice) => name(choice, false));
  return line`${plain(value.toFixed(6))}${asked.length === 0 ? line`` : line`  ${joinTerminal(asked, ', ')}`}${others.length === 0 ? line`` : line`; ${joinTerminal(others, ', ')}`}`;
}

function scanJson(found: HeadEffects, told: Told): object {
  return {
    ...headJson(told, found.question, found.path),
    by: found.by,
    plain: sideJson(found.plain),
    ...(found.other === undefined ? {} : { other: sideJson(found.other) }),
    layers: found.layers.map(({ component, layer, effects, shares }) => ({
      component,
      layer,
      effects: [...effects],
      ...(shares === undefined ? {} : { shares: Array.from(shares, (share) => (Number.isNaN(share) ? null : share)) }),
    })),
    ...(found.oneByOne === undefined ? {} : { oneByOne: found.oneByOne }),
    failed: found.failed,
    note: backUp,
  };
}

/** All heads, the strongest effects first. */
function scanLines(found: HeadEffects, told: Told): TerminalText[] {
  const rows = found.layers.flatMap(({ component, layer, effects }) =>
    Array.from(effects, (value, head) => ({ component, head: { layer, head }, value })),
  );
  rows.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const { other } = found;
  const hasShares = other !== undefined && isShared(found.plain, other);
  return [
    ...headLines(told, found.question, found.path),
    ...(found.oneByOne === undefined ? [] : [line`heads are run one after the other: ${found.oneByOne}`]),
    line`each head ${plain(found.by === 'swap' ? 'swapped' : 'silent')} by itself (${plain(replacementTexts[found.by])} in place of what it reads)`,
    line``,
    line`plain ${sideLine(found.plain)}`,
    ...(other === undefined ? [] : [line`other ${sideLine(other)}`]),
    line``,
    line`    effect${plain(other === undefined ? '' : '     share')}  head`,
    ...rows.map(({ component, head, value }) => {
      const share = other === undefined ? '' : shareNumber(shareOf(value, found.plain, other)).padStart(10);
      return line`${padded(signed(value), 10)}${plain(share)}  ${plain(component)} ${plain(headLabel(head))}`;
    }),
    ...found.failed.map(({ component, layer, reason }) => line`         –  ${plain(component)} ${layer}: ${reason}`),
    line``,
    ...(other === undefined
      ? []
      : [line`${plain(shareMeaning)}`, ...(hasShares ? [] : [line`share: ${plain(noShare)}`])]),
    ...(isSameForwards(found, told.components) ? [line`${plain(causalNote)}`] : []),
    line`${plain(backUp)}`,
  ];
}

const replacementTexts: Readonly<Record<Replacement, string>> = {
  zero: 'zeros',
  mean: 'its mean over all positions',
  swap: 'what it reads in the other text or picture',
};
const shareNumber = (share: number | undefined): string => (share === undefined ? '–' : signed(share).replace('+', ''));
const shareText = (share: number | undefined): string => (share === undefined ? noShare : shareNumber(share));

const padded = (text: string, width: number): PlainText => plain(text.padStart(width));
const signed = (value: number): string => signedFixed(value, 4);
