import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import {
  effectPaths,
  silencings,
  type AskedChoice,
  type EffectPath,
  type EffectQuestion,
  type EffectSide,
  type HeadEffects,
  type Intervention,
  type ResolvedQuestion,
  type Silencing,
} from '../model/effects/effects';
import { headLabel, headsOf, type Component, type ComponentInfo, type HeadRef } from '../model/head';
import { noticeText, type ModelInfo, type Notice } from '../model/modelInfo';
import { visibleText, type TokenStream } from '../model/token';
import { parseHead } from './parseHead';
import { askOfText, type TranslatedOptions } from './readWith';

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
}

/** Said beside each number of one head. */
const backUp =
  'Each number is of an experiment with that alone: other heads may take over what one does, so small effects do not show that it does nothing.';

/** What silent heads or blocked cells do to a prediction, as text for people or as JSON. */
export async function effect(options: EffectOptions): Promise<TerminalText> {
  const question = questionOf(options);
  const by = oneOf('--by', options.by ?? 'zero', silencings);
  const path = oneOf('--path', options.path ?? 'total', effectPaths);
  if (options.isAll && (options.head !== undefined || options.block !== undefined))
    throw new ExplorerError('wrongUsage', ['--all', 'leave --head and --block out']);
  return askOfText(
    options,
    { target: options.target, languages: options.languages },
    async (model, { streams, components, notices }) => {
      const run = { streams, components, fed: model.fed };
      const told = { options, info: model.info, notices, streams };
      const isScan = options.head === undefined && options.block === undefined;
      if (isScan) {
        const chosen = componentOf(components, options.component);
        const only = options.component === undefined ? {} : { components: [chosen.component] };
        const found = await model.headEffects(run, { question, by, path, ...only });
        return options.isJson ? jsonText(scanJson(found, told)) : joinTerminal(scanLines(found, told));
      }
      const interventions = interventionsOf(options, components, by);
      const found = await model.effect(run, { question, interventions, path });
      if (options.isJson)
        return jsonText({
          ...headJson(told, found.question, path),
          interventions: found.interventions,
          plain: sideJson(found.plain),
          intervened: sideJson(found.intervened),
          effect: found.effect,
          note: backUp,
        });
      return joinTerminal([
        ...headLines(told, found.question, path),
        ...interventions.map((each) => line`${plain(describe(each))}`),
        line``,
        line`plain       ${sideLine(found.plain)}`,
        line`intervened  ${sideLine(found.intervened)}`,
        line`effect      ${plain(signed(found.effect))} nats`,
        line``,
        line`${plain(backUp)}`,
      ]);
    },
  );
}

interface Told {
  readonly options: EffectOptions;
  readonly info: ModelInfo;
  readonly notices: readonly Notice[];
  readonly streams: readonly TokenStream[];
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
    const [chosen, other] = [label, against].map((value) =>
      value === undefined ? undefined : numberOf('--label', value),
    );
    return { kind: 'label', label: chosen ?? 0, against: other };
  }
  if (token === undefined) throw new ExplorerError('wrongUsage', ['--token', 'it is missing']);
  return {
    kind: 'token',
    position: numberOf('--at', at ?? ''),
    token: tokenOf(token),
    against: against === undefined ? undefined : tokenOf(against),
  };
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
  const component =
    wanted === undefined
      ? (components.find(({ component: name }) => name === 'cross') ?? components[0])
      : components.find(({ component: name }) => name === wanted);
  if (component !== undefined) return component;
  throw new ExplorerError('invalidArgument', [
    '--component',
    `the model has ${components.map(({ component: name }) => name).join(', ')}`,
  ]);
}

/** The head named, or all of the component, silent, or without some cells. */
function interventionsOf(
  { head, component: wanted, block, isRenormalized }: EffectOptions,
  components: readonly ComponentInfo[],
  by: Silencing,
): Intervention[] {
  const component = componentOf(components, wanted);
  const named: HeadRef | undefined = parseHead(head, [component]);
  const of: { readonly component: Component; readonly heads: readonly HeadRef[] } = {
    component: component.component,
    heads: named === undefined ? headsOf(component) : [named],
  };
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
    return `${of}: ${intervention.by === 'zero' ? 'silent (zeros in place of what it reads)' : 'silent (the mean over this text in place of what it reads)'}`;
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

function askedText({ kind, stream, positions, masked }: ResolvedQuestion, streams: readonly TokenStream[]): string {
  const hidden = masked.length === 0 ? '' : `, ${masked.length === 1 ? 'masked' : 'all masked at once'}`;
  if (kind === 'label') return 'label of the text, ln p in nats';
  if (kind === 'loss') return `mean loss over ${positions.length} tokens${hidden}, −ln p in nats`;
  const [position] = positions;
  const { tokens } = streams[stream];
  const name =
    position < tokens.length
      ? `"${visibleText(streams[stream], position)}" (${position})`
      : `what comes next (${position})`;
  return `prediction at ${name}${hidden}, ln p in nats`;
}

function headJson({ info, notices, streams }: Told, question: ResolvedQuestion, path: EffectPath): object {
  return {
    model: info,
    experiment: pathTexts[path],
    measure: askedText(question, streams),
    unit: 'nats',
    notices: notices.map(noticeText),
    question: { ...question, positions: [...question.positions] },
  };
}

function headLines({ info, notices, streams }: Told, question: ResolvedQuestion, path: EffectPath): TerminalText[] {
  return [
    line`${info.name} · ${plain(info.backend)} · ${plain(askedText(question, streams))} · ${plain(pathTexts[path])}`,
    ...notices.map((notice) => line`${noticeText(notice)}`),
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
    layers: found.layers.map(({ component, layer, effects }) => ({ component, layer, effects: [...effects] })),
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
  return [
    ...headLines(told, found.question, found.path),
    line`each head silent by itself (${plain(found.by === 'zero' ? 'zeros' : 'its mean over this text')} in place of what it reads)`,
    line``,
    line`plain ${sideLine(found.plain)}`,
    line``,
    line`    effect  head`,
    ...rows.map(
      ({ component, head, value }) => line`${padded(signed(value), 10)}  ${plain(component)} ${plain(headLabel(head))}`,
    ),
    ...found.failed.map(({ component, layer, reason }) => line`         –  ${plain(component)} ${layer}: ${reason}`),
    line``,
    line`${plain(backUp)}`,
  ];
}

const padded = (text: string, width: number): PlainText => plain(text.padStart(width));
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
