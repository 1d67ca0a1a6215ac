/** Tells a pointer that moves onto something from something that moves under a pointer at rest: browsers report both alike. */
export class MovedPointer {
  #place: { readonly x: number; readonly y: number } | undefined;

  /** Remembers where the pointer is now. */
  note({ screenX, screenY }: PointerEvent): void {
    this.#place = { x: screenX, y: screenY };
  }

  /** Whether the pointer is elsewhere than when it was last noted; notes it. */
  hasMoved(event: PointerEvent): boolean {
    const place = this.#place;
    this.note(event);
    return place === undefined || place.x !== event.screenX || place.y !== event.screenY;
  }
}
