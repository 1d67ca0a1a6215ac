import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { headLabel } from '../model/head';
import { noticeText } from '../model/modelInfo';
import { visibleText, type TokenStream } from '../model/token';
import { headsOf, strongestWriters, type WrittenLayer, type WrittenPart, type Writes } from '../model/writes';
import { byOption } from './byOption';
import { counted } from './counted';
import { namedComponents } from './namedComponents';
import { parseHead } from './parseHead';
import { askOfText, type TranslatedOptions } from './readWith';

/** What `writes` is asked. */
export interface WritesOptions extends TranslatedOptions {
  readonly component: string | undefined;
  /** The place of the token that is predicted, from one; what would come next where it is missing. */
  readonly at: string | undefined;
  /** The token whose logit is told, and the one that it is compared with: texts, or ids after a `#`. */
  readonly token: string | undefined;
  readonly against: string | undefined;
}

/** Heads, and tokens that a head reads, that are printed for people. */
const mostPrinted = 24;

/** What heads and all else write to a prediction directly, as text for people or as JSON. */
export async function writes(options: WritesOptions): Promise<TerminalText> {
  const { at, token, against } = options;
  if (token === undefined) throw new ExplorerError('wrongUsage', ['--token', 'it is missing']);
  if (at !== undefined && !/^\d{1,9}$/.test(at))
    throw new ExplorerError('wrongUsage', ['--at', 'it is the place of a token, from 1']);
  if (options.component !== undefined && options.head === undefined)
    throw new ExplorerError('wrongUsage', ['--component', 'it goes with --head']);
  return askOfText(
    options,
    { target: options.target, languages: options.languages },
    async (model, { streams, components, layers, notices }) => {
      const head = parseHead(options.head, namedComponents(components, options.component));
      const run = {
        streams,
        components,
        fed: model.fed,
        layersOf: (name: string) => layers.filter(({ component }) => component === name),
      };
      const stream = streams.length - 1;
      const position = at === undefined ? streams[stream].tokens.length : Number(at);
      const question = {
        position,
        token: asked(token),
        against: against === undefined ? undefined : asked(against),
      };
      const found = await byOption({ '--at': at }, () => model.writes(run, question));
      const own = found.layers.filter(
        ({ component, layer }) =>
          layer === head?.layer && (options.component === undefined || component === options.component),
      );
      const keysOf = (layer: WrittenLayer): TokenStream =>
        streams[components.find(({ component }) => component === layer.component)?.keyStream ?? 0];
      if (options.isJson)
        return jsonText({
          model: model.info,
          method,
          notices: notices.map(noticeText),
          ...found,
          layers: found.layers.map((layer) => layerJson(layer)),
        });
      const name = model.info.name;
      return joinTerminal([
        line`${name} · ${plain(model.info.backend)} · ${counted(streams[found.stream].tokens.length, 'token')} · ${plain(method)}`,
        ...notices.map((notice) => line`${noticeText(notice)}`),
        ...headLines(found),
        ...(head === undefined
          ? strongestLines(found)
          : own.flatMap((layer) => sourceLines(layer, head.head, keysOf(layer)))),
      ]);
    },
  );
}

const method =
  'direct logit attribution: what is added to the residual, times the final norm’s own scale and the unembedding' as const;

/** An id stands after a `#`, which is a token itself where it stands alone. */
const asked = (token: string): number | string => (/^#\d{1,9}$/.test(token) ? Number(token.slice(1)) : token);

function layerJson(layer: WrittenLayer): object {
  const { component, layer: number, numHeads, numKeys, sources } = layer;
  return {
    component,
    layer: number,
    heads: [...headsOf(layer)],
    sources: Array.from({ length: numHeads }, (_, head) => [...sources.subarray(head * numKeys, (head + 1) * numKeys)]),
  };
}

const behindTexts = {
  nothing: '',
  softCap: ', before the soft cap',
  scale: ', before it is scaled',
} as const;

function headLines({ token, against, position, logit, missing, behind, parts }: Writes): TerminalText[] {
  const other = against === undefined ? line`` : line` less that of "${against.text}"`;
  return [
    line``,
    line`logit of "${token.text}"${other} at place ${position}${plain(behindTexts[behind])}: ${number(logit)}`,
    ...parts.map((part) => line`  ${number(part.value)}  ${partName(part)}`),
    line`  ${number(missing)}  what the sum misses by rounding`,
  ];
}

function partName({ kind, component, layer }: WrittenPart): TerminalText {
  switch (kind) {
    case 'embedding':
      return line`embedding`;
    case 'heads':
      return line`heads of layer ${layer ?? 0}${component === 'cross' ? line`, reading the source` : line``}`;
    case 'mlp':
      return line`MLP ${layer ?? 0}`;
    case 'bias':
      return line`biases, which are added whatever is read`;
  }
}

function strongestLines(found: Writes): TerminalText[] {
  const heads = strongestWriters(found);
  return [
    line``,
    line`heads that write most, for it or against it (${Math.min(mostPrinted, heads.length)} of ${heads.length})`,
    ...heads
      .slice(0, mostPrinted)
      .map(
        ({ component, value, ...head }) =>
          line`  ${number(value)}  head ${plain(headLabel(head))}${component === 'cross' ? line`, reading the source` : line``}`,
      ),
  ];
}

function sourceLines(layer: WrittenLayer, head: number, keys: TokenStream): TerminalText[] {
  const { numKeys, sources } = layer;
  const row = sources.subarray(head * numKeys, (head + 1) * numKeys);
  const order = Array.from(row, (_, key) => key).sort((a, b) => Math.abs(row[b]) - Math.abs(row[a]));
  return [
    line``,
    line`head ${plain(headLabel({ layer: layer.layer, head }))} (${plain(layer.component)}) writes ${number(headsOf(layer)[head])} of it, for what it reads at`,
    ...order.slice(0, mostPrinted).map((key) => line`  ${number(row[key])}  ${key} "${visibleText(keys, key)}"`),
  ];
}

const number = (value: number) => plain(value.toFixed(4).padStart(9));
