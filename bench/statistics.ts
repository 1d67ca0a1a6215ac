/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The 2.5th and 97.5th percentile of the medians of resampled values (Efron 1979); the same for the same values. */
export function interval(values: readonly number[], numSamples = 2000): readonly [low: number, high: number] {
  let state = 1;
  const below = (n: number): number => (state = (state * 48271) % 2147483647) % n;
  const medians = Array.from({ length: numSamples }, () => median(values.map(() => values[below(values.length)]))).sort(
    (a, b) => a - b,
  );
  return [medians[Math.floor(numSamples * 0.025)], medians[Math.ceil(numSamples * 0.975) - 1]];
}

/** Milliseconds of the processor that this process took: what a clock says of one thread on a machine with nothing else to do. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs functions in turn, A B C A B C …, and gives the milliseconds of each by a clock; the first round is not counted. Before each the process rests for `pauseMs`. */
export async function interleave<K extends string>(
  rounds: number,
  runs: Readonly<Record<K, () => Promise<unknown>>>,
  pauseMs = 0,
  clock: () => number = () => performance.now(),
): Promise<Record<K, number[]>> {
  const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []])) as unknown as Record<K, number[]>; // a list per name
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries<() => Promise<unknown>>(runs)) {
      if (pauseMs > 0) await new Promise((settle) => setTimeout(settle, pauseMs));
      const started = clock();
      await run();
      if (round > 0) times[name as K].push(clock() - started); // names of `runs`
    }
  }
  return times;
}

/** A table in Markdown, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Milliseconds, rounded as far as they mean something. */
export function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
