import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Content width and height of an element in whole CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of an element's content as it is laid out now. */
function sizeNow(element: HTMLElement): Size {
  const { width, height } = element.getBoundingClientRect();
  const { paddingLeft, paddingRight, paddingTop, paddingBottom } = getComputedStyle(element);
  // Borders and scroll bars have whole widths.
  return {
    width: Math.max(
      0,
      Math.floor(
        width - (element.offsetWidth - element.clientWidth) - parseFloat(paddingLeft) - parseFloat(paddingRight),
      ),
    ),
    height: Math.max(
      0,
      Math.floor(
        height - (element.offsetHeight - element.clientHeight) - parseFloat(paddingTop) - parseFloat(paddingBottom),
      ),
    ),
  };
}

/** The content size of an element, known before it is first drawn and followed as it changes; zero in the first rendering alone. */
export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (element.current === null) return undefined;
    const change = ({ width, height }: Size): void =>
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    change(sizeNow(element.current));
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined)
        change({ width: Math.floor(entry.contentRect.width), height: Math.floor(entry.contentRect.height) });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return size;
}
