import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { mostContinued, type Sampling } from '../model/continuation';
import { noticeText } from '../model/modelInfo';
import { predictionAt } from '../model/predictions';
import { visibleText } from '../model/token';
import { writtenText } from '../model/writtenTokens';
import { counted } from './counted';
import { askOfText, type TextOptions } from './readWith';

/** What `generate` is asked. */
export interface GenerateOptions extends TextOptions {
  readonly tokens: string | undefined;
  /** Drawn where one of them is given, else greedily. */
  readonly temperature: string | undefined;
  readonly topP: string | undefined;
  readonly seed: string | undefined;
}

/** Tokens that are written where no number is given. */
const usualTokens = 20;

/** What a causal model writes after a text, token by token with its alternatives, as text for people or as JSON. */
export async function generate(options: GenerateOptions): Promise<TerminalText> {
  const sampling = samplingOf(options);
  const tokens = numberOf('--tokens', options.tokens ?? String(usualTokens), [1, mostContinued], true);
  return askOfText(
    options,
    { continuation: { written: [], tokens, sampling } },
    async (model, { streams, components, notices }) => {
      const found = await model.predict({ streams, components, fed: model.fed });
      const [stream] = streams;
      const { from, shares, ending } = stream.written ?? { from: stream.tokens.length, shares: [], ending: undefined };
      if (found.kind === 'labels') throw new ExplorerError('noPredictions', [model.info.name, 'it tells labels']);
      const steps = shares.flatMap((share, i) => {
        const place = predictionAt(found, from + i);
        return place === undefined
          ? []
          : [
              {
                id: stream.tokens[from + i].id,
                text: visibleText(stream, from + i),
                share,
                ...place,
              },
            ];
      });
      if (options.isJson)
        return jsonText({
          model: model.info,
          sampling: sampling ?? 'greedy',
          notices: notices.map(noticeText),
          text: writtenText(stream),
          ending: ending ?? null,
          tokens: steps.map(({ actual, entropy, ...step }) => ({
            ...step,
            surprisal: actual?.surprisal ?? null,
            rank: actual?.rank ?? null,
            entropy: Number.isFinite(entropy) ? entropy : null,
          })),
        });
      return joinTerminal([
        line`${model.info.name} · ${plain(model.info.backend)} · ${counted(from, 'token')} read, ${steps.length} written${ending === undefined ? line`` : line`, and then ${plain(ending)}`} · ${plain(said(sampling))}`,
        ...notices.map((notice) => line`${noticeText(notice)}`),
        line``,
        line`   place  drawn at       bits   rank  token, and the most probable ones (temperature 1)`,
        ...steps.map(({ position, share, actual, alternatives, text: own }) => {
          const others = alternatives.map((each) => line`"${each.text}" ${plain(each.probability.toFixed(4))}`);
          return line`${padded(String(position), 8)} ${padded(share?.toFixed(4) ?? '–', 9)} ${padded(actual?.surprisal.toFixed(3) ?? '–', 10)} ${padded(String(actual?.rank ?? '–'), 6)}  "${own}": ${joinTerminal(others, ', ')}`;
        }),
      ]);
    },
  );
}

/** How tokens were chosen, in words. */
function said(sampling: Sampling | undefined): string {
  return sampling === undefined
    ? 'greedy: the most probable token each time'
    : `drawn at temperature ${sampling.temperature}, top-p ${sampling.topP}, seed ${sampling.seed}`;
}

function samplingOf({ temperature, topP, seed }: GenerateOptions): Sampling | undefined {
  if (temperature === undefined && topP === undefined && seed === undefined) return undefined;
  return {
    temperature: numberOf('--temperature', temperature ?? '1', [0.01, 100]),
    topP: numberOf('--top-p', topP ?? '1', [0.0001, 1]),
    seed: numberOf('--seed', seed ?? '0', [0, 2 ** 32 - 1], true),
  };
}

function numberOf(name: string, value: string, [least, most]: readonly [number, number], isWhole = false): number {
  const number = Number(value);
  if (value.trim() !== '' && number >= least && number <= most && (!isWhole || Number.isInteger(number))) return number;
  throw new ExplorerError('wrongUsage', [name, `it is a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`]);
}

const padded = (text: string, width: number) => plain(text.padStart(width));
