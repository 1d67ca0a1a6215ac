import {
  isToBeChosenAnew,
  learnReader,
  unknownReader,
  windowAroundSelection,
  type Reader,
} from '../../model/contextWindow';
import type { RunInfo } from '../../model/modelInfo';
import { visibleEditor } from '../editor/visibleEditor';
import type { Settings } from '../settings';
import { caretPlace } from './caretPlace';
import { readingHabits, windowAroundCaret, type ReadingHabits } from './caretWindow';
import type { ExplainSource } from './explainSource';
import { selectedPlace, withWholeCharacters } from './selectedPlace';
import type { TextRange } from './textRange';

/** What of a document is read. */
export interface ReadPart {
  /** Undefined: from its start, as far as the model reads. */
  readonly range: TextRange | undefined;
  /** Whether it is a selection with the text around it. */
  readonly isInContext: boolean;
}

/** A part that was read, and what the model made of it. */
export interface PartRead {
  readonly part: ReadPart;
  readonly info: RunInfo;
  /** UTF-16 units of text that the model was given. */
  readonly askedUnits: number;
}

/** What a choice of a part depends on: which model reads, by a name of its own, and the settings. */
export interface Reading {
  readonly model: string;
  readonly settings: Pick<Settings, 'selection' | 'contextTokens' | 'tokenLimit'>;
  /** Where what is selected, or the caret, stands in something that ends below, the best first. */
  readonly nodeEnds?: readonly number[];
}

/** Chooses what of a document is read, by what runs have shown of how the models read. */
export class PartChooser {
  readonly #readers = new Map<string, Reader>();
  /** Of those that read less than was asked of them. */
  readonly #habits = new Map<string, ReadingHabits>();
  /** Models that write a text of their own. */
  readonly #writers = new Set<string>();

  /** The place whose surroundings decide how far is read; undefined where nothing does. */
  placeOf(
    { document, range, around, isSample, mode, chat = 'no', target }: ExplainSource,
    { model, settings }: Reading,
  ): TextRange | undefined {
    if (around !== undefined || chat !== 'no') return undefined;
    if (range !== undefined)
      return target !== undefined || (mode ?? settings.selection) === 'alone' || this.#writers.has(model)
        ? undefined
        : range;
    const editor = isSample !== true && this.#habits.has(model) ? visibleEditor(document.uri) : undefined;
    const caret = editor && document.offsetAt(editor.selection.active);
    return caret === undefined ? undefined : { start: caret, end: caret };
  }

  /** The part that is read for a source. */
  choose(source: ExplainSource, reading: Reading): ReadPart {
    const { range, around } = source;
    if (range === undefined)
      return {
        range: around === 'start' ? undefined : (around ?? this.#aroundCaret(source, reading)),
        isInContext: false,
      };
    const mode = source.mode ?? reading.settings.selection;
    const context =
      mode === 'alone'
        ? undefined
        : around === undefined || around === 'start'
          ? this.contextOf(source, reading)
          : around;
    return context === undefined ? { range, isInContext: false } : { range: context, isInContext: true };
  }

  /** The part with the text around a selection; undefined where there is none, or no room for it, or the model or what is asked for takes a text alone. */
  contextOf(
    { document, range, chat = 'no', target }: ExplainSource,
    { model, settings, nodeEnds }: Reading,
  ): TextRange | undefined {
    if (range === undefined || chat !== 'no' || target !== undefined || this.#writers.has(model)) return undefined;
    const window = windowAroundSelection(
      selectedPlace(document, range, nodeEnds),
      this.#readers.get(model) ?? unknownReader,
      settings,
    );
    return window && withWholeCharacters(document, window);
  }

  /** Notes that a model writes a text of its own. */
  noteWriter(model: string): void {
    this.#writers.add(model);
  }

  /** Notes what a run has shown of its model; true where another part should have been read. */
  learn(source: ExplainSource, reading: Reading, { part, info, askedUnits }: PartRead): boolean {
    const { model } = reading;
    if (info.streams.length > 1) this.noteWriter(model);
    const before = this.#readers.get(model) ?? unknownReader;
    const after = learnReader(before, info, askedUnits);
    this.#readers.set(model, after);
    if (part.isInContext)
      return (
        source.range !== undefined &&
        part.range !== undefined &&
        isToBeChosenAnew(before, after, info.streams[0].text.length, source.range.end - part.range.start)
      );
    const habits = part.range === undefined ? readingHabits(info, askedUnits) : undefined;
    if (habits === undefined) return false;
    this.#habits.set(model, habits);
    return source.around === undefined && this.#aroundCaret(source, reading) !== undefined;
  }

  /** Where the model does not read from the start as far as the caret. */
  #aroundCaret(
    { document, isSample, chat = 'no' }: ExplainSource,
    { model, nodeEnds }: Reading,
  ): TextRange | undefined {
    const habits = this.#habits.get(model);
    const editor = isSample === true || chat !== 'no' || habits === undefined ? undefined : visibleEditor(document.uri);
    return editor && habits && windowAroundCaret(caretPlace(document, editor.selection.active), habits, nodeEnds);
  }
}
