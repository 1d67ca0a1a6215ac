// Makes broken model files from sound ones, the same ones for the same seed.

/** A generator of numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Values that lengths and tags break on. */
const interesting = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x3a, 0x42];

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A copy of a file with a few bytes changed, removed, doubled or cut off. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const pick = (count: number): number => Math.floor(random() * count);
  let result = bytes.slice();
  for (let i = pick(8); i >= 0 && result.length > 0; i--) {
    const at = pick(result.length);
    const length = 1 + pick(Math.min(64, result.length - at));
    switch (pick(7)) {
      case 0:
        result[at] = pick(256);
        break;
      case 1:
        result[at] ^= 1 << pick(8);
        break;
      case 2:
        result[at] = interesting[pick(interesting.length)];
        break;
      case 3: // a length of nine or ten bytes
        result.fill(0xff, at, Math.min(result.length, at + 9));
        break;
      case 4:
        result = join([result.subarray(0, at), result.subarray(at + length)]);
        break;
      case 5: {
        const piece = result.subarray(at, at + length);
        result = join([result.subarray(0, at), piece, piece, result.subarray(at + length)]);
        break;
      }
      default:
        if (random() < 0.2) result = result.slice(0, at);
        else result.copyWithin(at, pick(result.length), Math.min(result.length, at + length));
    }
  }
  return result;
}
