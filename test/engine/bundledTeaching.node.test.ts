import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtime } from '../../src/engine/runtime/runtime';

// The bundled models that are worked out by hand, on their samples: the numbers of the teaching texts.
const runtime = Promise.resolve({ runtime: new Runtime(ort, 1), reason: '' });

/** The weights of a model's one head on a text, row by row. */
async function weightsOf(name: string, text: string): Promise<number[][]> {
  const model = await LoadedModel.load(runtime, nodeFileAccess, {
    path: `${process.cwd()}/media/models/${name}`,
    backend: 'wasm',
    threads: 1,
  });
  const { streams, layers, components } = await model.explain({ text, tokenLimit: 0 });
  await model.release();
  expect(components.map(({ component, isCausal }) => [component, isCausal])).to.deep.equal([['self', false]]);
  expect(layers.map(({ numHeads }) => numHeads)).to.deep.equal([1]);
  expect(streams[0].tokens.map(({ piece }) => piece)).to.deep.equal(text.split(' '));
  const [{ numQueries, numKeys }] = layers;
  const weights = await layers[0].rows(0, 0, numQueries);
  return Array.from({ length: numQueries }, (_, row) => [...weights.subarray(row * numKeys, (row + 1) * numKeys)]);
}

/** Softmax of each row, in double precision. */
const softmax = (scores: readonly (readonly number[])[]): number[][] =>
  scores.map((row) => {
    const powers = row.map((score) => Math.exp(score - Math.max(...row)));
    return powers.map((power) => power / powers.reduce((sum, each) => sum + each, 0));
  });

const expectRows = (rows: readonly number[][], expected: readonly number[][], tolerance: number): void => {
  expect(rows.length).to.equal(expected.length);
  rows.forEach((row, i) => row.forEach((weight, j) => expect(weight).to.be.closeTo(expected[i][j], tolerance)));
};

describe('bundled models that are worked out by hand', () => {
  it('have the true softmax of 2, 4, 4; 4, 16, 12; and 4, 12, 10', async () => {
    const rows = await weightsOf('worked-example', 'x1 x2 x3');
    expectRows(
      rows,
      softmax([
        [2, 4, 4],
        [4, 16, 12],
        [4, 12, 10],
      ]),
      1e-6,
    );
    expect(rows[0].map((weight) => weight.toFixed(3))).to.deep.equal(['0.063', '0.468', '0.468']);
  });

  it('have 112 and 96, divided by 8, and 0.88 and 0.12', async () => {
    const rows = await weightsOf('thinking-machines', 'Thinking Machines');
    expectRows(
      rows,
      softmax([
        [112 / 8, 96 / 8],
        [88 / 8, 104 / 8],
      ]),
      1e-6,
    );
    expect(rows[0].map((weight) => weight.toFixed(2))).to.deep.equal(['0.88', '0.12']);
  });
});
