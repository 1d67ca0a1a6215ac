const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);
/** The bits of 0.5, whose last place is 2^−24, the smallest number of half precision. */
const halfBits = 0x3f000000;

/** Numbers in half precision (IEEE 754 binary16), each rounded to the nearest, of two as near to the even one. */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000;
    const size = bits[i] & 0x7fffffff;
    if (size >= 0x47800000) halves[i] = sign | (size > 0x7f800000 ? 0x7e00 : 0x7c00);
    else if (size >= 0x38800000) halves[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    else {
      // The sum is rounded to the places that a subnormal half has.
      scratch[0] = Math.abs(values[i]) + 0.5;
      halves[i] = sign | (scratchBits[0] - halfBits);
    }
  }
  return halves;
}

/** Numbers of half precision as such of single precision, which hold them exactly. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i++) {
    const [exponent, fraction] = [(halves[i] >>> 10) & 31, halves[i] & 1023];
    const size =
      exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25);
    values[i] = halves[i] & 0x8000 ? -size : size;
  }
  return values;
}
