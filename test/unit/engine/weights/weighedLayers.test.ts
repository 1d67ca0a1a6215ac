import { expect } from 'chai';
import type { Component } from '../../../../src/model/head';
import { readFixture } from '../../../harness/fixtures';
import { arrangeHeads, type HeadRows } from '../../../../src/engine/weights/headTensors';
import { WholeLayer, type HeldLayer } from '../../../../src/engine/weights/heldLayer';
import { rollout } from '../../../../src/engine/weights/rollout';
import {
  lackOf,
  lackOfComponent,
  weighComponent,
  weighLayers,
  type GramReader,
  type LayerWeighing,
} from '../../../../src/engine/weights/weighedLayers';
import { proveWritten } from '../../../../src/engine/weights/writtenProof';

const n = 4;
const numHeads = 2;
const width = 3;
const numOut = 5;

/** Numbers that repeat nothing. */
const some = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i * (1 + (i % 3))));

/** A causal layer whose rows sum to a number. */
function causal(seed: number, heads = numHeads, rowSum = 1): WholeLayer {
  const weights = new Float32Array(heads * n * n);
  for (let row = 0; row < heads * n; row++) {
    const query = row % n;
    let sum = 0;
    for (let key = 0; key <= query; key++)
      sum += weights[row * n + key] = 0.2 + Math.abs(Math.sin(seed + row * 3 + key));
    for (let key = 0; key <= query; key++) weights[row * n + key] *= rowSum / sum;
  }
  return new WholeLayer('self', { numHeads: heads, numQueries: n, numKeys: n, weights });
}

const values: HeadRows = { batch: 1, numHeads, numPositions: n, width, data: some(numHeads * n * width, 1) };
const projection = { numOut, weight: some(numHeads * width * numOut, 2) };

/** What a head writes at a key: v_j W_O, by the definition. */
const writes = (head: number, key: number): number[] =>
  Array.from({ length: numOut }, (_, to) => {
    let sum = 0;
    for (let i = 0; i < width; i++)
      sum += values.data[(head * n + key) * width + i] * projection.weight[(head * width + i) * numOut + to];
    return sum;
  });
const norms = Float32Array.from({ length: numHeads * n }, (_, i) => Math.hypot(...writes(Math.floor(i / n), i % n)));
const grams: GramReader = ([from, to]) =>
  Promise.resolve(
    Float32Array.from({ length: (to - from) * numHeads * numHeads }, (_, i) => {
      const key = from + Math.floor(i / numHeads ** 2);
      const [a, b] = [Math.floor(i / numHeads) % numHeads, i % numHeads].map((head) => writes(head, key));
      return a.reduce((sum, value, to) => sum + value * b[to], 0);
    }),
  );
const weighing: LayerWeighing = { values, norms, difference: 0, grams: () => Promise.resolve(grams), residual: 'none' };
const numbersOf = async (layers: readonly HeldLayer[] | string): Promise<Float32Array> => {
  if (typeof layers === 'string') throw new Error(layers);
  const [layer] = layers;
  const rows: number[] = [];
  for (let head = 0; head < layer.numHeads; head++) rows.push(...(await layer.rows(head, 0, layer.numQueries)));
  return Float32Array.from(rows);
};
const closeTo = (own: Float32Array, wanted: readonly number[]): void => {
  expect(own).to.have.length(wanted.length);
  wanted.forEach((value, i) => expect(own[i], String(i)).to.be.closeTo(value, 1e-5));
};

