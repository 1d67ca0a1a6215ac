/** A range of numbers with round ends, and where its marks stand. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly marks: readonly number[];
}

/** An axis from zero, or from the lowest where there is less, to a round number that holds all; shares end at 1 only where one comes near. */
export function axisFor(values: ArrayLike<number>, numMarks = 4): Axis {
  let [low, high] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    if (values[at] < low) low = values[at];
    if (values[at] > high) high = values[at];
  }
  if (high === low) high = low + 1;
  const raw = (high - low) / numMarks;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 2.5, 5, 10].find((each) => each * power >= raw) ?? 10);
  const [from, to] = [Math.floor(low / step) * step, Math.ceil(high / step - 1e-9) * step];
  const count = Math.round((to - from) / step);
  return {
    low: from,
    high: to,
    marks: Array.from({ length: count + 1 }, (_, i) => Number((from + i * step).toPrecision(12))),
  };
}

/** Where a number stands on an axis, in [0, 1]. */
export function placeOn({ low, high }: Axis, value: number): number {
  return (value - low) / (high - low);
}
