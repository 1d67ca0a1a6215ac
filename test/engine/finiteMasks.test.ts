import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { AttentionSession, type LayerWeights } from '../../src/engine/session/attentionSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { WholeLayer } from '../../src/engine/weights/heldLayer';
import { rollout } from '../../src/engine/weights/rollout';
import { node, smallModel } from '../unit/onnx/smallModel';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const n = 6;

// Masks are numbers, not −∞: what they leave of the future depends on the scores (METHODS: «a finite mask value can be larger than real scores»).
describe('a causal mask of a finite number', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  /** The layer of a model that adds a mask to its scores, or chooses it in their place, as ONNX Runtime computes it; its scores are around `level`. */
  const read = async (mask: number, level: number, isChosen: boolean): Promise<LayerWeights> => {
    const isLater = (at: number): boolean => at % n > Math.floor(at / n);
    const cells = Array.from({ length: n * n }, (_, at) => at);
    const model = smallModel({
      nodes: [
        node('MatMul', ['q', 'kt'], ['raw']),
        node('Add', ['raw', 'level'], ['s']),
        ...(isChosen
          ? [
              node('Cast', ['later'], ['isLater'], { to: { integer: 9 } }),
              node('Where', ['isLater', 'low', 's'], ['m']),
            ]
          : [node('Add', ['s', 'mask'], ['m'])]),
        node('Softmax', ['m'], ['p'], { axis: { integer: -1 } }),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      inputs: { q: [1, 2, 'n', 4], kt: [1, 2, 4, 'n'], v: [1, 2, 'n', 4] },
      outputs: ['y'],
      weights: {
        level: { dims: [1], values: [level] },
        low: { dims: [1], values: [mask] },
        later: { dims: [1, 1, n, n], values: cells.map((at) => Number(isLater(at))) },
        mask: { dims: [1, 1, n, n], values: cells.map((at) => (isLater(at) ? mask : 0)) },
      },
    });
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': model }), 'm/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const data = (seed: number): Float32Array =>
      Float32Array.from({ length: 2 * n * 4 }, (_, i) => Math.sin(seed + 1.3 * i));
    const { layers } = await session.run([
      { name: 'q', type: 'float32', dims: [1, 2, n, 4], data: data(1) },
      { name: 'kt', type: 'float32', dims: [1, 2, 4, n], data: data(2) },
      { name: 'v', type: 'float32', dims: [1, 2, n, 4], data: data(3) },
    ]);
    await session.release();
    expect(layers).to.have.length(1);
    return layers[0];
  };

  /** What lies on later keys, the sum over the row that has most. */
  const future = ({ weights }: LayerWeights): number =>
    Math.max(
      ...Array.from({ length: 2 * n }, (_, row) =>
        weights.subarray(row * n + (row % n) + 1, (row + 1) * n).reduce((sum, weight) => sum + weight, 0),
      ),
    );

  for (const mask of [-1e4, -1e5, -65504, -3.4028234663852886e38])
    for (const isChosen of [false, true])
      it(`puts nothing in the future where scores are as usual: ${mask.toPrecision(3)}, ${isChosen ? 'chosen' : 'added'}`, async () => {
        const layer = await read(mask, 0, isChosen);
        expect(future(layer)).to.equal(0);
        expect(layer.isCausal).to.equal(true);
      });

  it('that is larger than the real scores lets them read the future: this is drawn, and the head is not called causal', async () => {
    const layer = await read(-1e5, -2e5, true);
    expect(future(layer)).to.be.closeTo(1, 1e-6);
    expect(layer.isCausal).to.equal(false);
    // Added to the scores, the same number still takes the future out.
    expect(future(await read(-1e5, -2e5, false))).to.equal(0);
  });

  it('leaves no key to the baseline of rollout that it was meant to take out: −80 leaves some 10⁻³⁵', async () => {
    const layer = await read(-80, 0, false);
    expect(future(layer)).to.be.greaterThan(0);
    const whole = new WholeLayer('self', {
      numHeads: layer.numHeads,
      numQueries: n,
      numKeys: n,
      weights: layer.weights,
    });
    const [uniform] = await rollout([whole], true);
    const rows = await uniform.rows(0, 0, n);
    for (let query = 0; query < n; query++)
      for (let key = 0; key < n; key++)
        expect(rows[query * n + key], `${query} ${key}`).to.be.closeTo(
          key > query ? 0 : (1 / (query + 1) + Number(key === query)) / 2,
          1e-6,
        );
  });
});
