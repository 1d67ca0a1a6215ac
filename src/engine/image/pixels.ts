/** An opaque pixel as the four bytes of a raster, in one number; every host of this code is little-endian. */
export function pixelOf(red: number, green: number, blue: number): number {
  return (red | (green << 8) | (blue << 16) | 0xff000000) >>> 0;
}

/** The colours of a table of three bytes each. */
export function paletteOf(bytes: Uint8Array): Uint32Array {
  return Uint32Array.from({ length: Math.floor(bytes.length / 3) }, (_, i) =>
    pixelOf(bytes[i * 3], bytes[i * 3 + 1], bytes[i * 3 + 2]),
  );
}