describe('how layers are weighed', () => {
  it('by norms: each number is the length of what the head writes for one key, rows are not divided by their sums, and what is held stays as it was', async () => {
    const layer = causal(1);
    const before = layer.weights.slice();
    const weighed = await numbersOf(await weighLayers('norm', [layer], [weighing]));
    closeTo(
      weighed,
      [...before].map((share, i) =>
        Math.hypot(...writes(Math.floor(i / (n * n)), i % n).map((number) => share * number)),
      ),
    );
    expect(layer.weights).to.deep.equal(before);
    // A causal row has nothing in the future.
    for (let query = 0; query < n; query++)
      for (let key = query + 1; key < n; key++) expect(weighed[query * n + key]).to.equal(0);
  });

  it('by values: the weight times the value’s length, before any projection', async () => {
    const layer = causal(2);
    const weighed = await numbersOf(await weighLayers('value', [layer], [weighing]));
    closeTo(
      weighed,
      [...layer.weights].map((share, i) => {
        const at = (Math.floor(i / (n * n)) * n + (i % n)) * width;
        return share * Math.hypot(...values.data.subarray(at, at + width));
      }),
    );
  });

  it('summed over heads: the length of the sum, which is not the sum or mean of lengths', async () => {
    const layer = causal(3);
    const weighed = await numbersOf(await weighLayers('summed', [layer], [weighing]));
    const wanted = Array.from({ length: n * n }, (_, i) => {
      const [query, key] = [Math.floor(i / n), i % n];
      return Math.hypot(
        ...writes(0, key).map(
          (own, to) => layer.weights[query * n + key] * own + layer.weights[(n + query) * n + key] * writes(1, key)[to],
        ),
      );
    });
    closeTo(weighed, wanted);
    expect(weighed[n]).to.not.be.closeTo(layer.weights[n] * norms[0] + layer.weights[(n + 1) * n] * norms[n], 1e-3);
  });

  it('is refused where norms are not proven, with the reason', async () => {
    const refused = {
      values,
      norms: 'a gate stands before its projection',
      difference: 0,
      grams: undefined,
      residual: 'none',
    };
    expect(await weighLayers('norm', [causal(1)], [refused])).to.equal('a gate stands before its projection');
    expect(await weighLayers('summed', [causal(1)], [refused])).to.equal('a gate stands before its projection');
    expect(await weighLayers('norm', [causal(1)], [undefined])).to.match(/held whole/);
  });
});

describe('attention rollout', () => {
  const matrix = (layer: HeldLayer): number[][] =>
    Array.from({ length: n }, (_, query) => [
      ...(layer as WholeLayer).weights.subarray(query * n, (query + 1) * n), // rollout is held whole
    ]);
  const mixed = (layer: WholeLayer): number[][] =>
    Array.from({ length: n }, (_, query) => {
      const row = Array.from({ length: n }, (_each, key) => {
        let mean = query === key ? 1 : 0;
        for (let head = 0; head < layer.numHeads; head++)
          mean += layer.weights[(head * n + query) * n + key] / layer.numHeads;
        return mean;
      });
      const sum = row.reduce((total, value) => total + value, 0);
      return row.map((value) => value / sum);
    });
  const times = (left: number[][], right: number[][]): number[][] =>
    left.map((row) => right[0].map((_, key) => row.reduce((sum, value, k) => sum + value * right[k][key], 0)));

  it('multiplies a layer from the left onto those before, each row divided by its own sum', async () => {
    const layers = [causal(1), causal(5), causal(9)];
    const results = await rollout(layers);
    const wanted = times(mixed(layers[2]), times(mixed(layers[1]), mixed(layers[0])));
    matrix(results[2]).forEach((row, query) =>
      row.forEach((value, key) => expect(value).to.be.closeTo(wanted[query][key], 1e-6)),
    );
    const turned = times(mixed(layers[0]), times(mixed(layers[1]), mixed(layers[2])));
    expect(matrix(results[2])[3][0]).to.not.be.closeTo(turned[3][0], 1e-4);
  });

  it('has rows that sum to one also where a sink takes a part of each row, and none in the future', async () => {
    const results = await rollout([causal(1, numHeads, 0.4), causal(2, numHeads, 0.7)]);
    for (const result of results)
      matrix(result).forEach((row, query) => {
        expect(row.reduce((sum, value) => sum + value, 0)).to.be.closeTo(1, 1e-6);
        for (let key = query + 1; key < n; key++) expect(row[key]).to.equal(0);
      });
  });

  it('of uniform attention depends on no weight: of causal layers it drifts to the first token by itself', async () => {
    const [a, b] = [await rollout([causal(1), causal(2)], true), await rollout([causal(7), causal(8)], true)];
    expect(matrix(a[1])).to.deep.equal(matrix(b[1]));
    expect(matrix(a[0])[1]).to.deep.equal([0.25, 0.75, 0, 0]);
    expect(matrix(a[1])[3][0]).to.be.greaterThan(matrix(a[0])[3][0]);
  });

  it('is refused where queries and keys are of different texts', async () => {
    const cross = new WholeLayer('cross', { numHeads: 1, numQueries: 2, numKeys: 3, weights: new Float32Array(6) });
    expect(await weighLayers('rollout', [cross], [undefined])).to.match(/different lengths/);
  });
});

