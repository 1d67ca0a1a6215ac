import { dataType } from '../file/dataType';
import type { SuffixBuilder } from '../find/suffixNodes';

/** How large blocks are. */
interface BlockSize {
  /** Rows of which the small picture has one: a block has whole ones of these. */
  readonly height: number;
  /** Rows that a block has at most, unless `height` is more. */
  readonly most: number;
}

/** What the loop hands on from turn to turn: it begins with nothing, has one and gives the next. */
interface Carried {
  readonly has: string;
  readonly gives: string;
  readonly result: string;
}

/** What comes of each turn, of which the loop makes one tensor. */
interface Collected {
  readonly gives: string;
  readonly type: number;
  readonly result: string;
}

/**
 * A loop over blocks of rows of queries. All blocks have as many rows: behind the last row, the last comes again, of which nothing is kept. int64 tensors that tell
 * numbers of rows have the shape `[1]`.
 */
export class QueryBlocks {
  /** Nodes around the loop, and inside of it. */
  readonly around: SuffixBuilder;
  readonly inside: SuffixBuilder;
  /** int64 `[1]` */
  readonly zero: string;
  readonly numQueries: string;
  /** Inside: the numbers of the block's rows, int64 `[size]`. */
  readonly rows: string;
  /** Inside: 1 for rows that are kept, 0 for others; `[1, 1, 1, size]`. */
  readonly keptRows: string;
  readonly #one: string;
  readonly #size: string;
  readonly #begin: string;
  readonly #height: BlockSize['height'];
  readonly #trips: string;
  readonly #numPooled: string;
  readonly #all: string;
  readonly #allPooled: string;
  readonly #turn: readonly [turn: string, condition: string, goesOn: string];
  readonly #carried: Carried[] = [];
  readonly #collected: Collected[] = [];

