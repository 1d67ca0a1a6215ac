// Sums over the rows of one head's pattern, four cells at a time: `src/engine/profile/patternSums.ts` says what each is, and has the same
// arithmetic, to the bit, in JavaScript. Written in AssemblyScript; `node scripts/assemble.mjs` makes `src/engine/profile/patternSums.wasm` of it.

const ln2: f32 = 0.6931471805599453;
/** The bits of √½. */
const rootOfHalf: i32 = 0x3f3504f3;

/**
 * −w log w of four weights; nothing of those that are not above zero. Of w = 2^e m with m from √½ to √2 the logarithm is
 * e log 2 + 2 artanh t with t = (m − 1) / (m + 1), and artanh t = t + t³/3 + t⁵/5 + …, of which the rest is below 1e-9.
 */
function entropyOf(weights: v128): v128 {
  const one = f32x4.splat(1);
  const exponent = i32x4.shr_s(i32x4.sub(weights, i32x4.splat(rootOfHalf)), 23);
  const mantissa = i32x4.sub(weights, i32x4.shl(exponent, 23));
  const t = f32x4.div(f32x4.sub(mantissa, one), f32x4.add(mantissa, one));
  const square = f32x4.mul(t, t);
  let series = f32x4.splat(<f32>(2.0 / 9.0));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(<f32>(2.0 / 7.0)));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(<f32>(2.0 / 5.0)));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(<f32>(2.0 / 3.0)));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(2));
  const log = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(exponent), f32x4.splat(ln2)), f32x4.mul(t, series));
  return v128.and(f32x4.neg(f32x4.mul(weights, log)), f32x4.gt(weights, f32x4.splat(0)));
}

/** Adds four weights to the four doubles at an address. */
function addTo(sums: usize, weights: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(weights)));
  const last = v128.shuffle<i32>(weights, weights, 2, 3, 2, 3);
  v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(last)), 16);
}

/**
 * Adds rows of f32 weights, of which the first is that of query `first`, to sums in f64; gives whether one is below zero.
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
  let below = i32x4.splat(0);
  for (let row = 0; row < numRows; row++) {
    const query = first + row;
    const end = max(0, min(numKeys, query + ahead));
    const whole = end & ~3;
    const from = rows + ((<usize>(row * numKeys)) << 2);
    const column = columns + <usize>(<i32>load<u8>(classes + query) * stride);
    const lag = lags + ((<usize>(numQueries - 1 - query)) << 3);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (let key = 0; key < end; key += 4) {
      let weights = v128.load(from + ((<usize>key) << 2));
      // What stands behind the last key is another row's.
      if (key === whole) weights = v128.and(weights, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(end - whole)));
      below = v128.or(below, f32x4.lt(weights, f32x4.splat(0)));
      addTo(column + ((<usize>key) << 3), weights);
      addTo(lag + ((<usize>key) << 3), weights);
      const entropy = entropyOf(weights);
      low = f64x2.add(low, f64x2.promote_low_f32x4(entropy));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i32>(entropy, entropy, 2, 3, 2, 3)));
    }
    store<f64>(
      entropies + ((<usize>query) << 3),
      f64x2.extract_lane(low, 0) +
        f64x2.extract_lane(low, 1) +
        (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1)),
    );
  }
  return i32(v128.any_true(below));
}
