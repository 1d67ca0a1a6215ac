import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';

/**
 * A bar between two areas that the pointer drags and the arrow keys move. The component library's split layout knows
 * only the mouse, so this one is our own. `share` is where it stands in `.body`, or in the
 * element that `within` selects around it, from 0 to 1.
 */
export function Splitter({ label, isVertical, share, onMove, area, within = '.body' }: { label: string; isVertical: boolean; share: number; onMove: (share: number) => void; area: string; within?: string }): JSX.Element {
  const isDragged = useRef(false);
  const element = useRef<HTMLDivElement>(null);
  const move = (next: number): void => onMove(Math.min(0.9, Math.max(0.1, next)));
  return (
    <div
      ref={element}
      class={`splitter ${isVertical ? 'vertical' : 'horizontal'} ${area}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={isVertical ? 'vertical' : 'horizontal'}
      aria-valuemin={10}
      aria-valuemax={90}
      aria-valuenow={Math.round(share * 100)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        isDragged.current = true;
        element.current?.setPointerCapture(event.pointerId);
        event.preventDefault();
        element.current?.focus();
      }}
      onPointerMove={(event) => {
        const parent = element.current?.closest(within)?.getBoundingClientRect();
        if (!isDragged.current || parent === undefined) return;
        move(isVertical ? (event.clientX - parent.left) / parent.width : (event.clientY - parent.top) / parent.height);
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
