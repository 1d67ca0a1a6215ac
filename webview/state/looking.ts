import { batch, signal, type ReadonlySignal } from '@preact/signals';
import type { HeadRef } from '../../src/model/head';
import type { TokenRef } from '../../src/model/token';
import type { MatrixCell } from '../layout/matrixView';

/** What the person's eyes and hands are at, here and in the editor. */
export class Looking {
  readonly #hovered = signal<TokenRef | undefined>(undefined);
  readonly #editorHover = signal<TokenRef | undefined>(undefined);
  readonly #cursor = signal<TokenRef | undefined>(undefined);
  readonly #previewHead = signal<HeadRef | undefined>(undefined);
  readonly #crosshair = signal<MatrixCell | undefined>(undefined);
  readonly #blockSize = signal(1);
  readonly #pointed = signal<TokenRef | undefined>(undefined);
  readonly #found = signal<readonly TokenRef[]>([]);
  readonly #isFinding = signal(false);
  readonly #areKeysShown = signal(false);

  /** The token under the pointer. */
  readonly hovered: ReadonlySignal<TokenRef | undefined> = this.#hovered;
  /** The token that is hovered in the editor. */
  readonly editorHover: ReadonlySignal<TokenRef | undefined> = this.#editorHover;
  /** The token that the keyboard is at. */
  readonly cursor: ReadonlySignal<TokenRef | undefined> = this.#cursor;
  /** The head whose thumbnail is hovered or focused. */
  readonly previewHead: ReadonlySignal<HeadRef | undefined> = this.#previewHead;
  readonly crosshair: ReadonlySignal<MatrixCell | undefined> = this.#crosshair;
  /** How many cells of the matrix, along each side, one pixel stands for by the strongest of them. */
  readonly blockSize: ReadonlySignal<number> = this.#blockSize;
  /** A token that a list's entry or the search points at. */
  readonly pointed: ReadonlySignal<TokenRef | undefined> = this.#pointed;
  readonly found: ReadonlySignal<readonly TokenRef[]> = this.#found;
  readonly isFinding: ReadonlySignal<boolean> = this.#isFinding;
  readonly areKeysShown: ReadonlySignal<boolean> = this.#areKeysShown;

  hover(token: TokenRef | undefined): void {
    this.#hovered.value = token;
  }

  hoverInEditor(token: TokenRef | undefined): void {
    this.#editorHover.value = token;
  }

  /** Puts the cursor at a token, with the pointer where it is. */
  putCursor(token: TokenRef | undefined): void {
    this.#cursor.value = token;
  }

  /** Takes the keyboard to a token, which then is what is told of: not the one under a pointer that rests. */
  moveCursor(token: TokenRef): void {
    batch(() => {
      this.#hovered.value = undefined;
      this.#cursor.value = token;
    });
  }

  /** Shows a head's pattern as long as it is looked at. */
  lookAtHead(head: HeadRef | undefined): void {
    const before = this.#previewHead.peek();
    if (head !== undefined && before?.layer === head.layer && before.head === head.head) return;
    this.#previewHead.value = head === undefined ? undefined : { layer: head.layer, head: head.head };
  }

  /** Puts the crosshair on a cell of the matrix that is shown. */
  moveTo(cell: MatrixCell | undefined): void {
    this.#crosshair.value = cell;
  }

  /** Notes at what size the matrix is drawn. */
  zoomed(blockSize: number): void {
    this.#blockSize.value = blockSize;
  }

  point(token: TokenRef | undefined): void {
    this.#pointed.value = token;
  }

  /** Marks the tokens that are found, and goes to the first. */
  find(tokens: readonly TokenRef[]): void {
    batch(() => {
      this.#found.value = tokens;
      this.#cursor.value = this.#pointed.value = tokens[0];
    });
  }

  /** Marks no token as found. */
  forgetFound(): void {
    batch(() => {
      this.#found.value = [];
      this.#pointed.value = undefined;
    });
  }

  /** Opens the search, or closes it. */
  showFinding(isFinding: boolean): void {
    this.#isFinding.value = isFinding;
  }

  /** Opens the list of keys, or closes it. */
  showKeys(areShown: boolean): void {
    this.#areKeysShown.value = areShown;
  }

  /** Lets go of what is pointed at; for another text, of where keyboard and crosshair are too. */
  clear(keeping: 'cursor' | 'nothing'): void {
    batch(() => {
      for (const cleared of [this.#hovered, this.#editorHover, this.#pointed]) cleared.value = undefined;
      this.#found.value = [];
      if (keeping === 'cursor') return;
      for (const cleared of [this.#cursor, this.#previewHead, this.#crosshair]) cleared.value = undefined;
    });
  }
}
