// What takes every weight of a head's pattern into account, four cells at a time. Written in AssemblyScript; `node scripts/assemble.mjs` makes
// `src/engine/runtime/weights.wasm` of it, which `weightKernel.ts` there calls.

// Constants are read from memory: made anew for each four cells they would take longer than what is done with them.
/** Where 1, the coefficients of t⁵, t³ and t, and log 2 are, each four times. */
const numbers = memory.data<f32>(
  [
    1, 1, 1, 1, 0.415177, 0.415177, 0.415177, 0.415177, 0.6664408, 0.6664408, 0.6664408, 0.6664408, 2.0000008,
    2.0000008, 2.0000008, 2.0000008, 0.6931471805599453, 0.6931471805599453, 0.6931471805599453, 0.6931471805599453,
  ],
  16,
);
/** Where the bits of √½ are, four times. */
const rootOfHalf = memory.data<i32>([0x3f3504f3, 0x3f3504f3, 0x3f3504f3, 0x3f3504f3], 16);

/**
 * w log w of four weights; of those below zero any number. Of w = 2^e m with m from √½ to √2 the logarithm is e log 2 + 2 artanh t with
 * t = (m − 1) / (m + 1), and 2 artanh t = 2t + 2t³/3 + 2t⁵/5 + …, whose first three terms are within 5e-8 with coefficients fitted to m.
 */
function weighedLog(weights: v128): v128 {
  const one = v128.load(numbers);
  const exponent = i32x4.shr_s(i32x4.sub(weights, v128.load(rootOfHalf)), 23);
  const mantissa = i32x4.sub(weights, i32x4.shl(exponent, 23));
  const t = f32x4.div(f32x4.sub(mantissa, one), f32x4.add(mantissa, one));
  const square = f32x4.mul(t, t);
  let series = f32x4.add(f32x4.mul(square, v128.load(numbers, 16)), v128.load(numbers, 32));
  series = f32x4.add(f32x4.mul(square, series), v128.load(numbers, 48));
  const log = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(exponent), v128.load(numbers, 64)), f32x4.mul(t, series));
  return f32x4.mul(weights, log);
}

/** Adds four doubles to those at an address. */
function addTo(sums: usize, low: v128, high: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), low));
  v128.store(sums, f64x2.add(v128.load(sums, 16), high), 16);
}

function lastTwo(weights: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(weights, weights, 2, 3, 2, 3));
}

/** Adds four weights to the sums of their columns and of their lags. */
function addFour(weights: v128, column: usize, lag: usize): void {
  const firstTwo = f64x2.promote_low_f32x4(weights);
  const others = lastTwo(weights);
  addTo(column, firstTwo, others);
  addTo(lag, firstTwo, others);
}

/** Four weights from an address on, of which those behind the end of their row are another row's, and nothing here. */
function loadFour(at: usize, key: i32, end: i32): v128 {
  const weights = v128.load(at);
  if (key + 4 <= end) return weights;
  return v128.and(weights, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(end - key)));
}

/**
 * Adds rows of f32 weights, of which the first is that of query `first`, to sums in f64; gives whether one has a sign.
 * @param ahead how many keys more than its own place a query can read; as many as there are keys where it reads both ways.
 * @param classes a byte for each query.
 * @param columns `columns[class * stride + key]`, the stride being the number of keys, made a multiple of four.
 * @param lags `lags[key − query + numQueries − 1]`, and room for three more.
 * @param entropies of each query.
 */