describe('rollout through cross-attention', () => {
  interface Reference {
    readonly shapes: Readonly<Record<'encoder' | 'decoder' | 'cross', readonly number[]>>;
    readonly weights: Readonly<Record<'encoder' | 'decoder' | 'cross', readonly number[]>>;
    readonly rollout: Readonly<Record<'decoder' | 'cross', readonly number[]>>;
    readonly uniform: Readonly<Record<'decoder' | 'cross', readonly number[]>>;
  }
  let reference: Reference;
  before(async () => {
    reference = JSON.parse(new TextDecoder().decode(await readFixture('crossRollout.json'))) as Reference; // as its script writes it
  });
  const layersOf = (component: Component): HeldLayer[] => {
    if (component !== 'encoder' && component !== 'decoder' && component !== 'cross') return [];
    const [numLayers, heads, numQueries, numKeys] = reference.shapes[component];
    const size = heads * numQueries * numKeys;
    return Array.from({ length: numLayers }, (_, layer) => {
      const own = Float32Array.from(reference.weights[component].slice(layer * size, (layer + 1) * size));
      return new WholeLayer(component, { numHeads: heads, numQueries, numKeys, weights: own });
    });
  };
  const all = async (method: 'rollout' | 'rolloutUniform', component: 'decoder' | 'cross'): Promise<number[]> => {
    const made = await weighComponent(method, component, { layersOf, weighings: [] });
    if (typeof made === 'string') throw new Error(made);
    const rows: number[] = [];
    for (const layer of made) rows.push(...(await layer.rows(0, 0, layer.numQueries)));
    return rows;
  };

  it('is that of NumPy, of the target and of the source, whose rows sum to one together', async () => {
    for (const [method, name] of [
      ['rollout', 'rollout'],
      ['rolloutUniform', 'uniform'],
    ] as const) {
      const [own, source] = [await all(method, 'decoder'), await all(method, 'cross')];
      for (const [numbers, wanted] of [
        [own, reference[name].decoder],
        [source, reference[name].cross],
      ] as const) {
        expect(numbers).to.have.length(wanted.length);
        numbers.forEach((value, i) => expect(value, `${name} ${i}`).to.be.closeTo(wanted[i], 1e-6));
      }
      const [, , numTarget] = reference.shapes.decoder;
      const numSource = reference.shapes.cross[3];
      const sum = (numbers: readonly number[], row: number, length: number): number =>
        numbers.slice(row * length, (row + 1) * length).reduce((total, value) => total + value, 0);
      for (let row = 0; row * numTarget < own.length; row++)
        expect(sum(own, row, numTarget) + sum(source, row, numSource)).to.be.closeTo(1, 1e-5);
    }
  });

  it('is refused where no encoder has self-attention, or a layer of the decoder has no cross-attention', () => {
    const without = (component: Component) => (each: Component) => (each === component ? [] : layersOf(each));
    expect(lackOfComponent('rollout', 'cross', without('encoder'))).to.match(/of which there is none/);
    expect(lackOfComponent('rollout', 'decoder', without('cross'))).to.match(/in every layer/);
    expect(lackOfComponent('rollout', 'encoder', without('cross'))).to.equal(undefined);
  });
});

describe('what stands against a method', () => {
  const sized = (numTokens: number, held: HeldLayer['held'] = 'whole') => ({
    numHeads: 2,
    numQueries: numTokens,
    numKeys: numTokens,
    held,
  });

  it('is a text whose attention is not held, or whose matrices of all heads would be too many, with what to do', () => {
    expect(lackOf('attention', [sized(9, 'recomputed')])).to.equal(undefined);
    expect(lackOf('norm', [sized(9, 'recomputed')])).to.match(/held whole: read a part/);
    expect(lackOf('norm', [sized(1025)])).to.equal(undefined);
    expect(lackOf('rollout', [sized(1024)])).to.equal(undefined);
    expect(lackOf('rollout', [sized(1025)])).to.match(/at most 1024 tokens: read a part/);
    expect(lackOf('summed', [sized(1025)])).to.equal(undefined);
    expect(lackOf('summed', [sized(9000)])).to.match(/too much memory/);
  });

  it('ends rollout where its signal says so', async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    const size = 300;
    const weights = Float32Array.from({ length: size * size }, () => 1 / size);
    const layer = new WholeLayer('self', { numHeads: 1, numQueries: size, numKeys: size, weights });
    const ended = await rollout([layer, layer], false, signal).then(
      () => 'done',
      (error: unknown) => String(error),
    );
    expect(ended).to.match(/no longer wanted/);
  });
});

