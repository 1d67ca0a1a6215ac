import { expect } from 'chai';
import { browserEngineLauncher } from '../../src/host/engine/launchEngine.browser';
import type { EngineProcess } from '../../src/host/engine/engineLauncher';
import type { FileKind } from '../../src/model/fileLimits';
import { fetchAsset } from './runtimes';
import { access, specOf } from './zooModels';

describe('The engine of the web, as it ships', function () {
  this.timeout(120_000);
  let engine: EngineProcess;
  let fetched: string[];

  beforeEach(() => {
    fetched = [];
    const readAsset = (name: string): Promise<Uint8Array> => {
      fetched.push(name);
      return fetchAsset(name);
    };
    const files = {
      readFile: async ({ path, kind }: { readonly path: string; readonly kind: FileKind }) => ({
        bytes: await access.read(path, kind),
      }),
      listFolder: async ({ path }: { readonly path: string }) => ({ names: await access.list(path) }),
      statFile: async ({ path }: { readonly path: string }) => ({
        kind: (await access.exists(path)) ? ('file' as const) : ('none' as const),
        size: 0,
      }),
    };
    engine = browserEngineLauncher(readAsset, files, () => undefined).launch();
  });
  afterEach(() => engine.dispose());

  it('reads a text on WebGPU, whose build of the runtime it loads only then', async () => {
    const { remote } = engine.connection;
    const spec = specOf('gpt2.sdpa.legacy');
    const { model } = await remote.explain({ model: { ...spec, backend: 'auto' }, text: 'some text', tokenLimit: 0 });
    // A software adapter is never taken by itself, nor is any other.
    expect(model.backend).to.equal('wasm');
    expect(fetched.sort()).to.deep.equal(['engine.browser.js', 'ort-wasm-simd-threaded.wasm']);
    const run = await remote.explain({ model: spec, text: 'some text', tokenLimit: 0 });
    expect(run.model.backend).to.equal('webgpu');
    expect(run.model.backendReason).to.equal(
      'As the settings ask; the graphics adapter is a software one, which is slower than WebAssembly.',
    );
    expect(fetched).to.include.members(['ort-webgpu.mjs', 'ort-wasm-simd-threaded.asyncify.wasm']);
  });
});