export function addRows(
  rows: usize,
  numRows: i32,
  numKeys: i32,
  numQueries: i32,
  first: i32,
  ahead: i32,
  classes: usize,
  columns: usize,
  lags: usize,
  entropies: usize,
): i32 {
  const stride = ((numKeys + 3) & ~3) << 3;
  let signs = i32x4.splat(0);
  for (let row = 0; row < numRows; row++) {
    const query = first + row;
    const end = max(0, min(numKeys, query + ahead));
    const from = rows + ((<usize>(row * numKeys)) << 2);
    const column = columns + <usize>(<i32>load<u8>(classes + query) * stride);
    const lag = lags + ((<usize>(numQueries - 1 - query)) << 3);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    // The entropies of sixteen cells are added up in f32, and these sums in f64.
    let key = 0;
    for (; key + 16 <= end; key += 16) {
      const at = from + ((<usize>key) << 2);
      const there = (<usize>key) << 3;
      const first = v128.load(at);
      const second = v128.load(at, 16);
      const third = v128.load(at, 32);
      const fourth = v128.load(at, 48);
      signs = v128.or(v128.or(signs, v128.or(first, second)), v128.or(third, fourth));
      addFour(first, column + there, lag + there);
      addFour(second, column + there + 32, lag + there + 32);
      addFour(third, column + there + 64, lag + there + 64);
      addFour(fourth, column + there + 96, lag + there + 96);
      let entropy = f32x4.sub(f32x4.splat(0), weighedLog(first));
      entropy = f32x4.sub(entropy, weighedLog(second));
      entropy = f32x4.sub(entropy, weighedLog(third));
      entropy = f32x4.sub(entropy, weighedLog(fourth));
      low = f64x2.add(low, f64x2.promote_low_f32x4(entropy));
      high = f64x2.add(high, lastTwo(entropy));
    }
    let entropy = f32x4.splat(0);
    for (; key < end; key += 4) {
      const weights = loadFour(from + ((<usize>key) << 2), key, end);
      const there = (<usize>key) << 3;
      signs = v128.or(signs, weights);
      addFour(weights, column + there, lag + there);
      entropy = f32x4.sub(entropy, weighedLog(weights));
    }
    low = f64x2.add(low, f64x2.promote_low_f32x4(entropy));
    high = f64x2.add(high, lastTwo(entropy));
    store<f64>(
      entropies + ((<usize>query) << 3),
      f64x2.extract_lane(low, 0) +
        f64x2.extract_lane(low, 1) +
        (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1)),
    );
  }
  return i32x4.bitmask(signs);
}

/**
 * Adds weights of rows, of which the first cell is `first` and the one behind the last is `end`, to sums in f64: of runs of cells side by side, each of which is
 * three numbers of 32 bits (its first cell, how many there are, which of the sums that of the first cell is), from one run on. Gives the first run that lies behind the rows.
 */
export function addRuns(rows: usize, first: i32, end: i32, runs: usize, from: i32, numRuns: i32, sums: usize): i32 {
  let run = from;
  for (; run < numRuns; run++) {
    const at = runs + <usize>(run * 12);
    const cell = load<i32>(at);
    if (cell >= end) break;
    let sum = sums + ((<usize>load<i32>(at, 8)) << 3);
    let weight = rows + ((<usize>(cell - first)) << 2);
    const stop = weight + ((<usize>load<i32>(at, 4)) << 2);
    for (; weight + 16 <= stop; weight += 16, sum += 32) {
      const weights = v128.load(weight);
      addTo(sum, f64x2.promote_low_f32x4(weights), lastTwo(weights));
    }
    for (; weight < stop; weight += 4, sum += 8) store<f64>(sum, load<f64>(sum) + <f64>load<f32>(weight));
  }
  return run;
}

/** The same of cells one by one, from one of them on: adds their weights to a sum, those of what stands behind each to a second one, and the latter from `least` to a third. */
export function addRepeated(
  rows: usize,
  first: i32,
  end: i32,
  cells: usize,
  from: i32,
  numCells: i32,
  least: f64,
  sums: usize,
): i32 {
  let earlier = load<f64>(sums);
  let followed = load<f64>(sums, 8);
  let firmly = load<f64>(sums, 16);
  let at = from;
  for (; at < numCells; at++) {
    const cell = load<i32>(cells + ((<usize>at) << 2));
    if (cell >= end) break;
    const place = rows + ((<usize>(cell - first)) << 2);
    const weight = <f64>load<f32>(place, 4);
    earlier += <f64>load<f32>(place);
    followed += weight;
    if (weight >= least) firmly += weight;
  }
  store<f64>(sums, earlier);
  store<f64>(sums, followed, 8);
  store<f64>(sums, firmly, 16);
  return at;
}

