/** What a plot does when pointers move over it; places are CSS pixels from its top left corner. */
export interface PointerActions {
  look(x: number, y: number): void;
  leave(): void;
  drag(dx: number, dy: number): void;
  click(x: number, y: number, adds: boolean): void;
  /** Zooms about a place; false where it cannot go further, so that the page may scroll instead. */
  zoom(factor: number, x: number, y: number): boolean;
}

/** A press that moves less than this, in CSS pixels, is a click. */
const clickSlack = 4;

/** Tells hovering, clicking, dragging, the wheel and pinching apart; returns a function that stops it. */
export function trackPointers(element: HTMLElement, actions: PointerActions): () => void {
  const pressed = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const placeOf = (event: MouseEvent): { x: number; y: number } => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    if (pressed.size === 0) moved = 0;
    pressed.set(event.pointerId, placeOf(event));
  };
  const move = (event: PointerEvent): void => {
    const place = placeOf(event);
    const before = pressed.get(event.pointerId);
    if (before === undefined) return actions.look(place.x, place.y);
    const others = [...pressed].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
    pressed.set(event.pointerId, place);
    moved += Math.hypot(place.x - before.x, place.y - before.y);
    const [other] = others;
    if (other !== undefined) {
      const [from, to] = [before, place].map(({ x, y }) => Math.max(10, Math.hypot(x - other.x, y - other.y)));
      actions.zoom(to / from, (place.x + other.x) / 2, (place.y + other.y) / 2);
    } else if (moved > clickSlack) actions.drag(place.x - before.x, place.y - before.y);
  };
  const up = (event: PointerEvent): void => {
    if (!pressed.delete(event.pointerId) || pressed.size > 0) return;
    const { x, y } = placeOf(event);
    if (event.type === 'pointerup' && moved <= clickSlack) actions.click(x, y, event.shiftKey);
  };
  const leave = (): void => {
    if (pressed.size === 0) actions.leave();
  };
  const wheel = (event: WheelEvent): void => {
    const { x, y } = placeOf(event);
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    // A pinch on a touchpad comes as a wheel with Ctrl, in small steps.
    const hasZoomed = actions.zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), x, y);
    if (hasZoomed || event.ctrlKey) event.preventDefault();
    actions.look(x, y);
  };
  const listeners = [
    ['pointerdown', down],
    ['pointermove', move],
    ['pointerup', up],
    ['pointercancel', up],
    ['pointerleave', leave],
  ] as const;
  for (const [type, listener] of listeners) element.addEventListener(type, listener);
  element.addEventListener('wheel', wheel, { passive: false });
  return () => {
    for (const [type, listener] of listeners) element.removeEventListener(type, listener);
    element.removeEventListener('wheel', wheel);
  };
}
