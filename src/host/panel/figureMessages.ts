import * as v from 'valibot';
import { metricIds } from '../../model/metrics/metrics';
import type { FigureAnswer } from '../../panelProtocol';
import { parse } from './messageShapes';

/** A large screen's matrix takes a tenth of it. */
const maxFigureBytes = 32 * 2 ** 20;
const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e6));
const channel = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
const colour = v.object({ r: channel, g: channel, b: channel });
const figure = v.variant('kind', [
  v.object({
    kind: v.literal('seen'),
    seen: v.object({
      background: colour,
      foreground: colour,
      compared: v.optional(v.picklist(['other', 'difference'])),
      sort: v.picklist(['head', ...metricIds]),
      pair: v.optional(v.object({ query: place, key: place })),
    }),
  }),
  v.object({
    kind: v.literal('picture'),
    png: v.pipe(
      v.instance(Uint8Array),
      v.check(
        (bytes) => bytes.byteLength <= maxFigureBytes && pngSignature.every((byte, i) => bytes[i] === byte),
        'no picture of ours',
      ),
    ),
  }),
  v.object({ kind: v.picklist(['copied', 'failed']) }),
]);

/** Checks what the page answers for a figure; a picture is a PNG file of a bounded size. Throws `invalidMessage`. */
export function checkFigure(value: unknown): FigureAnswer {
  return parse('figure', figure, value);
}
