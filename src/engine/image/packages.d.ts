// What packages without types of their own offer.

declare module '*.wasm' {
  /** The file's bytes, put into the bundle. */
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes; // eslint-disable-line no-restricted-syntax -- this is how the bundler hands a file over
}

declare module '@jsquash/jpeg/codec/dec/mozjpeg_dec.js' {
  /** A codec that was started. */
  export interface Codec {
    /** Null where it cannot decode it; the pixels are RGBA. */
    decode(
      bytes: Uint8Array,
      keepsOrientation: boolean,
    ): { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray } | null;
  }
  const start: (options: object) => Promise<Codec>;
  export default start; // eslint-disable-line no-restricted-syntax -- this is how the package hands it over
}

declare module '@jsquash/webp/codec/dec/webp_dec.js' {
  interface Codec {
    decode(
      bytes: Uint8Array,
    ): { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray } | null;
  }
  const start: (options: object) => Promise<Codec>;
  export default start; // eslint-disable-line no-restricted-syntax -- this is how the package hands it over
}
