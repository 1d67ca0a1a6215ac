/** Something that holds a resource until it is disposed. */
export interface Disposable {
  dispose(): void;
}

/** A disposable that runs a function, once. */
export function toDisposable(run: () => void): Disposable {
  let left: (() => void) | undefined = run;
  return {
    dispose() {
      const last = left;
      // Whoever keeps what is disposed of keeps nothing that the function knows.
      left = undefined;
      last?.();
    },
  };
}

/** Owns disposables and disposes of them newest first, once; failures are gathered in an `AggregateError`. */
export class DisposableStore implements Disposable {
  readonly #items = new Set<Disposable>();
  #isDisposed = false;

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Takes ownership; an item added to a disposed store is disposed at once. */
  add<T extends Disposable>(item: T): T {
    if (this.#isDisposed) item.dispose();
    else this.#items.add(item);
    return item;
  }

  /** Takes ownership until what is returned is disposed of, which disposes of the item: for what comes and goes while the store lives. */
  addPassing(item: Disposable): Disposable {
    this.add(item);
    return toDisposable(() => {
      this.#items.delete(item);
      item.dispose();
    });
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const failures: unknown[] = [];
    const items = [...this.#items].reverse();
    this.#items.clear();
    for (const item of items) {
      try {
        item.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Some resources could not be released');
  }
}

/** Holds one disposable at a time: setting another disposes of the former («the current run»). */
export class MutableDisposable<T extends Disposable> implements Disposable {
  #value: T | undefined;
  #isDisposed = false;

  get value(): T | undefined {
    return this.#value;
  }

  set value(value: T | undefined) {
    if (value === this.#value) return;
    const former = this.#value;
    this.#value = this.#isDisposed ? undefined : value;
    former?.dispose();
    if (this.#isDisposed) value?.dispose();
  }

  dispose(): void {
    this.#isDisposed = true;
    const former = this.#value;
    this.#value = undefined;
    former?.dispose();
  }
}
