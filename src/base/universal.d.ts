// The globals that every host of this code has (Node, browser, worker), so that areas which belong to none of them
// compile without the library of any.

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare const AbortController: { new (): AbortController };
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare const performance: { now(): number };
declare function setTimeout(run: () => void, milliseconds?: number): number;
declare function clearTimeout(handle: number | undefined): void;
declare class Blob {
  constructor(parts: readonly Uint8Array[]);
  stream(): { pipeThrough(transform: CompressionStream): object };
}
declare class CompressionStream {
  constructor(format: 'deflate');
}
declare class Response {
  constructor(body: object);
  arrayBuffer(): Promise<ArrayBuffer>;
}
declare const crypto: {
  readonly subtle: { digest(name: 'SHA-256', bytes: Uint8Array): Promise<ArrayBuffer> };
};
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    readonly exports: object;
    constructor(module: Module);
  }
}
