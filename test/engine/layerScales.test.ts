import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { RecomputedRows } from '../../src/engine/long/recomputedRows';
import { ScoreSessions } from '../../src/engine/long/scoreSessions';
import { runtimeBuilds } from '../../src/engine/runtime/backends';
import { fromTensor, type OutputTensor } from '../../src/engine/runtime/feeds';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { portable } from '../../src/engine/session/sessionPlan';
import { SiteParts } from '../../src/engine/session/siteParts';
import type { ModelInput } from '../../src/onnx/inputs/inputs';
import { findScoreGraph } from '../../src/onnx/rewrite/scoreGraph';
import { node, smallModel } from '../unit/onnx/smallModel';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const n = 5;
const width = 4;
/** GPT-2's scale_attn_by_inverse_layer_idx divides the scores of layer l by l + 1, beside the root of the width. */
const scales = [0.5, 0.25];

const input = (name: string, dims: readonly number[], seed: number): ModelInput => ({
  name,
  type: 'float32',
  dims,
  data: Float32Array.from({ length: n * width }, (_, i) => 2 * Math.sin(seed + 1.3 * i)),
});
const inputs = [input('q', [1, 1, n, width], 1), input('kt', [1, 1, width, n], 2), input('v', [1, 1, n, width], 3)];

/** [rows, inner] × [inner, columns] of single precision. */
function product(left: ArrayLike<number>, right: ArrayLike<number>, inner: number, columns: number): number[] {
  return Array.from({ length: (left.length / inner) * columns }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < inner; i++)
      sum += left[Math.floor(at / columns) * inner + i] * right[i * columns + (at % columns)];
    return sum;
  });
}

function softmax(scores: readonly number[]): number[] {
  return scores.flatMap((_, at) => {
    if (at % n !== 0) return [];
    const exponentials = scores.slice(at, at + n).map(Math.exp);
    const sum = exponentials.reduce((total, each) => total + each, 0);
    return exponentials.map((each) => each / sum);
  });
}

describe('layers whose scales differ', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  it('each have their own: in scores, in weights, and in rows that are computed again', async () => {
    const layer = (number: number, queries: string) => [
      node('Mul', ['kt', 'one'], [`keys${number}`]),
      node('MatMul', [queries, `keys${number}`], [`s${number}`]),
      node('Mul', [`s${number}`, `scale${number}`], [`m${number}`]),
      node('Softmax', [`m${number}`], [`p${number}`], { axis: { integer: -1 } }),
      node('MatMul', [`p${number}`, 'v'], [`y${number}`]),
    ];
    const model = smallModel({
      nodes: [node('Mul', ['q', 'one'], ['queries']), ...layer(0, 'queries'), ...layer(1, 'y0')],
      inputs: { q: [1, 1, 'n', width], kt: [1, 1, width, 'n'], v: [1, 1, 'n', width] },
      outputs: ['y1'],
      weights: Object.fromEntries(
        [1, ...scales].map((scale, i) => [i === 0 ? 'one' : `scale${i - 1}`, { dims: [1], values: [scale] }]),
      ),
    });
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': model }), 'm/model.onnx');
    const [q, kt, v] = inputs.map(({ data }) => data as Float32Array); // as made above
    let queries: ArrayLike<number> = q;
    const wanted = scales.map((scale) => {
      const scores = product(queries, kt, width, n).map((score) => score * scale);
      const weights = softmax(scores);
      queries = product(weights, v, n, width);
      return { scores, weights };
    });

    const parts = new SiteParts({ ort, files, build: runtimeBuilds.web }, ['scores']);
    const session = await AttentionSession.create({ ort, files, extras: parts.extras });
    const { layers, extras } = await session.run(inputs);
    const read = await parts.read(layers, extras ?? new Map(), false);
    await session.release();
    expect(layers).to.have.length(2);
    for (const [i, each] of layers.entries()) {
      const scores = read.get(each)?.parts.get('scores');
      if (scores === undefined || typeof scores === 'string') throw new Error(scores);
      wanted[i].scores.forEach((score, at) => expect(scores.data[at], `scores ${i} ${at}`).to.be.closeTo(score, 1e-5));
      wanted[i].weights.forEach((weight, at) => expect(each.weights[at], `${i} ${at}`).to.be.closeTo(weight, 1e-6));
    }

    const { index, sites } = files.analysis;
    const sessions = new ScoreSessions(ort, portable);
    for (const [i, site] of sites.entries()) {
      const graph = findScoreGraph(index, site);
      if (typeof graph === 'string') throw new Error(graph);
      const names = [graph.queries, graph.keys, ...graph.boundaries.map(({ tensor }) => tensor)];
      const tapped = await AttentionSession.create({
        ort,
        files,
        taps: {
          tap: (own, weights) => ({
            outputs: own === site ? [weights, ...names] : [weights],
            nodes: [],
            initializers: [],
            valueInfos: [],
          }),
        },
      });
      const results = await tapped.fetch(inputs, names, {});
      await tapped.release();
      const tensors = new Map(
        Object.entries(results).flatMap(([key, tensor]): [string, OutputTensor][] =>
          tensor === undefined ? [] : [[key, fromTensor(tensor)]],
        ),
      );
      const rows = await new RecomputedRows(sessions, index, graph, tensors).rows(0, 0, n);
      wanted[i].weights.forEach((weight, at) => expect(rows[at], `again ${i} ${at}`).to.be.closeTo(weight, 1e-6));
    }
    await sessions.letGo();
  });
});
