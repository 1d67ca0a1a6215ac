import type { LoadedModel } from '../engine/serve/loadedModel';
import type { Explanation } from '../engine/text/textModel';
import {
  isToBeChosenAnew,
  learnReader,
  unknownReader,
  windowAroundSelection,
  type TextSpan,
} from '../model/contextWindow';
import { placeInText } from './filePart';

/** What was read of a text around a part of it. */
export interface ContextRead {
  readonly explanation: Explanation;
  /** What was read, in the text. */
  readonly window: TextSpan;
  /** Where the part is in what was read; undefined where it was read alone. */
  readonly selected: TextSpan | undefined;
}

/** A text whose part that is read never suits the model is read otherwise in the last of so many runs. */
const mostRuns = 5;

/** Reads a part of a text with about so many tokens around it, as the editor does; alone where nothing is around it, or there is no room. Throws `contextNotRead`, and what reading throws. */
export async function readInContext(
  model: LoadedModel,
  text: string,
  span: TextSpan,
  contextTokens: number,
): Promise<ContextRead> {
  const place = placeInText(text, span);
  let reader = { ...unknownReader, mostTokens: model.info.contextLength ?? Infinity };
  for (let run = 1; run < mostRuns; run++) {
    const window = windowAroundSelection(place, reader, { contextTokens, tokenLimit: 0 });
    if (window === undefined) break;
    const read = text.slice(window.start, window.end);
    const explanation = await model.explain({ text: read, tokenLimit: 0, isInContext: true });
    const selected = { start: span.start - window.start, end: span.end - window.start };
    const after = learnReader(reader, { ...explanation, model: model.info }, read.length);
    // How much is read around a part was for us to say.
    if (!isToBeChosenAnew(reader, after, explanation.streams[0].text.length, selected.end))
      return {
        explanation: { ...explanation, notices: explanation.notices.filter(({ code }) => !code.startsWith('cutTo')) },
        window,
        selected,
      };
    reader = after;
  }
  return {
    explanation: await model.explain({ text: text.slice(span.start, span.end), tokenLimit: 0 }),
    window: span,
    selected: undefined,
  };
}
