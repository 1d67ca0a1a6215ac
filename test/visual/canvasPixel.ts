import type { Locator } from 'playwright-core';
import type { Rgb } from '../../src/model/ramp';

/** The colour of a pixel of a canvas, each channel in 0 … 255; the place is rounded down. */
export async function canvasPixel(
  canvas: Locator,
  { x, y }: { readonly x: number; readonly y: number },
): Promise<Rgb & { a: number }> {
  return canvas.evaluate(
    (element, at) => {
      const data =
        (element as HTMLCanvasElement).getContext('2d')?.getImageData(at.x, at.y, 1, 1).data ??
        new Uint8ClampedArray(4); // the caller says that it is a canvas
      return { r: data[0], g: data[1], b: data[2], a: data[3] };
    },
    { x: Math.floor(x), y: Math.floor(y) },
  );
}
