import { expect } from 'chai';
import { MemoryPlan } from '../../../src/engine/memoryPlan';
import { exclusively } from '../../../src/engine/runLock';
import { roundingError } from '../../../src/engine/roundedLayer';
import { analyzeModel } from '../../../src/onnx/analyzeModel';
import { readModel } from '../../../src/onnx/readModel';
import { readFixture } from '../../harness/fixtures';

describe('what a run will take', () => {
  const planOf = async (name: string, limits: { wholeAttentionBytes: number; engineBytes: number }): Promise<MemoryPlan> => {
    const { index, sites } = analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), 'model.onnx'));
    return new MemoryPlan(index, sites, 1e6, limits);
  };

  it('decides how attention is held, and where a text is cut', async () => {
    const bytesOfWeights = 3 * 4 * 4 * 100 ** 2;
    const plan = await planOf('gpt2.sdpa.legacy.merged', { wholeAttentionBytes: bytesOfWeights, engineBytes: 2 ** 32 });
    expect([100, 101].map((length) => plan.isLean(length))).to.deep.equal([false, true]);
    const needed = plan.leanBytes(3000);
    expect(needed).to.be.above(plan.leanBytes(2999));
    const exact = await planOf('gpt2.sdpa.legacy.merged', { wholeAttentionBytes: bytesOfWeights, engineBytes: needed });
    expect(exact.mostPositions).to.equal(3000);
    const rounded = await planOf('llama.sdpa.op23', { wholeAttentionBytes: 0, engineBytes: 2 ** 32 });
    expect([...rounded.plans.values()].map(({ held }) => held)).to.include('rounded').and.not.to.include('recomputed');
    expect(rounded.leanBytes(8000) / rounded.leanBytes(4000)).to.be.within(3, 4);
  });

  it('bounds what rounding does to a weight', () => {
    for (let largest = 0; largest <= 255; largest += 5) {
      const bound = roundingError(largest);
      let worst = 0;
      // Every weight whose byte is at most the largest, in fine steps.
      for (let i = 0; i <= 1e4; i++) {
        const weight = (Math.min(1, (largest + 0.499999) / 255) * (i / 1e4)) ** 2;
        worst = Math.max(worst, Math.abs((Math.round(Math.sqrt(weight) * 255) / 255) ** 2 - weight));
      }
      expect(worst).to.be.within(largest === 0 ? 0 : bound * 0.9, bound);
    }
  });

  it('lets the calls of one runtime follow one another, also after one that fails', async () => {
    const runtime = {};
    const done: string[] = [];
    const work = (name: string, milliseconds: number) => exclusively(runtime, async () => {
      done.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      done.push(`${name} ends`);
      if (name === 'b') throw new Error(name);
    });
    const results = await Promise.allSettled([work('a', 5), work('b', 1), work('c', 0)]);
    expect(done).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
  });
});
