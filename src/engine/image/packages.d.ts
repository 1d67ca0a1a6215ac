// What packages without types of their own offer.

declare module '*.wasm' {
  /** The file's bytes, put into the bundle. */
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes; // eslint-disable-line no-restricted-syntax -- this is how the bundler hands a file over
}

declare module 'omggif' {
  interface GifFrame {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly palette_offset: number | null;
    transparent_index: number | null;
  }
  export class GifReader {
    readonly width: number;
    readonly height: number;
    constructor(bytes: Uint8Array);
    numFrames(): number;
    frameInfo(frame: number): GifFrame;
    decodeAndBlitFrameRGBA(frame: number, pixels: Uint8Array): void;
  }
}
