const latest = new WeakMap<object, Promise<unknown>>();

/** Does work when all that was begun before it, with the same runtime, is done: its calls must not overlap, since they share one stack. */
export function exclusively<T>(runtime: object, work: () => Promise<T>): Promise<T> {
  const result = (latest.get(runtime) ?? Promise.resolve()).then(work);
  latest.set(
    runtime,
    result.catch(() => {}),
  );
  return result;
}
