import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

// Models of test/fixtures/linear (scripts/fixtures/linear.py): the notations in which published code writes linear attention.
const divided = [
  'einsum_order',
  'scaled_values',
  'ellipsis',
  'flat_heads',
  'mean_of_keys',
  'divided',
  'ones_beside_values',
];
const undivided = ['not_divided', 'softmaxed', 'other_divisor'];
const without = ['scores_first', 'causal'];

describe('linear attention', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  const open = async (name: string) => {
    const expected = readSafetensors(await readFixture(`linear/${name}/expected.safetensors`), 'expected.safetensors');
    const files = await readModelFiles(fixtureAccess, `linear/${name}/model.onnx`, () => false);
    return { expected, files };
  };

  for (const exporter of ['legacy', 'dynamo']) {
    for (const form of [...divided, ...undivided]) {
      it(`is derived as PyTorch computes it: ${form}, ${exporter}`, async () => {
        const { expected, files } = await open(`${form}.${exporter}`);
        const session = await AttentionSession.create({ ort, files, wantOutputs: true });
        const { layers, failed, outputs } = await session.run(toModelInputs(files.analysis.index, expected));
        await session.release();
        expect(failed).to.deep.equal([]);
        expect(
          layers.map((layer) => [layer.component, layer.batch, layer.numHeads, layer.numQueries, layer.numKeys]),
        ).to.deep.equal([['self', 1, 2, 9, 9]]);
        const [site] = files.analysis.sites;
        expect(site).to.include({
          method: 'derived',
          normalizer: 'linear',
          rowSum: divided.includes(form) ? 'one' : 'any',
        });
        expect(site.notes.some((note) => note.includes('something else than their sums'))).to.equal(
          form === 'other_divisor',
        );
        const floats = (name: string): Float32Array =>
          new Float32Array((expected.get(name)?.data ?? new Uint8Array()).slice().buffer);
        expect(largestDifference(layers[0].weights, floats('pattern'))).to.be.at.most(2e-6);
        const [output] = outputs.values();
        expect(largestDifference(output.data as Float32Array, floats('output'))).to.be.at.most(2e-5); // the models' outputs are floats
        if (divided.includes(form)) for (const sum of rowSums(layers[0].weights, 9)) expect(sum).to.be.closeTo(1, 1e-5);
      });
    }

    for (const form of without) {
      it(`is not taken for what it is not: ${form}, ${exporter}`, async () => {
        const { files } = await open(`${form}.${exporter}`);
        expect(files.analysis.sites).to.deep.equal([]);
      });
    }
  }

  for (const [name, tolerance] of [
    ['divided.int8', 2e-3],
    ['mean_of_keys.qdq', 3e-2],
    ['flat_heads.fp16', 1e-3],
    ['ones_beside_values.optimised', 2e-6],
  ] as const) {
    it(`is derived from quantised, halved and optimised files: ${name}`, async () => {
      const { expected, files } = await open(name);
      const session = await AttentionSession.create({ ort, files });
      const { layers, failed } = await session.run(toModelInputs(files.analysis.index, expected));
      await session.release();
      expect(failed).to.deep.equal([]);
      expect(layers.map((layer) => [layer.numHeads, layer.numQueries, layer.numKeys, layer.rowSum])).to.deep.equal([
        [2, 9, 9, 'one'],
      ]);
      expect(
        largestDifference(
          layers[0].weights,
          new Float32Array((expected.get('pattern')?.data ?? new Uint8Array()).slice().buffer),
        ),
      ).to.be.at.most(tolerance);
    });
  }

  it('says why scores without a normaliser are not drawn', async () => {
    const { files } = await open('scores_first.legacy');
    expect(files.analysis.missed.map((missed) => missed.reason)).to.deep.equal([
      'scores weight values without any normalisation between',
    ]);
  });
});

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((largest, value, i) => Math.max(largest, Number.isNaN(value) ? Infinity : Math.abs(value - b[i])), 0);
}

function rowSums(weights: Float32Array, numKeys: number): number[] {
  return Array.from({ length: weights.length / numKeys }, (_, row) =>
    weights.subarray(row * numKeys, (row + 1) * numKeys).reduce((sum, value) => sum + value, 0),
  );
}
