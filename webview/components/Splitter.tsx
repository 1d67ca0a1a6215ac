import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { styleOf } from './place';
import type { PlacedSplit } from '../layout/paneLayout';

/**
 * A bar between two areas that the pointer drags and the arrow keys move. The component library's split layout knows
 * only the mouse, so this one is our own.
 */
export function Splitter({
  label,
  split,
  onMove,
}: {
  label: string;
  split: PlacedSplit;
  onMove: (share: number) => void;
}): JSX.Element {
  const { axis, area, rect, share } = split;
  const isVertical = axis === 'x';
  const isDragged = useRef(false);
  const element = useRef<HTMLDivElement>(null);
  const move = (next: number): void => onMove(Math.min(0.95, Math.max(0.05, next)));
  return (
    <div
      ref={element}
      class={`splitter ${isVertical ? 'vertical' : 'horizontal'}`}
      style={styleOf(rect)}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={isVertical ? 'vertical' : 'horizontal'}
      aria-valuemin={5}
      aria-valuemax={95}
      aria-valuenow={Math.round(share * 100)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        isDragged.current = true;
        element.current?.setPointerCapture(event.pointerId);
        event.preventDefault();
        element.current?.focus();
      }}
      onPointerMove={(event) => {
        const body = element.current?.parentElement?.getBoundingClientRect();
        if (!isDragged.current || body === undefined) return;
        move(
          isVertical
            ? (event.clientX - body.left - area.x) / area.width
            : (event.clientY - body.top - area.y) / area.height,
        );
      }}
      onPointerUp={() => (isDragged.current = false)}
      onPointerCancel={() => (isDragged.current = false)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (step === undefined || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        move(share + step * 0.02);
      }}
    />
  );
}
