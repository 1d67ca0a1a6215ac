import type { ErrorCode } from '../../base/errors';
import type { Backend } from '../../model/modelInfo';
import type { RewriteOptions } from '../../onnx/rewrite/rewriteModel';
import { isWrongOnWebGpu } from '../../onnx/rewrite/webGpuNodes';

/** What a build of the runtime is like: all that anything here depends on. Its backends are its execution providers. */
export interface RuntimeBuild {
  readonly name: 'native' | 'web';
  /** The backend that computes on the processor. */
  readonly processor: Backend;
  /** Whether it maps weights from their files by itself, as long as none are handed to it, so that sessions hold no copy of them. */
  readonly mapsFiles: boolean;
  /** Bytes of the memory that all its sessions share; Infinity where they have that of the process. */
  readonly heapBytes: number;
  /** Whether each session has threads of its own, as many as its options say; else all share those of the build. */
  readonly hasOwnThreads: boolean;
  /** Whether it adds products of bytes in 16 bits on processors without instructions for it; see `addsBytesExactly`. */
  readonly maySaturate: boolean;
  /** Whether it hands out its graphics device, which tells when it is lost. */
  readonly showsDevice: boolean;
}

/** The builds of the runtime: for Node, and of WebAssembly, which the one with WebGPU is too. */
export const runtimeBuilds: Readonly<Record<RuntimeBuild['name'], RuntimeBuild>> = {
  native: {
    name: 'native',
    processor: 'native',
    mapsFiles: true,
    heapBytes: Infinity,
    hasOwnThreads: true,
    maySaturate: true,
    showsDevice: false,
  },
  web: {
    name: 'web',
    processor: 'wasm',
    mapsFiles: false,
    heapBytes: 2 ** 32,
    hasOwnThreads: false,
    maySaturate: false,
    showsDevice: true,
  },
};

/** What a backend is like: all that anything here depends on. */
export interface BackendTraits {
  /** What it is called in sentences. */
  readonly title: string;
  /** The runtime's own name of it. */
  readonly provider: string;
  /** Whether it is tried where nothing is asked for; the first that starts is taken. */
  readonly isUsual: boolean;
  /** What is tried where it was asked for and cannot be had, in order; what comes last is always there. */
  readonly instead: readonly Backend[];
  /** Errors of loading or running a model that another backend may not have: what is too much for a graphics device, or not accurate enough on it, the processor may still do. */
  readonly mayNotFailElsewhere: readonly ErrorCode[];
  /**
   * Whether it computes on a device with a memory of its own. Then what passes between sessions leaves the device each time, which is lost
   * with all sessions on it, is let go with the last of them, and computes in its own way, so that what is proven on one says nothing of another;
   * what is small, or must be sure, is done on the processor.
   */
  readonly isOnDevice: boolean;
  /** Whether it can write weights straight into arrays of ours; see `PlacedOutputs`. */
  readonly fillsArrays: boolean;
  /** Bytes of weights up to which they are packed anew for speed, which holds them twice for a while. */
  readonly mostPackedBytes: number;
  /** Whether a node is refused when it runs, or computed wrongly, and so must run on the processor; undefined where none is. */
  readonly needsCpu: RewriteOptions['needsCpu'];
}

/** The backends. WebGPU is only taken where it is asked for: on a real graphics processor its worth was never measured, and a software one is far slower than the processor by itself. */
export const backendTraits: Readonly<Record<Backend, BackendTraits>> = {
  native: {
    title: 'The native runtime',
    provider: 'cpu',
    isUsual: true,
    instead: ['wasm'],
    mayNotFailElsewhere: ['runtimeFailed'],
    isOnDevice: false,
    fillsArrays: true,
    mostPackedBytes: 6e8,
    needsCpu: undefined,
  },
  webgpu: {
    title: 'WebGPU',
    provider: 'webgpu',
    isUsual: false,
    instead: ['native', 'wasm'],
    mayNotFailElsewhere: ['runtimeFailed', 'outOfMemory', 'checksFailed'],
    isOnDevice: true,
    fillsArrays: false,
    mostPackedBytes: 4e8,
    needsCpu: isWrongOnWebGpu,
  },
  wasm: {
    title: 'WebAssembly',
    provider: 'wasm',
    isUsual: true,
    instead: [],
    mayNotFailElsewhere: [],
    isOnDevice: false,
    fillsArrays: false,
    mostPackedBytes: 4e8,
    needsCpu: undefined,
  },
};

/** The backend that computes the same on every machine, and that every package carries. */
export const portableBackend: Backend = 'wasm';

/** How a build makes sessions that compute on the processor. */
export function onProcessor({ processor }: RuntimeBuild): { readonly executionProviders: readonly string[] } {
  return { executionProviders: [backendTraits[processor].provider] };
}
