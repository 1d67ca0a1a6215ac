import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { WholeLayer } from '../../src/engine/weights/heldLayer';
import { usualLimits, type MemoryLimits } from '../../src/engine/long/memoryPlan';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtime } from '../../src/engine/runtime/runtime';
import { readFixtureText } from '../harness/fixtures';

describe('long texts of a bundled model', () => {
  let runtime: Runtime;
  let text: string;
  before(async () => {
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
    text = (await readFixtureText('code/heldOut.py.txt')).slice(0, 400);
  });

  const load = (limits: MemoryLimits): Promise<LoadedModel> =>
    LoadedModel.load(
      { runtime, reason: '' },
      nodeFileAccess,
      { path: 'media/models/code-decoder', backend: 'wasm', threads: 1 },
      { memory: limits },
    );

  it('are recomputed when they are asked for, short ones held, live or not', async () => {
    const model = await load({ ...usualLimits, wholeAttentionBytes: 1e5 });
    const reference = await load(usualLimits);
    for (const [read, held, isLive] of [
      [text, 'recomputed', false],
      [text.slice(0, 40), 'whole', false],
      [text, 'recomputed', true],
      [text.slice(0, 40), 'whole', true],
    ] as const) {
      const { streams, layers, components } = await model.explain({ text: read, tokenLimit: 0, isLive });
      const whole = await reference.explain({ text: read, tokenLimit: 0 });
      expect(streams).to.deep.equal(whole.streams);
      expect(components.flatMap((component) => component.layers.map((layer) => layer.held))).to.deep.equal(
        layers.map(() => held),
      );
      expect(components.map(({ isCausal }) => isCausal)).to.deep.equal(
        whole.components.map(({ isCausal }) => isCausal),
      );
      for (const [i, layer] of layers.entries()) {
        const other = whole.layers[i];
        if (!(other instanceof WholeLayer)) throw new Error('not held whole');
        const { numHeads, numQueries, numKeys } = layer;
        for (let head = 0; head < numHeads; head++) {
          const rows = await layer.rows(head, 0, numQueries);
          const start = head * numQueries * numKeys;
          expect(
            rows.reduce((most, weight, cell) => Math.max(most, Math.abs(weight - other.weights[start + cell])), 0),
          ).to.be.below(1e-5);
        }
        layer.release?.();
      }
    }
    await model.release();
    await reference.release();
  });

  it('are cut only beyond the memory of the engine', async () => {
    const model = await load({ wholeAttentionBytes: 0, engineBytes: 1.8e8 });
    const { streams, notices } = await model.explain({ text: text.repeat(60), tokenLimit: 0 });
    const roomy = await load(usualLimits);
    const { streams: all, notices: others } = await roomy.explain({ text: text.repeat(60), tokenLimit: 0 });
    expect(notices.map(({ code }) => code)).to.deep.equal(['cutToMemory']);
    expect(others.map(({ code }) => code)).to.deep.equal(['cutToContext']);
    expect(streams[0].tokens.length).to.be.below(all[0].tokens.length);
    await model.release();
    await roomy.release();
  });
});