/**
 * Adds sums of columns up, `columns[class of the query * stride + key]` in f64: over all classes to `all[key]`, and over the keys of each class to
 * `table[class of the query * numClasses + class of the key]`.
 * @param keyClasses a byte for each key.
 */
export function addColumns(
  columns: usize,
  stride: i32,
  numClasses: i32,
  keyClasses: usize,
  numKeys: i32,
  all: usize,
  table: usize,
): void {
  const row = (<usize>stride) << 3;
  const ownRow = (<usize>numClasses) << 3;
  const end = table + <usize>(numClasses * numClasses * 8);
  for (let at = table; at < end; at += 8) store<f64>(at, 0);
  for (let key = 0; key < numKeys; key++) {
    let sum: f64 = 0;
    let column = columns + ((<usize>key) << 3);
    let cell = table + ((<usize>load<u8>(keyClasses + key)) << 3);
    for (let own = 0; own < numClasses; own++, column += row, cell += ownRow) {
      const weight = load<f64>(column);
      sum += weight;
      store<f64>(cell, load<f64>(cell) + weight);
    }
    store<f64>(all + ((<usize>key) << 3), sum);
  }
}

/**
 * Looks at every weight of a pattern. Writes the smallest sum of a row that is not zero and the largest one, as f64, to `sums`, and gives bits: 1 where a
 * sum is no finite number, 2 where a query reads a key more than `ahead` − 1 after its place, 4 where a weight has a sign.
 */
export function scan(rows: usize, numQueries: i32, numKeys: i32, ahead: i32, sums: usize): i32 {
  let smallest = load<f64>(sums);
  let largest = load<f64>(sums + 8);
  let signs = i32x4.splat(0);
  let found = 0;
  for (let query = 0; query < numQueries; query++) {
    const from = rows + ((<usize>(query * numKeys)) << 2);
    const end = max(0, min(numKeys, query + ahead));
    let hidden = i32x4.splat(0);
    let behind = end;
    for (; behind + 16 <= numKeys; behind += 16) {
      const at = from + ((<usize>behind) << 2);
      const first = v128.or(v128.load(at), v128.load(at, 16));
      hidden = v128.or(hidden, v128.or(first, v128.or(v128.load(at, 32), v128.load(at, 48))));
    }
    for (let key = behind; key < numKeys; key += 4)
      hidden = v128.or(hidden, loadFour(from + ((<usize>key) << 2), key, numKeys));
    signs = v128.or(signs, hidden);
    // Beside the sign of -0.
    const isHidden = !v128.any_true(i32x4.shl(hidden, 1));
    if (!isHidden) found |= 2;
    const stop = isHidden ? end : numKeys;
    let first = f64x2.splat(0);
    let second = f64x2.splat(0);
    let third = f64x2.splat(0);
    let fourth = f64x2.splat(0);
    let key = 0;
    // Each sum waits for its own last addition only.
    for (; key + 8 <= stop; key += 8) {
      const at = from + ((<usize>key) << 2);
      const four = v128.load(at);
      const next = v128.load(at, 16);
      signs = v128.or(signs, v128.or(four, next));
      first = f64x2.add(first, f64x2.promote_low_f32x4(four));
      second = f64x2.add(second, lastTwo(four));
      third = f64x2.add(third, f64x2.promote_low_f32x4(next));
      fourth = f64x2.add(fourth, lastTwo(next));
    }
    for (; key < stop; key += 4) {
      const four = loadFour(from + ((<usize>key) << 2), key, stop);
      signs = v128.or(signs, four);
      first = f64x2.add(first, f64x2.promote_low_f32x4(four));
      second = f64x2.add(second, lastTwo(four));
    }
    const both = f64x2.add(f64x2.add(first, second), f64x2.add(third, fourth));
    const sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
    if (!isFinite(sum)) found |= 1;
    if (sum !== 0 && sum < smallest) smallest = sum;
    if (sum > largest) largest = sum;
  }
  store<f64>(sums, smallest);
  store<f64>(sums + 8, largest);
  if (i32x4.bitmask(signs) !== 0) found |= 4;
  return found;
}
