import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { WholeLayer } from '../../src/engine/weights/heldLayer';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtime } from '../../src/engine/runtime/runtime';
import { codeOf } from '../harness/codeOf';
import { readFixtureText } from '../harness/fixtures';

describe('a text in live mode', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const load = (name: string): Promise<LoadedModel> =>
    LoadedModel.load({ runtime, reason: '' }, nodeFileAccess, {
      path: `media/models/${name}`,
      backend: 'wasm',
      threads: 1,
    });

  it('is read by code-decoder from where it changed, with the attention of a whole run', async () => {
    const model = await load('code-decoder');
    const text = (await readFixtureText('code/heldOut.py.txt')).slice(0, 500);
    const states = [
      text,
      `${text}x`,
      `${text}x = fib(3)\n`,
      `${text.slice(0, 300)}# in the middle\n${text.slice(300)}`,
      text.slice(0, 200),
    ];
    const reused: number[] = [];
    for (const state of states) {
      const live = await model.explain({ text: state, tokenLimit: 0, isLive: true });
      reused.push(live.numReused ?? 0);
      const whole = await open(state);
      expect(live.streams).to.deep.equal(whole.streams);
      expect(live.components).to.deep.equal(whole.components);
      live.layers.forEach((layer, i) => {
        const other = whole.layers[i];
        if (!(layer instanceof WholeLayer) || !(other instanceof WholeLayer)) throw new Error('not held whole');
        const largest = layer.weights.reduce(
          (most, weight, cell) => Math.max(most, Math.abs(weight - other.weights[cell])),
          0,
        );
        expect(largest).to.be.below(1e-5);
      });
    }
    expect(reused[0]).to.equal(0);
    for (const count of reused.slice(1)) expect(count).to.be.greaterThan(50);
    await model.release();
    await other?.release();
  });

  let other: LoadedModel | undefined;
  /** By a model of its own, which keeps nothing. */
  async function open(text: string) {
    other ??= await load('code-decoder');
    return other.explain({ text, tokenLimit: 0 });
  }

  it('is refused by a model that writes one itself', async () => {
    const model = await load('date-seq2seq');
    expect(await codeOf(model.explain({ text: '3 May 2021', tokenLimit: 0, isLive: true }))).to.equal('liveWrites');
    // Nor does it take a selection with the text around it.
    expect(await codeOf(model.explain({ text: '3 May 2021', tokenLimit: 0, isInContext: true }))).to.equal(
      'contextNotRead',
    );
    await model.release();
  });
});
