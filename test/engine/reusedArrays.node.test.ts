import { expect } from 'chai';
import * as native from 'onnxruntime-node';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { patternSummer } from '../../src/engine/profile/patternSums';
import { readText, type ReadText } from '../../src/engine/profile/readText';
import { ReusedArrays } from '../../src/engine/runtime/reusedArrays';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { WeightKernel } from '../../src/engine/runtime/weightKernel';
import { CodeParser } from '../../src/engine/syntax/parseCode';
import { syntaxFilesIn } from '../../src/engine/syntax/syntaxFiles.node';

describe('arrays that one run after another writes into', function () {
  this.timeout(60_000);

  it('are made once for runs of all lengths', () => {
    const arrays = new ReusedArrays();
    const first = [arrays.take(6), arrays.take(4)];
    arrays.reuse();
    const second = [arrays.take(5), arrays.take(9)];
    expect(second.map(({ length }) => length)).to.deep.equal([5, 9]);
    expect(second[0].buffer).to.equal(first[0].buffer);
    expect(second[1].buffer).to.not.equal(first[1].buffer);
    expect(arrays.take(1).buffer).to.not.equal(second[0].buffer);
  });

  it('change nothing of what is read of texts, and hold the weights of each', async () => {
    const model = await LoadedModel.load({ runtime: new Runtime(native, 1, 'native'), reason: '' }, nodeFileAccess, {
      path: `${process.cwd()}/media/models/code-decoder`,
      backend: 'native',
      threads: 1,
    });
    const kernel = WeightKernel.create();
    const asked = {
      parser: new CodeParser(syntaxFilesIn('dist')),
      summer: patternSummer(kernel),
      grammar: 'python',
      length: 48,
      overlapLines: 0,
      withTexts: false,
    } as const;
    const texts = [4, 9, 2].map((count) =>
      Array.from({ length: count }, (_, i) => `def f${i}(a, b):\n    return [a, ${i}, b]\n`).join('\n'),
    );
    const taken = new Set<ArrayBufferLike>();
    class Watched extends ReusedArrays {
      override take(length: number): Float32Array {
        const array = super.take(length);
        taken.add(array.buffer);
        return array;
      }
    }
    const reused = new Watched(kernel);
    const read = async (arraysOf: () => ReusedArrays): Promise<ReadText[]> => {
      const found: ReadText[] = [];
      for (const text of texts) found.push(await readText(model, text, { ...asked, arrays: arraysOf() }));
      return found;
    };
    try {
      const [own, shared] = [await read(() => new ReusedArrays()), await read(() => reused)];
      const numChunks = shared.reduce((sum, { chunks }) => sum + chunks.length, 0);
      expect(numChunks).to.be.greaterThan(4);
      shared.forEach(({ components, chunks }, i) => {
        expect(chunks).to.deep.equal(own[i].chunks);
        expect(components).to.deep.equal(own[i].components);
      });
      // Of the first chunk's four layers one array each; those of all others lie in the kernel's memory, which grew where one was longer.
      expect(taken.has(kernel?.buffer ?? new ArrayBuffer(0))).to.equal(true);
      expect(taken.size).to.be.within(5, 12);
    } finally {
      await model.release();
    }
  });
});
