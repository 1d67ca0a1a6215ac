import { signal } from '@preact/signals';

/** What someone looks at from time to time: until it is open it asks for nothing. */
export abstract class OpenedView {
  protected readonly isSeen = signal(false);
  #isFocusWanted = false;

  /** Someone looks at it from now on. */
  open(): void {
    this.isSeen.value = true;
  }

  close(): void {
    this.isSeen.value = false;
  }

  /** The keyboard is to be in the view when it opens. */
  wantFocus(): void {
    this.#isFocusWanted = true;
  }

  /** Whether the keyboard is to be in the view, once. */
  takesFocus(): boolean {
    const isWanted = this.#isFocusWanted;
    this.#isFocusWanted = false;
    return isWanted;
  }
}
