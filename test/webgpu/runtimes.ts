// The builds of the runtime that tests of WebGPU compare: in Node the native one brings WebGPU, in a browser the product's own way to it.
import { expect } from 'chai';
import { Runtimes, type ChosenRuntime, type LoadRuntime } from '../../src/engine/runtime/runtimes';
import { webGpuRuntime } from '../../src/engine/runtime/webGpuRuntime.browser';
import { importRuntime } from '../engine/ortRuntime';

/** Whether these tests run in Node. */
export const isNode =
  typeof process !== 'undefined' && process.versions?.node !== undefined && typeof document === 'undefined';

/** Skips, so that it shows, where this machine has no software adapter for Node. */
export function skipWithoutAdapter(this: Mocha.Context): void {
  if (isNode && process.env['AE_VULKAN'] !== 'software') this.skip();
}

/** A file of dist/, from the tests' server. */
export async function fetchAsset(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(new URL(`/dist/${name}`, self.location.origin))).arrayBuffer());
}

/** Loaders as the product's entries have them. */
export const loaders: Readonly<Record<'webgpu' | 'wasm', LoadRuntime>> = {
  wasm: importRuntime,
  webgpu: isNode
    ? () => import('onnxruntime-node')
    : webGpuRuntime({
        readAsset: async ({ name }) => ({ bytes: await fetchAsset(name) }),
        readFile: unused,
        listFolder: unused,
        statFile: unused,
      }),
};

function unused(): Promise<never> {
  return Promise.reject(new Error('the runtime reads no model'));
}

/** What is compared, each with one thread; skips where there is no adapter, fails where there is one and it is not chosen. */
export async function bothRuntimes(
  context: Mocha.Context,
): Promise<{ readonly wasm: ChosenRuntime; readonly webgpu: ChosenRuntime }> {
  skipWithoutAdapter.call(context);
  const runtimes = new Runtimes(loaders, 1);
  const wasm = await runtimes.choose('wasm', 1);
  const webgpu = await runtimes.choose('webgpu', 1);
  expect(webgpu.runtime.backend, webgpu.reason).to.equal('webgpu');
  return { wasm, webgpu };
}
