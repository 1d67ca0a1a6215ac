import { anyPatchAt, gridsOf, patchPiece } from '../../model/patchGrid';
import type { PatchGrid, Token, TokenStream } from '../../model/token';
import { patchCount, type PatchEmbedding, type Window } from '../../onnx/inputs/patchEmbedding';
import { configNumber } from '../folder/configNumber';
import type { PixelSize } from './raster';

/** Special tokens that a model adds to its patches at most: a class token, one of distillation, registers. */
const maxSpecial = 16;

/** A grid of patches, with what leads to it. */
export interface GridCandidate {
  readonly rows: number;
  readonly columns: number;
  readonly patchWidth: number;
  readonly patchHeight: number;
  readonly place: PatchEmbedding['place'];
  /** For the reason, where it does not fit. */
  readonly source: string;
  /** Convolutions and poolings that one patch comes from, where there are several: then it sees more than its own pixels. */
  readonly numWindows?: number;
}

/**
 * The grids that a picture of a size can be cut into: by the convolution of the graph, by `patch_size` of config.json, and by what all
 * convolutions up to one that comes later step over. A reader of lines (`isLine`) may join the rows of what it sees into columns.
 */
export function gridCandidates(
  embedding: PatchEmbedding | undefined,
  config: Readonly<Record<string, unknown>>,
  { width, height }: PixelSize,
  isLine = false,
): GridCandidate[] {
  const candidates: GridCandidate[] = [];
  const place = embedding?.place ?? 'unknown';
  if (embedding !== undefined)
    candidates.push({
      ...patchCount(embedding, width, height),
      patchWidth: embedding.strides[1],
      patchHeight: embedding.strides[0],
      place,
      source: `patches of ${embedding.kernel[1]} × ${embedding.kernel[0]} pixels`,
    });
  const size = visionNumber(config, 'patch_size');
  if (size !== undefined)
    candidates.push({
      rows: Math.floor(height / size),
      columns: Math.floor(width / size),
      patchWidth: size,
      patchHeight: size,
      place,
      source: `a patch_size of ${size}`,
    });
  if (embedding?.later !== undefined)
    candidates.push(...laterCandidates(embedding, embedding.later, { width, height }, isLine));
  return candidates.filter(({ rows, columns }) => rows > 0 && columns > 0);
}

function laterCandidates(
  embedding: PatchEmbedding,
  later: readonly Window[],
  { width, height }: PixelSize,
  isLine: boolean,
): GridCandidate[] {
  const candidates: GridCandidate[] = [];
  let { rows, columns } = patchCount(embedding, width, height);
  let [patchHeight, patchWidth] = embedding.strides;
  const add = (found: { readonly rows: number; readonly patchHeight: number }, numWindows: number): void => {
    candidates.push({
      columns,
      patchWidth,
      place: embedding.place,
      source: `patches of ${patchWidth} × ${found.patchHeight} pixels (${numWindows} convolutions and poolings)`,
      numWindows,
      ...found,
    });
  };
  later.forEach((window, i) => {
    ({ rows, columns } = patchCount(window, columns, rows));
    patchHeight = Math.min(height, patchHeight * window.strides[0]);
    patchWidth *= window.strides[1];
    if (rows > 0 && columns > 0 && (window.strides[0] > 1 || window.strides[1] > 1 || i === later.length - 1))
      add({ rows, patchHeight: rows === 1 ? height : patchHeight }, i + 2);
  });
  if (isLine && rows > 1) add({ rows: 1, patchHeight: height }, later.length + 1);
  return candidates;
}

/** A number of config.json, or of its part for pictures. */
function visionNumber(config: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const vision = config['vision_config'];
  return (
    configNumber(config, [name]) ??
    (typeof vision === 'object' && vision !== null ? configNumber({ ...vision }, [name]) : undefined)
  );
}

/** The grid that fits a number of tokens, patches and special ones together; a sentence's clause where none does. */
export function fitGrid(candidates: readonly GridCandidate[], numTokens: number): PatchGrid | string {
  if (candidates.length === 0) return 'neither its graph nor its config.json says how it cuts a picture into patches';
  for (const { rows, columns, patchWidth, patchHeight, place } of candidates) {
    const numSpecial = numTokens - rows * columns;
    if (numSpecial < 0 || numSpecial > maxSpecial) continue;
    // By convention special tokens stand before the patches.
    if (numSpecial > 0 && place === 'unknown' && candidates.some((candidate) => candidate.place !== 'unknown'))
      continue;
    return { rows, columns, first: place === 'first' ? 0 : numSpecial, patchWidth, patchHeight };
  }
  const [{ source, rows, columns }] = candidates;
  return `${source} give ${rows} × ${columns} patches, and its attention is over ${numTokens} tokens`;
}

/**
 * The tokens of a picture: special ones by the names that they have in the literature, patches as `row,column` from one; or, on a grid
 * without patches, the queries that a model has learned.
 */
export function imageStream(
  grid: PatchGrid,
  numTokens: number,
  config: Readonly<Record<string, unknown>>,
): TokenStream {
  const numSpecial = gridsOf(grid).reduce((left, { rows, columns }) => left - rows * columns, numTokens);
  let special = 0;
  const tokens = Array.from({ length: numTokens }, (_, position): Token => {
    const patch = anyPatchAt(grid, position);
    const piece =
      grid.rows === 0
        ? `[Q${position + 1}]`
        : patch === undefined
          ? specialName(special++, numSpecial, config)
          : patchPiece(patch);
    return { id: position, piece, start: 0, end: 0, isSpecial: patch === undefined };
  });
  return { role: 'image', text: '', tokens, grid };
}

function specialName(index: number, count: number, config: Readonly<Record<string, unknown>>): string {
  const numRegisters = visionNumber(config, 'num_register_tokens') ?? 0;
  if (numRegisters > 0 && index >= count - numRegisters) return `[REG${index - (count - numRegisters) + 1}]`;
  if (index === 0) return '[CLS]';
  return index === 1 && isDeit(config['model_type']) ? '[DIST]' : `[S${index + 1}]`;
}

function isDeit(modelType: unknown): boolean {
  return typeof modelType === 'string' && /deit/i.test(modelType);
}
