import { Turns } from '../../base/turns';
import { fileOf } from '../../model/numbers/numbersFile';
import type { Crc32 } from '../../model/numbers/zip';
import type { Numbers } from '../../model/numbers/numbers';
import type { Component, HeadRef } from '../../model/head';
import type { RunInfo } from '../../model/modelInfo';
import type { Pattern } from '../../model/pattern';
import type { HeldArray } from '../../model/numbers/writtenArrays';
import type { MethodParams, PatternParams, WriteNumbersParams } from '../../protocol';
import type { OfWeightForm } from '../../model/weightForm';
import { WholeLayer, type HeldLayer } from '../weights/heldLayer';

/** How an engine that has files writes one: in pieces, to a path opened with these flags. Throws `fileNotWritten`, and what making the pieces throws. */
export interface NumbersWriter {
  write(path: string, flags: 'w' | 'wx', pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** CRC-32 where it is faster here than in our own code. */
  readonly crc32?: Crc32 | undefined;
}

/** A run whose numbers are written, and who is told how much of them is. */
export interface WrittenRun extends Pick<RunInfo, 'streams'> {
  readonly layersOf: (component: Component) => readonly HeldLayer[];
  readonly pattern: (params: PatternParams & OfWeightForm, signal: AbortSignal) => Pattern | Promise<Pattern>;
  /** What a method takes beside the weights. */
  readonly beside: (lookedAt: Omit<MethodParams, 'runId'>) => Promise<readonly HeldArray[]>;
  /** Called after each head or layer, with the number of heads that have been read. */
  readonly onRead: (numHeads: number) => void;
}

/** Writes numbers of a run where they are held: plain weights as they lie there. Throws `fileNotWritten`, what reading throws, and the signal's reason. */
export async function writeNumbers(
  writer: NumbersWriter,
  run: WrittenRun,
  { runId, path, flags, numbers, form, forms, lookedAt }: WriteNumbersParams,
  signal: AbortSignal,
): Promise<void> {
  let numRead = 0;
  const read = async (component: Component, head: HeadRef): Promise<Float32Array> => {
    const own = forms.find((each) => each.component === component)?.form;
    const layer = run.layersOf(component)[head.layer];
    const values =
      own === undefined && layer !== undefined
        ? await layer.rows(head.head, 0, layer.numQueries, signal)
        : (
            await run.pattern(
              { runId, selection: { component, heads: [head], aggregation: 'mean' }, form: own },
              signal,
            )
          ).weights;
    run.onRead(++numRead);
    return values;
  };
  const whole = (component: Component, at: number): Float32Array | undefined => {
    const layer = run.layersOf(component)[at];
    if (!(layer instanceof WholeLayer) || forms.some((each) => each.component === component)) return undefined;
    run.onRead((numRead += layer.numHeads));
    return layer.weights;
  };
  signal.throwIfAborted();
  const beside = lookedAt === undefined ? [] : await run.beside(lookedAt);
  const all: Numbers = { ...numbers, streams: run.streams, beside, read, whole };
  await writer.write(path, flags, withTurns(fileOf(all, form, writer.crc32), signal));
}

/** Lets messages in between pieces, a cancellation among them. */
async function* withTurns(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const turns = new Turns(signal);
  for await (const piece of pieces) {
    if (turns.isDue) await turns.give();
    signal.throwIfAborted();
    yield piece;
  }
}
