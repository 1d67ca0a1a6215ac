import { computed, type ReadonlySignal } from '@preact/signals';

/** What is computed, the same object as long as its name is the same. It never lags behind what it is made of, as a signal that an effect writes would. */
export function stable<T>(compute: () => T, nameOf: (value: T) => string): ReadonlySignal<T> {
  const latest = computed(compute);
  const name = computed(() => nameOf(latest.value));
  return computed(() => {
    void name.value;
    return latest.peek();
  });
}
