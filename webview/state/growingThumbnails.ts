import type { ComponentInfo } from '../../src/model/head';
import type { Thumbnails } from '../../src/protocol';

/** The layers of a component that are there and have heads, by their numbers. */
export function layersThere({ layers }: ComponentInfo): number[] {
  return layers.flatMap(({ numHeads, isComing }, layer) => (numHeads > 0 && isComing !== true ? [layer] : []));
}

/** Thumbnails of some layers with those of others that came later; undefined where they are of different sizes. */
export function joinThumbnails(held: Thumbnails, added: Thumbnails): Thumbnails | undefined {
  const { rows, columns } = added;
  if (held.rows !== rows || held.columns !== columns) return undefined;
  const sizeOf = (heads: number): number => heads * rows * columns;
  const numHeads = added.numHeads.map((count, layer) => (count > 0 ? count : (held.numHeads[layer] ?? 0)));
  const pixels = new Uint8Array(sizeOf(numHeads.reduce((sum, count) => sum + count, 0)));
  const sinks: (readonly number[])[] = [];
  let to = 0;
  const from = { held: 0, added: 0 };
  numHeads.forEach((count, layer) => {
    const which = added.numHeads[layer] > 0 ? 'added' : 'held';
    const source = which === 'added' ? added : held;
    pixels.set(source.pixels.subarray(sizeOf(from[which]), sizeOf(from[which] + count)), sizeOf(to));
    for (let head = 0; head < count; head++) sinks.push(source.sinks[from[which] + head] ?? []);
    from.held += held.numHeads[layer] ?? 0;
    from.added += added.numHeads[layer];
    to += count;
  });
  return { numHeads, rows, columns, pixels, sinks };
}
