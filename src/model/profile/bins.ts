/** Numbers fall into bins of their first 16 bits as float32 (sign, exponent, seven bits of the mantissa): the edges of a bin are at most 1/128 apart. */
const bits = new DataView(new ArrayBuffer(4));

/** The bin of a number, in the order of the numbers. */
function binOf(value: number): number {
  bits.setFloat32(0, value);
  const first = bits.getUint16(0);
  return first < 0x8000 ? first : 0x7fff - first;
}

/** The smaller of a bin's edges. */
function lowerEdge(bin: number): number {
  return bin < 0 ? -edge(-bin) : edge(bin);
}

function edge(bin: number): number {
  bits.setUint32(0, bin << 16);
  return bits.getFloat32(0);
}

/** How many numbers fell into each bin: of several histograms the counts are added, whatever the order. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #count = 0;

  add(value: number): void {
    // -0 is no other number than 0.
    const bin = binOf(value === 0 ? 0 : value);
    this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + 1);
    this.#count++;
  }

  /** The smaller edges of the bins that are not empty, in order, with their counts. */
  get edges(): readonly (readonly [from: number, count: number])[] {
    return this.#bins().map(([bin, count]) => [lowerEdge(bin), count]);
  }

  /** The number below which a share of all are, as if those of a bin were spread evenly over it, and within the smallest and the largest of all; NaN of none. */
  quantile(share: number, smallest: number, largest: number): number {
    let before = 0;
    const wanted = share * this.#count;
    for (const [bin, count] of this.#bins()) {
      if (before + count >= wanted) {
        // The bin of 0 has hardly anything else.
        const [from, to] = bin === 0 ? [0, 0] : [lowerEdge(bin), lowerEdge(bin + 1)];
        return Math.min(largest, Math.max(smallest, from + ((to - from) * (wanted - before)) / count));
      }
      before += count;
    }
    return NaN;
  }

  /** The bins that are not empty, in order, with their counts. */
  #bins(): (readonly [bin: number, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }
}
