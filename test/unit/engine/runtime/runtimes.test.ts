import { expect } from 'chai';
import { ExplorerError } from '../../../../src/base/errors';
import { loadOnBackend } from '../../../../src/engine/runtime/loadOnBackend';
import type { OrtModule } from '../../../../src/engine/runtime/runtime';
import { Runtimes } from '../../../../src/engine/runtime/runtimes';

/** A build of the runtime that starts and can do nothing, with a graphics device that can be lost. */
function fakeOrt(): { readonly ort: OrtModule; readonly lose: (message: string) => void } {
  let lose: (loss: { readonly message: string }) => void = () => {};
  const lost = new Promise<{ readonly message: string }>((resolve) => (lose = resolve));
  const ort = {
    env: { wasm: {}, webgpu: { device: Promise.resolve({ adapterInfo: { isFallbackAdapter: true }, lost }) } },
    InferenceSession: { create: () => Promise.resolve({ release: () => Promise.resolve() }) },
    Tensor: class {},
  };
  return {
    ort: ort as unknown as OrtModule /* as much of it as starting takes */,
    lose: (message) => lose({ message }),
  };
}

describe('the backends of a host', () => {
  const never = new Promise<never>(() => {});

  it('say that a graphics adapter is a software one', async () => {
    const { ort } = fakeOrt();
    const { runtime, reason } = await new Runtimes({ webgpu: () => Promise.resolve(ort) }, 1).choose('webgpu', 1);
    expect(runtime.isSoftware).to.equal(true);
    expect(reason).to.match(/^As the settings ask; .*software/);
  });

  it('never take WebGPU unless it is asked for', async () => {
    const { ort } = fakeOrt();
    const wasm = fakeOrt().ort;
    const runtimes = new Runtimes({ webgpu: () => Promise.resolve(ort), wasm: () => Promise.resolve(wasm) }, 1);
    expect((await runtimes.choose('auto', 1)).runtime.backend).to.equal('wasm');
  });

  it('end what waits for a lost device, and take the next from then on', async () => {
    const { ort, lose } = fakeOrt();
    const wasm = fakeOrt().ort;
    const runtimes = new Runtimes({ webgpu: () => Promise.resolve(ort), wasm: () => Promise.resolve(wasm) }, 1);
    const { runtime } = await runtimes.choose('webgpu', 1);
    expect(await runtime.unlessLost(() => Promise.resolve(7))).to.equal(7);
    expect(await runtimes.lost('webgpu')).to.equal(undefined);
    const running = runtime
      .unlessLost(() => never)
      .then(
        () => '',
        (error: unknown) => String(error),
      );
    lose('it was unplugged.');
    expect(await running).to.equal('Error: the graphics device was lost (it was unplugged)');
    // The whole build goes with it.
    expect(runtime.onProcessor.lost).to.equal(runtime.lost);
    expect(
      await runtime
        .unlessLost(() => never)
        .then(
          () => '',
          (error: unknown) => String(error),
        ),
    ).to.include('lost');
    expect(await runtimes.lost('webgpu')).to.include('lost');
    const next = await runtimes.choose('webgpu', 1);
    expect(next.runtime.backend).to.equal('wasm');
    expect(next.reason).to.match(
      /^WebGPU is not available: the graphics device was lost \(it was unplugged\)\. The native runtime is not available: .*\.$/,
    );
  });

  it('are gone through in order by a model that one after the other cannot load', async () => {
    const loaders = {
      native: () => Promise.resolve(fakeOrt().ort),
      webgpu: () => Promise.resolve(fakeOrt().ort),
      wasm: () => Promise.resolve(fakeOrt().ort),
    };
    const tried: string[] = [];
    const reason = await loadOnBackend(
      new Runtimes(loaders, 1),
      { backend: 'webgpu', threads: 1 },
      async (choosing) => {
        const chosen = await choosing;
        tried.push(chosen.runtime.backend);
        if (chosen.runtime.backend === 'webgpu') throw new ExplorerError('outOfMemory', ['the model x']);
        if (chosen.runtime.backend === 'native') throw new ExplorerError('runtimeFailed', ['no such operator.']);
        return chosen.reason;
      },
    );
    expect(tried).to.deep.equal(['webgpu', 'native', 'wasm']);
    expect(reason).to.equal(
      'WebGPU cannot load this model: it takes more memory than there is. The native runtime cannot load this model: no such operator.',
    );
  });

  it('are not gone through for what is wrong with the model itself', async () => {
    const loaders = { webgpu: () => Promise.resolve(fakeOrt().ort), wasm: () => Promise.resolve(fakeOrt().ort) };
    const tried: string[] = [];
    const failure = await loadOnBackend(
      new Runtimes(loaders, 1),
      { backend: 'webgpu', threads: 1 },
      async (choosing) => {
        tried.push((await choosing).runtime.backend);
        throw new ExplorerError('modelNoAttention', ['x']);
      },
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.have.property('code', 'modelNoAttention');
    expect(tried).to.deep.equal(['webgpu']);
  });
});
