import type * as Ort from 'onnxruntime-common';
import type { OrtModule } from '../runtime/runtime';

/** What becomes of a tensor in a batch of so many items: it is the same, repeated along an axis, or some of its numbers count items. */
type Rule = 'same' | { readonly axis: number } | { readonly counts: readonly boolean[] };

/** Tensors that hold counts, as of a shape, are short. */
const mostCounts = 16;
/** How far a number in a batch of two may lie from that of one item, by the largest. */
const tolerance = 1e-3;

/** Makes tensors of several items of those of one: learned of a run of two items that are the same. */
export class Batching {
  readonly #ort: OrtModule;
  readonly #rules: ReadonlyMap<string, Rule>;

  private constructor(ort: OrtModule, rules: ReadonlyMap<string, Rule>) {
    this.#ort = ort;
    this.#rules = rules;
  }

  /** @returns in a clause, why it cannot be told what a batch of items is like. */
  static learn(
    ort: OrtModule,
    names: readonly string[],
    one: (name: string) => Ort.Tensor | undefined,
    two: (name: string) => Ort.Tensor | undefined,
  ): Batching | string {
    const rules = new Map<string, Rule>();
    for (const name of names) {
      const [single, double] = [one(name), two(name)];
      if (single === undefined || double === undefined) continue;
      const rule = ruleOf(single, double);
      if (rule === undefined) return `${name} is not as many times as large in a batch`;
      rules.set(name, rule);
    }
    return new Batching(ort, rules);
  }

  /** Whether a tensor holds one item after the other. */
  hasItemsFirst(name: string): boolean {
    const rule = this.#rules.get(name);
    return typeof rule === 'object' && 'axis' in rule && rule.axis === 0;
  }

  /** A tensor of one item as one of several. */
  repeat(name: string, tensor: Ort.Tensor, count: number): Ort.Tensor {
    const rule = this.#rules.get(name) ?? 'same';
    if (count === 1 || rule === 'same') return tensor;
    if ('counts' in rule) return counted(this.#ort, tensor, rule.counts, count);
    return repeated(this.#ort, tensor, rule.axis, count);
  }
}

function ruleOf(one: Ort.Tensor, two: Ort.Tensor): Rule | undefined {
  const axes = one.dims.flatMap((dim, axis) => (dim === two.dims[axis] ? [] : [axis]));
  if (one.dims.length !== two.dims.length || axes.length > 1) return undefined;
  if (axes.length === 0) {
    if (one.data.length === 0 || isAlike(one.data, two.data)) return 'same';
    if (one.size > mostCounts || !(one.data instanceof BigInt64Array || one.data instanceof Int32Array))
      return undefined;
    const numbers = Array.from(one.data, Number);
    const others = Array.from(two.data as typeof one.data, Number); // of the same tensor in another run
    return numbers.every((value, i) => others[i] === value || others[i] === 2 * value)
      ? { counts: numbers.map((value, i) => others[i] !== value) }
      : undefined;
  }
  const [axis] = axes;
  if (two.dims[axis] !== 2 * one.dims[axis]) return undefined;
  const inner = one.dims.slice(axis).reduce((product, dim) => product * dim, 1);
  for (let from = 0; from < one.data.length; from += inner)
    for (const half of [0, 1]) {
      const at = 2 * from + half * inner;
      if (!isAlike(one.data.slice(from, from + inner), two.data.slice(at, at + inner))) return undefined;
    }
  return { axis };
}

function isAlike(one: Ort.Tensor['data'], two: Ort.Tensor['data']): boolean {
  if (one.length !== two.length) return false;
  if (!(one instanceof Float32Array && two instanceof Float32Array)) return one.every((value, i) => value === two[i]);
  const scale = one.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  return one.every((value, i) => value === two[i] || Math.abs(value - two[i]) <= tolerance * scale);
}

function counted(
  ort: OrtModule,
  { type, dims, data }: Ort.Tensor,
  counts: readonly boolean[],
  count: number,
): Ort.Tensor {
  if (data instanceof BigInt64Array)
    return new ort.Tensor(type, data.map((value, i) => (counts[i] ? value * BigInt(count) : value)) as never, dims);
  const numbers = data as Int32Array; // the only other type with this rule
  return new ort.Tensor(type, numbers.map((value, i) => (counts[i] ? value * count : value)) as never, dims);
}

/** A tensor several times along an axis. */
export function repeated(ort: OrtModule, tensor: Ort.Tensor, axis: number, count: number): Ort.Tensor {
  const { type, dims, data } = tensor;
  if (Array.isArray(data)) return tensor; // strings are in no batch
  const inner = dims.slice(axis).reduce((product, dim) => product * dim, 1);
  const made = new (data.constructor as new (length: number) => Float32Array)(data.length * count); // of its own type
  let to = 0;
  for (let from = 0; from < data.length; from += inner)
    for (let i = 0; i < count; i++, to += inner) made.set((data as Float32Array).subarray(from, from + inner), to);
  return new ort.Tensor(
    type,
    made as never,
    dims.map((dim, i) => (i === axis ? dim * count : dim)),
  );
}
