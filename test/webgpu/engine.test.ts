import { expect } from 'chai';
import 'vscode-jsonrpc/browser';
import { EngineServer } from '../../src/engine/serve/engineServer';
import type { OrtModule } from '../../src/engine/runtime/runtime';
import type { LoadRuntime } from '../../src/engine/runtime/runtimes';
import type { HeadSelection } from '../../src/model/head';
import type { RunInfo } from '../../src/model/modelInfo';
import type { EngineApi, EngineEvents, ModelSpec } from '../../src/protocol';
import { openConnection, type Client, type Connection } from '../../src/rpc/connection';
import { engineMethods } from '../../src/rpc/methods';
import { WorkerChannel } from '../../src/rpc/workerChannel';
import { isNode, loaders, skipWithoutAdapter } from './runtimes';
import { access, specOf } from './zooModels';

describe('An engine with WebGPU', function () {
  this.timeout(120_000);
  let ort: OrtModule | undefined;
  let connection: Connection<EngineApi, object, EngineEvents>;
  let ports: MessageChannel;
  let engine: Client<EngineApi>;

  const start = (runtimes: Readonly<Partial<Record<'webgpu' | 'wasm', LoadRuntime>>>): void => {
    ports = new MessageChannel();
    const [host, window] = [ports.port1, ports.port2].map((port) => {
      port.start();
      return new WorkerChannel(port as ConstructorParameters<typeof WorkerChannel>[0]); // the types of Node's and the browser's ports differ
    });
    new EngineServer({
      channel: host,
      runtimes: () => runtimes,
      access: () => access,
      numProcessors: 1,
      attentionBudgetBytes: 1e8,
      residentBytes: () => 0,
    });
    connection = openConnection<object, EngineApi, object, EngineEvents>(window, engineMethods, {});
    engine = connection.remote;
  };
  const explain = (model: ModelSpec): Promise<RunInfo> => engine.explain({ model, text: 'some text', tokenLimit: 0 });

  before(skipWithoutAdapter);
  beforeEach(() => start({ wasm: loaders.wasm, webgpu: async () => (ort = await loaders.webgpu()) }));
  afterEach(() => {
    connection.dispose();
    ports.port1.close();
    ports.port2.close();
  });

  it('reads a text on it, as WebAssembly does', async () => {
    const run = await explain(specOf('bert.eager.dynamo'));
    expect(run.model.backend).to.equal('webgpu');
    expect(run.model.backendReason).to.match(/^As the settings ask/);
    if (!isNode) expect(run.model.backendReason).to.include('software');
    const selection: HeadSelection = {
      component: run.components[0].component,
      heads: [{ layer: 1, head: 2 }],
      aggregation: 'mean',
    };
    const { weights } = await engine.pattern({ runId: run.runId, selection });
    const other = await explain({ ...specOf('bert.eager.dynamo'), backend: 'wasm' });
    expect(other.model.backend).to.equal('wasm');
    const reference = await engine.pattern({ runId: other.runId, selection });
    weights.forEach((weight, i) => expect(weight).to.be.closeTo(reference.weights[i], 1e-5));
  });

  it('reads a model of 16-bit floats elsewhere where the adapter has none, and says so', async () => {
    const spec = specOf('bert.sdpa.legacy.fp16');
    for (let time = 0; time < 2; time++) {
      const { model } = await explain(spec);
      expect(model.backend).to.equal('wasm');
      expect(model.backendReason).to.match(
        /^WebGPU failed in a run of this model: .*f16.*\. The native runtime is not available: .*\.$/,
      );
    }
    // Others are read on it as before.
    expect((await explain(specOf('bert.eager.dynamo'))).model.backend).to.equal('webgpu');
  });

  // In Node nothing takes the device away.
  if (!isNode)
    it('does a run again elsewhere when the device is lost in it, stays there, and says so', async () => {
      const spec = specOf('distilbert.eager.legacy');
      const lost = new Promise((resolve) => {
        connection.on('progress', ({ stage }) => {
          if (stage !== 'run' || ort === undefined) return;
          const device = ort.env.webgpu.device as unknown as { destroy(): void; readonly lost: Promise<unknown> }; // a GPUDevice from the first session on, and no promise of one, whatever its type says
          device.destroy();
          resolve(device.lost);
        });
      });
      const { model } = await explain(spec);
      await lost;
      for (const { backend, backendReason } of [
        model,
        (await explain(spec)).model,
        (await explain(specOf('bert.eager.dynamo'))).model,
      ]) {
        expect(backend).to.equal('wasm');
        expect(backendReason).to.match(
          /^WebGPU is not available: the graphics device was lost.*\. The native runtime is not available: .*\.$/,
        );
      }
    });
});