describe('heads of a tensor', () => {
  const plain = { tensor: 'v', positionAxis: -2, featureAxis: -1 };

  it('of grouped queries: head h reads group ⌊h · groups / heads⌋, repeated and not interleaved', () => {
    const data = Float32Array.from({ length: 2 * 3 * 2 }, (_, i) => i);
    const rows = arrangeHeads({ type: 'float32', dims: [1, 2, 3, 2], data }, plain, { batch: 1, numHeads: 4 });
    if (typeof rows === 'string') throw new Error(rows);
    expect([0, 1, 2, 3].map((head) => rows.data[head * 6])).to.deep.equal([0, 0, 6, 6]);
  });

  it('turned, side by side, behind others in one tensor, and in an order of its own', () => {
    const wanted = { batch: 1, numHeads: 2 };
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const of = (dims: number[], how: Parameters<typeof arrangeHeads>[1], given = data): number[] => {
      const rows = arrangeHeads({ type: 'float32', dims, data: given }, how, wanted);
      if (typeof rows === 'string') throw new Error(rows);
      return [...rows.data];
    };
    expect(of([1, 2, 2, 3], { ...plain, positionAxis: -1, featureAxis: -2 })).to.deep.equal([
      0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11,
    ]);
    const side = { ...plain, merged: { numHeads: 2, first: 0, all: 2 } };
    expect(of([1, 3, 4], side)).to.deep.equal([0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]);
    expect(of([1, 2, 6], { ...plain, merged: { numHeads: 1, first: 2, all: 3 } })).to.deep.equal([
      4, 5, 10, 11, 4, 5, 10, 11,
    ]);
    expect(of([3, 2, 2], { ...plain, positionAxis: 0 })).to.deep.equal([0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]);
  });

  it('of another shape are refused', () => {
    const data = new Float32Array(18);
    expect(arrangeHeads({ type: 'float32', dims: [3, 3, 2], data }, plain, { batch: 1, numHeads: 4 })).to.match(
      /not laid out in a way that is known/,
    );
  });
});

describe('the proof that what heads write adds up', () => {
  const layer = { ...causal(4), batch: 1, numHeads, numQueries: n, numKeys: n };
  const bias = some(numOut, 3);
  const result = Float32Array.from({ length: n * numOut }, (_, i) => {
    const [query, to] = [Math.floor(i / numOut), i % numOut];
    let sum = bias[to];
    for (let head = 0; head < numHeads; head++)
      for (let key = 0; key < n; key++) sum += layer.weights[(head * n + query) * n + key] * writes(head, key)[to];
    return sum;
  });
  const prove = (given: Float32Array, own = projection.weight, isCoarse = false): ReturnType<typeof proveWritten> =>
    proveWritten(
      layer,
      values,
      { numOut, weight: own, bias },
      {
        result: { type: 'float32', dims: [1, n, numOut], data: given },
        isCoarse,
      },
    );

  it('holds within what arithmetic leaves, bias and all', () => {
    expect(prove(result)).to.have.property('isExact', true);
  });

  it('fails where heads stand in another order, or where something was added on the way', () => {
    const half = width * numOut;
    const turned = Float32Array.of(...projection.weight.subarray(half), ...projection.weight.subarray(0, half));
    expect(prove(result, turned))
      .to.have.property('impossible')
      .that.matches(/differs by/);
    expect(prove(result.map((value) => value + 0.5))).to.have.property('impossible');
    expect(prove(result.map(() => NaN))).to.have.property('impossible');
  });

  it('is approximate only where the model rounds, and says by how much', () => {
    const rounded = result.map((value) => Math.round(value * 20) / 20);
    expect(prove(rounded)).to.have.property('impossible');
    const proof = prove(rounded, projection.weight, true);
    expect(proof).to.have.property('isExact', false);
    expect(proof).to.have.property('difference').that.is.within(1e-3, 0.05);
  });
});
