import { expect } from 'chai';
import { maxAttentionBytes } from '../../../../src/engine/session/layerInfo';
import { MemoryPlan, mostKeptBytes, mostThatFit, usualLimits } from '../../../../src/engine/long/memoryPlan';
import { exclusively } from '../../../../src/engine/limits/runLock';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../../src/onnx/file/readModel';
import { codeOfCall } from '../../../harness/codeOf';
import { readFixture } from '../../../harness/fixtures';

describe('what a run will take', () => {
  const planOf = async (
    name: string,
    limits: { wholeAttentionBytes: number; engineBytes: number },
  ): Promise<MemoryPlan> => {
    const analysis = analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), 'model.onnx'));
    return new MemoryPlan(analysis, 1e6, limits);
  };

  it('decides how attention is held, and where a text is cut', async () => {
    const bytesOfWeights = 3 * 4 * 4 * 100 ** 2;
    const plan = await planOf('gpt2.sdpa.legacy.merged', { wholeAttentionBytes: bytesOfWeights, engineBytes: 2 ** 32 });
    expect([100, 101].map((length) => plan.isLean(length))).to.deep.equal([false, true]);
    const needed = plan.leanBytes(3000);
    expect(needed).to.be.above(plan.leanBytes(2999));
    const exact = await planOf('gpt2.sdpa.legacy.merged', { wholeAttentionBytes: bytesOfWeights, engineBytes: needed });
    expect(exact.mostPositions).to.equal(3000);
    const rerun = await planOf('llama.sdpa.op23', { wholeAttentionBytes: 0, engineBytes: 2 ** 32 });
    expect([...rerun.plans.values()].map(({ held }) => held))
      .to.include('rerun')
      .and.not.to.include('recomputed');
    expect(rerun.leanBytes(16_000) / rerun.leanBytes(8000)).to.be.within(3, 4);
    // No more than bytes for all weights were.
    expect(rerun.heldBytes(4000)).to.be.below(3 * 4 * 4000 ** 2 + 16 * 4000 ** 2);
    expect(rerun.heldBytes(100_000)).to.equal(mostKeptBytes);
  });

  it('counts the positions of a decoder by themselves, and what is held for other parts', async () => {
    const cells = (source: number, target: number): number => 4 * 2 * 4 * (source ** 2 + target ** 2 + source * target);
    const plan = await planOf('bart.sdpa.legacy', { wholeAttentionBytes: cells(100, 40), engineBytes: 2 ** 32 });
    expect([plan.isLean(100, 40), plan.isLean(101, 40), plan.isLean(100, 41)]).to.deep.equal([false, true, true]);
    expect(plan.wholeBytes(100, 40)).to.equal(cells(100, 40));
    expect(plan.wholeBytes(101, 40)).to.equal(0);
    expect(plan.heldBytes(1000, 400)).to.be.within(1, cells(1000, 400) / 2);
    const engineBytes = plan.leanBytes(3000, 500) + 1000;
    const exact = await planOf('bart.sdpa.legacy', { wholeAttentionBytes: 0, engineBytes });
    expect(mostThatFit((count) => exact.fits(count, 500, { held: 1000, whole: 0 }))).to.equal(3000);
    expect(mostThatFit((count) => exact.fits(3000, count))).to.equal(500);
    expect(exact.fits(3000, 500, { held: 0, whole: maxAttentionBytes + 1 })).to.equal(false);
  });

  it('counts every item of a batch that the file fixes, and what layers compute beside attention', async () => {
    const analysis = analyzeModel(readModel(await readFixture('zoo/gpt2.sdpa.legacy.merged/model.onnx'), 'model.onnx'));
    const of = (numItems: number): MemoryPlan => new MemoryPlan(analysis, 1e6, usualLimits, { numItems });
    const alone = of(0).runBytes(100);
    expect((of(1000).runBytes(100) - alone) / (of(1).runBytes(100) - alone)).to.be.closeTo(1000, 1e-6);
    // Three layers of four heads, twice, and eight rows of 32 numbers a position.
    expect(of(1).runBytes(100) - alone).to.equal(2 * 3 * 4 * 4 * 100 ** 2 + 4 * 8 * 32 * 100);
    expect(of(10).mostPositions).to.be.below(of(1).mostPositions / 2);
    expect(of(1).mostPositions).to.equal(new MemoryPlan(analysis, 1e6, usualLimits).mostPositions);
    expect(codeOfCall(() => of(1).check('m', { numPositions: 100 }))).to.equal('none');
    expect(codeOfCall(() => of(1).check('m', { numPositions: 2 ** 24 }))).to.equal('modelTooLarge');
    expect(codeOfCall(() => of(1e7).check('m', {}))).to.equal('modelTooLarge');
  });

  it('counts a bias by relative positions for each head', async () => {
    const growth = async (name: string): Promise<number> => {
      const plan = await planOf(name, { wholeAttentionBytes: 0, engineBytes: 2 ** 32 });
      return (plan.heldBytes(20_000, 1) - plan.heldBytes(10_000, 1)) / (4 * (20_000 ** 2 - 10_000 ** 2));
    };
    // A mask of one matrix in both, and biases for four heads.
    expect(await growth('t5.eager.legacy')).to.be.within(5, 5.1);
    expect(await growth('bart.sdpa.legacy')).to.be.within(2, 2.1); // each layer makes it anew
  });

  it('lets the calls of one runtime follow one another, also after one that fails', async () => {
    const runtime = {};
    const done: string[] = [];
    const work = (name: string, milliseconds: number) =>
      exclusively(runtime, async () => {
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