  /** @param queries `[…, rows, size]` */
  constructor(
    { around, inside }: { readonly around: SuffixBuilder; readonly inside: SuffixBuilder },
    queries: string,
    { height, most }: BlockSize,
  ) {
    this.around = around;
    this.inside = inside;
    this.#height = height;
    this.zero = around.integers('zero', [0]);
    this.#one = around.integers('one', [1]);
    const shape = around.tensor('Shape', [queries], 'queries-shape');
    const ends = [around.integers('from', [-2]), around.integers('to', [-1])];
    this.numQueries = around.tensor('Slice', [shape, ...ends, this.zero], 'num-queries');
    const high = around.integers('height', [height]);
    this.#numPooled = this.#shared(this.numQueries, high, 'num-pooled');
    const mostPooled = around.integers('most-pooled', [Math.max(1, Math.floor(most / height))]);
    const numBlocks = this.#shared(this.#numPooled, mostPooled, 'num-blocks');
    const pooled = this.#shared(this.#numPooled, numBlocks, 'block-pooled');
    this.#size = around.tensor('Mul', [pooled, high], 'block-size');
    this.#all = around.tensor('Mul', [numBlocks, this.#size], 'all-rows');
    this.#allPooled = around.tensor('Mul', [numBlocks, pooled], 'all-pooled');
    this.#trips = this.#single(numBlocks, 'trips');
    const last = around.tensor('Sub', [this.numQueries, this.#one], 'last-query');
    const offsets = this.#range(this.#single(this.#size, 'block-rows'), 'offsets');

    const [turn, condition, goesOn] = ['turn', 'condition', 'goes-on'].map((part) => inside.name(part));
    this.#turn = [turn, condition, goesOn];
    inside.add('Identity', [condition], [goesOn]);
    this.#begin = inside.tensor('Mul', [inside.tensor('Reshape', [turn, this.#one], 'block'), this.#size], 'begin');
    const places = inside.tensor('Add', [offsets, this.#begin], 'places');
    const isBehind = inside.tensor('Greater', [places, last], 'is-behind');
    this.rows = inside.tensor('Where', [isBehind, last, places], 'rows');
    const isKept = inside.tensor('Not', [isBehind], 'is-kept');
    this.keptRows = inside.tensor(
      'Reshape',
      [
        inside.tensor('Cast', [isKept], 'kept', { to: { integer: dataType.float32 } }),
        inside.integers('kept-dims', [1, 1, 1, -1]),
      ],
      'kept-rows',
    );
  }

  /** Inside: which rows of a tensor `[…, rows, width]` belong to the block's: those of its queries where it has one for each, else all, as of one that is the same for all queries. */
  rowsOf(tensor: string, part: string): string {
    const { around, inside, zero } = this;
    const shape = around.tensor('Shape', [tensor], `${part}/shape`);
    const ends = [around.integers(`${part}/from`, [-2]), around.integers(`${part}/to`, [-1])];
    const length = around.tensor('Slice', [shape, ...ends, zero], `${part}/length`);
    const isOfQueries = around.tensor('Equal', [length, this.numQueries], `${part}/is-of-queries`);
    const begin = around.tensor('Where', [isOfQueries, zero, this.#size], `${part}/begin`);
    const behind = around.tensor('Add', [this.#size, length], `${part}/behind`);
    const end = around.tensor('Where', [isOfQueries, this.#size, behind], `${part}/end`);
    const all = this.#range(this.#single(length, `${part}/num-rows`), `${part}/all`);
    const either = inside.tensor('Concat', [this.rows, all], `${part}/either`, { axis: { integer: 0 } });
    return inside.tensor('Slice', [either, begin, end, zero], `${part}/chosen`);
  }

  /** A tensor with axes of length one before its own where it has less than two. */
  asMatrix(tensor: string, part: string): string {
    const { around, zero } = this;
    const shape = around.tensor('Shape', [tensor], `${part}/own-shape`);
    const two = around.integers(`${part}/two`, [2]);
    const missing = around.tensor('Sub', [two, around.tensor('Shape', [shape], `${part}/rank`)], `${part}/missing`);
    const hasMore = around.tensor('Less', [missing, zero], `${part}/has-more`);
    const count = around.tensor('Where', [hasMore, zero, missing], `${part}/num-added`);
    const ones = around.tensor('Slice', [around.integers(`${part}/ones`, [1, 1]), zero, count, zero], `${part}/added`);
    const dims = around.tensor('Concat', [ones, shape], `${part}/dims`, { axis: { integer: 0 } });
    return around.tensor('Reshape', [tensor, dims], `${part}/matrix`);
  }

  /** Inside: a tensor with all axes before its last two as one, behind one of length one. */
  asOneItem(tensor: string, part: string): string {
    const { inside } = this;
    const shape = inside.tensor('Shape', [tensor], `${part}-shape`);
    const ends = [inside.integers(`${part}-from`, [-2]), inside.integers(`${part}-to`, [2 ** 31 - 1])];
    const sides = inside.tensor('Slice', [shape, ...ends, this.zero], `${part}-sides`);
    const leading = inside.integers(`${part}-leading`, [1, -1]);
    const dims = inside.tensor('Concat', [leading, sides], `${part}-dims`, { axis: { integer: 0 } });
    return inside.tensor('Reshape', [tensor, dims], `${part}-item`);
  }

  /** Inside: which of some rows are the block's own, and where in it they are; the first row for others. */
  placesOf(rows: string, part: string): { readonly isHere: string; readonly at: string } {
    const { inside, zero } = this;
    const place = inside.tensor('Sub', [rows, this.#begin], `${part}/place`);
    const isBefore = inside.tensor('Less', [place, zero], `${part}/is-before`);
    const isInside = inside.tensor('Less', [place, this.#size], `${part}/is-inside`);
    const isHere = inside.tensor(
      'And',
      [inside.tensor('Not', [isBefore], `${part}/begins`), isInside],
      `${part}/is-here`,
    );
    return { isHere, at: inside.tensor('Where', [isHere, place, zero], `${part}/at`) };
  }

  /** Inside: maxima of parts of `[1, heads, size, keys]` that are `height` rows high and so many keys wide. Rows are taken together first, which the runtime does fast. */
  pool(tensor: string, width: number): string {
    const { inside } = this;
    let pooled = tensor;
    if (this.#height > 1) {
      const shape = inside.tensor('Shape', [tensor], 'pool-shape');
      const ends = [inside.integers('pool-from', [3]), inside.integers('pool-to', [4])];
      const keys = inside.tensor('Slice', [shape, ...ends, this.zero], 'pool-keys');
      const parts = [inside.integers('pool-leading', [0, 0, -1, this.#height]), keys];
      const dims = inside.tensor('Concat', parts, 'pool-dims', { axis: { integer: 0 } });
      const split = inside.tensor('Reshape', [tensor, dims], 'pool-rows');
      pooled = inside.reduced('ReduceMax', split, 'pooled-rows', { axis: 3, keeps: false, inputSince: 18 });
    }
    if (width === 1) return pooled;
    const along = { integers: [1, width] };
    return inside.tensor('MaxPool', [pooled], 'pooled', {
      kernel_shape: along,
      strides: along,
      ceil_mode: { integer: 1 },
    });
  }

  /** What each turn makes anew of what the one before gave, single precision; the first is given one zero of four axes. Gives the last. */
  carry(part: string, next: (has: string) => string): string {
    const has = this.inside.name(`${part}/before`);
    const result = this.around.name(part);
    this.#carried.push({ has, gives: next(has), result });
    return result;
  }

  /** What comes of all turns, along an axis before the others. */
  collect(tensor: string, type: number = dataType.float32): string {
    const result = this.around.name(`all-${this.#collected.length}`);
    this.#collected.push({ gives: tensor, type, result });
    return result;
  }

  /** Adds the loop. */
  close(): void {
    const [turn, condition, goesOn] = this.#turn;
    const { float32, int64, bool } = dataType;
    const nothing = this.around.float('nothing', 0, 4);
    this.around.loop(
      this.#trips,
      [...this.#carried, ...this.#collected].map(({ result }) => result),
      {
        inside: this.inside,
        first: this.#carried.map(() => nothing),
        inputs: [
          { name: turn, dataType: int64, rank: 0 },
          { name: condition, dataType: bool, rank: 0 },
          ...this.#carried.map(({ has }) => ({ name: has, dataType: float32 })),
        ],
        outputs: [
          { name: goesOn, dataType: bool, rank: 0 },
          ...this.#carried.map(({ gives }) => ({ name: gives, dataType: float32 })),
          ...this.#collected.map(({ gives, type }) => ({ name: gives, dataType: type })),
        ],
      },
    );
  }

  /** What was collected of `[1, heads, rows]`, with a width behind them or none, as one: `[1, heads, all rows that are kept]`. */
  joined(
    builder: SuffixBuilder,
    collected: string,
    {
      part,
      hasWidth,
      isPooled = false,
    }: { readonly part: string; readonly hasWidth: boolean; readonly isPooled?: boolean },
  ): string {
    const perm = { integers: hasWidth ? [1, 2, 0, 3, 4] : [1, 2, 0, 3] };
    const turned = builder.tensor('Transpose', [collected], `${part}/turned`, { perm });
    const [all, kept] = isPooled ? [this.#allPooled, this.#numPooled] : [this.#all, this.numQueries];
    // The shape [0, 0, all, width] is added up: the runtime would replace a length in one that is put together, and may not where no head is wanted.
    const ownRows = builder.integers(`${part}/own-rows`, hasWidth ? [0, 0, 1, 0] : [0, 0, 1]);
    let dims = builder.tensor('Mul', [all, ownRows], `${part}/rows`);
    if (hasWidth) {
      const shape = builder.tensor('Shape', [collected], `${part}/shape`);
      const ends = [builder.integers(`${part}/from`, [4]), builder.integers(`${part}/to`, [5])];
      const width = builder.tensor('Slice', [shape, ...ends, this.zero], `${part}/width`);
      const ownWidth = builder.tensor(
        'Mul',
        [width, builder.integers(`${part}/own-width`, [0, 0, 0, 1])],
        `${part}/widths`,
      );
      dims = builder.tensor('Add', [dims, ownWidth], `${part}/dims`);
    }
    const together = builder.tensor('Reshape', [turned, dims], `${part}/together`);
    return builder.tensor(
      'Slice',
      [together, this.zero, kept, builder.integers(`${part}/axis`, [2])],
      `${part}/joined`,
    );
  }

  #shared(count: string, by: string, part: string): string {
    const add: SuffixBuilder['tensor'] = (...node) => this.around.tensor(...node);
    return add('Div', [add('Sub', [add('Add', [count, by], `${part}/sum`), this.#one], `${part}/rest`), by], part);
  }

  #range(count: string, part: string): string {
    const ends = [this.around.integers(`${part}/first`, 0), count, this.around.integers(`${part}/step`, 1)];
    return this.around.tensor('Range', ends, part);
  }

  #single(tensor: string, part: string): string {
    return this.around.tensor('Reshape', [tensor, this.around.integers(`${part}-dims`, [])], part);
  }
}
