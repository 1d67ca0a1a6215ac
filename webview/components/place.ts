import type { Rect } from '../layout/headGrid';

/** Puts an element at a place of the one around it. */
export function styleOf({ x, y, width, height }: Rect): { left: string; top: string; width: string; height: string } {
  return { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` };
}
