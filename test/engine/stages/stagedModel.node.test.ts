import { expect } from 'chai';
import * as web from 'onnxruntime-web';
import { LoadedModel } from '../../../src/engine/serve/loadedModel';
import { backendTraits } from '../../../src/engine/runtime/backends';
import { loadOnBackend } from '../../../src/engine/runtime/loadOnBackend';
import { nodeFileAccess } from '../../../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../../../src/engine/runtime/runtimes';
import { planStages, type Staging } from '../../../src/engine/session/staging';
import { readModel } from '../../../src/onnx/file/readModel';
import { GraphIndex } from '../../../src/onnx/graph/graphIndex';
import { plainAttention, smallModel } from '../../unit/onnx/smallModel';
import type { Progress } from '../../../src/protocol';
import type { Explanation } from '../../../src/engine/text/textModel';

describe('a loaded model that is run in stages', function () {
  this.timeout(60_000);
  const load = (staging: Staging, path = 'media/models/code-decoder'): Promise<LoadedModel> =>
    loadOnBackend(new Runtimes({ wasm: () => Promise.resolve(web) }, 1), { backend: 'wasm', threads: 1 }, (choosing) =>
      LoadedModel.load(
        choosing,
        nodeFileAccess,
        { path, backend: 'wasm', threads: 1 },
        {
          staging,
        },
      ),
    );
  const weightsOf = async ({ layers }: Explanation): Promise<number[][]> =>
    Promise.all(layers.map(async (layer) => [...(await layer.rows(0, 0, layer.numQueries))]));

  it('reads as the whole one does, also a text that is edited, tells how far it is, and ends between layers', async () => {
    const [whole, staged] = [await load('none'), await load('all')];
    const text = 'def add(a, b):\n    return a + b\n';
    const fractions: (number | undefined)[] = [];
    const steps = {
      onProgress: ({ stage, fraction }: { readonly stage: string; readonly fraction?: number }) => {
        if (stage === 'run') fractions.push(fraction);
      },
      turn: () => Promise.resolve(),
    };
    const expected = await whole.explain({ text, tokenLimit: 0 });
    const own = await staged.explain({ text, tokenLimit: 0 }, steps);
    expect(await weightsOf(own)).to.deep.equal(await weightsOf(expected));
    const numLayers = expected.layers.length;
    expect(fractions).to.deep.equal([undefined, ...Array.from({ length: numLayers }, (_, i) => i / numLayers)]);
    expect(staged.report().markdown).to.match(/Run in \d stages, one after another/);
    let numTurns = 0;
    const ending = {
      ...steps,
      turn: () => (++numTurns > 2 ? Promise.reject(new Error('no longer wanted')) : Promise.resolve()),
    };
    const ended = await staged.explain({ text, tokenLimit: 0 }, ending).catch((error: unknown) => error);
    expect(ended).to.have.property('message', 'no longer wanted');
    for (const edited of [text, `${text}\nadd(1, 2)`, `${text}\nadd(1, 23)`]) {
      const live = { text: edited, tokenLimit: 0, isLive: true };
      const [a, b] = [await whole.explain(live), await staged.explain(live)];
      expect(b.numReused).to.equal(a.numReused);
      expect(await weightsOf(b)).to.deep.equal(await weightsOf(a));
    }
    await whole.release();
    await staged.release();
  });

  it('reads the source of an encoder and a decoder in two files so', async () => {
    const [whole, staged] = [
      await load('none', 'test/fixtures/seq2seq/t5.split'),
      await load('all', 'test/fixtures/seq2seq/t5.split'),
    ];
    const reading = { text: 'the 3rd of May 1979', tokenLimit: 0 };
    const told: string[] = [];
    const steps = {
      onProgress: ({ stage, layers }: Progress) => {
        if (stage === 'run' && layers !== undefined) told.push(`${layers.done} of ${layers.of}`);
      },
      turn: () => Promise.resolve(),
    };
    const [expected, own] = [await whole.explain(reading), await staged.explain(reading, steps)];
    expect(own.streams).to.deep.equal(expected.streams);
    expect(staged.report().markdown)
      .to.match(/Run in \d stages, one after another/)
      .and.include('Run as a whole, not layer by layer: it writes a text of its own');
    expect(await weightsOf(own)).to.deep.equal(await weightsOf(expected));
    const numLayers = expected.components[0].layers.length;
    expect(told.slice(0, numLayers)).to.deep.equal(Array.from({ length: numLayers }, (_, i) => `${i} of ${numLayers}`));
    const ended = await staged
      .explain(reading, {
        ...steps,
        turn: () => (told.length > numLayers + 1 ? Promise.reject(new Error('enough')) : Promise.resolve()),
      })
      .catch((error: unknown) => error);
    expect(ended).to.have.property('message', 'enough');
    await whole.release();
    await staged.release();
  });

  it('says why it is run as a whole where it could have been run in stages', async () => {
    const small = await load('large');
    expect(small.report().markdown).to.include('Run as a whole, not layer by layer: it has less than 16 MB of weights');
    await small.release();
    const index = new GraphIndex(readModel(smallModel(plainAttention), 'model.onnx'));
    expect(planStages({ traits: backendTraits.webgpu }, index, 'large').whyWhole).to.match(/^on WebGPU /);
  });
});
