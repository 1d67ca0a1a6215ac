/** Numbers in [0, 1), from which an input is made: the same ones make the same input. */
export type Chances = () => number;

/** Something that reads files from outside, and what it may answer. */
export interface FuzzTarget {
  /** Makes one input and reads it; gives the code of the error, '' for none, and throws what is no error of ours. */
  run(random: Chances): string | Promise<string>;
  /** The codes that a broken or hostile file may be answered with. */
  readonly allowed: ReadonlySet<string>;
}

/** A whole number below `count`. */
export function below(random: Chances, count: number): number {
  return Math.floor(random() * count);
}

/** One of a list. */
export function oneOf<T>(random: Chances, list: readonly T[]): T {
  return list[below(random, list.length)];
}
