import type * as Ort from 'onnxruntime-common';
import { dataType } from '../../onnx/file/dataType';
import { encodeModel, type MadeValue } from '../../onnx/file/encodeModel';
import { encodeNode } from '../../onnx/file/nodeBytes';
import { onProcessor, type RuntimeBuild } from '../runtime/backends';
import { exclusively } from '../limits/runLock';
import { silently, silentSeverity, type OrtModule } from '../runtime/runtime';
import type { HeadRows } from '../weights/headTensors';
import type { ProjectionNumbers } from './projectionRun';

/** A matrix R for each head, [head, width, rank], with ‖v R‖ = ‖v W‖ for the head's part W of an output projection and any v. */
export interface HeadFactors {
  readonly numHeads: number;
  readonly width: number;
  readonly rank: number;
  readonly data: Float32Array;
}

/** Norms of what heads write: `data[(item * numHeads + head) * numKeys + key]`. */
export interface HeadNorms {
  readonly batch: number;
  readonly numHeads: number;
  readonly numKeys: number;
  readonly data: Float32Array;
}

/** Two small models: the Gram matrix of each head's part of a projection, in double precision, and norms of values behind such a part. */
export class NormSessions {
  readonly #ort: OrtModule;
  readonly #build: RuntimeBuild;
  readonly #sessions = new Map<Uint8Array, Promise<Ort.InferenceSession>>();

  constructor(ort: OrtModule, build: RuntimeBuild) {
    this.#ort = ort;
    this.#build = build;
  }

  /**
   * What norms are taken with: where the projection is wider than a head, the Cholesky factor of W Wᵀ, a square as wide as the head; else W.
   * Throws `runtimeFailed` or `outOfMemory`.
   */
  async factors({ numIn, numOut, weight }: ProjectionNumbers, numHeads: number): Promise<HeadFactors> {
    const width = numIn / numHeads;
    if (numOut <= width) return { numHeads, width, rank: numOut, data: weight };
    const results = await this.#run(gramModel, {
      w: new this.#ort.Tensor('float32', weight, [numHeads, width, numOut]),
    });
    const grams = results.data as Float64Array; // as the model casts it
    const data = new Float32Array(numHeads * width * width);
    for (let head = 0; head < numHeads; head++)
      data.set(
        choleskyFactor(grams.subarray(head * width * width, (head + 1) * width * width), width),
        head * width * width,
      );
    return { numHeads, width, rank: width, data };
  }

  /** ‖f^h(x_j)‖ = ‖v_j^h W_O^h‖ (Kobayashi et al. 2020, eq. 4), for all heads and keys. Throws `runtimeFailed` or `outOfMemory`. */
  async norms({ batch, numHeads, numPositions, width, data }: HeadRows, factors: HeadFactors): Promise<HeadNorms> {
    const norms = await this.#run(normModel, {
      v: new this.#ort.Tensor('float32', data, [batch, numHeads, numPositions, width]),
      r: new this.#ort.Tensor('float32', factors.data, [factors.numHeads, factors.width, factors.rank]),
    });
    return { batch, numHeads, numKeys: numPositions, data: norms.data as Float32Array }; // as its inputs
  }

  /**
   * G_j[h, h'] = ⟨f_j^h, f_j^{h'}⟩ of keys [from, to) of the first item, `grams[((key - from) * numHeads + h) * numHeads + h']`: what is summed over heads
   * comes of it as ‖Σ_h α_h f_h‖² = αᵀ G α. Throws `runtimeFailed` or `outOfMemory`.
   * @param beside vectors that count as one more head's, the last: `beside[key * numOut + feature]`.
   */
  async grams(
    { numHeads, numPositions, width, data }: HeadRows,
    { numOut, weight }: Pick<ProjectionNumbers, 'numOut' | 'weight'>,
    [from, to]: readonly [number, number],
    beside = new Float32Array(0),
  ): Promise<Float32Array> {
    const part = new Float32Array(numHeads * (to - from) * width);
    for (let head = 0; head < numHeads; head++)
      part.set(
        data.subarray((head * numPositions + from) * width, (head * numPositions + to) * width),
        head * (to - from) * width,
      );
    const grams = await this.#run(crossGramModel, {
      v: new this.#ort.Tensor('float32', part, [numHeads, to - from, width]),
      w: new this.#ort.Tensor('float32', weight, [numHeads, width, numOut]),
      x: new this.#ort.Tensor('float32', beside.subarray(from * numOut, to * numOut), [
        Math.min(1, beside.length),
        to - from,
        numOut,
      ]),
    });
    return grams.data as Float32Array; // as its inputs
  }

  /** ‖Σ_h Σ_j a_ij^h f_j^h‖ for each query of the first item, of any `shares[(head * numQueries + query) * numKeys + key]`. Throws `runtimeFailed` or `outOfMemory`. */
  async sums(
    { numHeads, numPositions, width, data }: HeadRows,
    { numOut, weight }: Pick<ProjectionNumbers, 'numOut' | 'weight'>,
    shares: Float32Array,
  ): Promise<Float32Array> {
    const means = await this.#run(sumModel, {
      a: new this.#ort.Tensor('float32', shares, [numHeads, shares.length / (numHeads * numPositions), numPositions]),
      v: new this.#ort.Tensor('float32', data.subarray(0, numHeads * numPositions * width), [
        numHeads,
        numPositions,
        width,
      ]),
      w: new this.#ort.Tensor('float32', weight, [numHeads, width, numOut]),
    });
    return (means.data as Float32Array).map((mean) => mean * numHeads); // as its inputs
  }

  async #run(model: Uint8Array, feeds: Readonly<Record<string, Ort.Tensor>>): Promise<Ort.Tensor> {
    let session = this.#sessions.get(model);
    if (session === undefined) {
      session = exclusively(this.#ort, () =>
        this.#ort.InferenceSession.create(model, {
          ...onProcessor(this.#build),
          logSeverityLevel: silentSeverity,
        }),
      );
      this.#sessions.set(model, session);
    }
    const opened = await session;
    const results = await exclusively(this.#ort, () => opened.run(feeds, ['out'], silently));
    return results['out'];
  }

  /** Frees the sessions. */
  async release(): Promise<void> {
    for (const session of this.#sessions.values()) {
      const opened = await session;
      await exclusively(this.#ort, () => opened.release());
    }
    this.#sessions.clear();
  }
}

/** L with L Lᵀ = G, [size, size]; where G has less than full rank, columns of zeros stand for what is missing. */
function choleskyFactor(gram: Float64Array, size: number): Float32Array {
  const lower = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    let pivot = gram[j * size + j];
    for (let k = 0; k < j; k++) pivot -= lower[j * size + k] ** 2;
    // What rounding leaves of a row that depends on those before.
    if (pivot <= 1e-14 * gram[j * size + j]) continue;
    const root = Math.sqrt(pivot);
    lower[j * size + j] = root;
    for (let i = j + 1; i < size; i++) {
      let sum = gram[i * size + j];
      for (let k = 0; k < j; k++) sum -= lower[i * size + k] * lower[j * size + k];
      lower[i * size + j] = sum / root;
    }
  }
  return Float32Array.from(lower);
}

const float = (name: string, rank: number): MadeValue => ({ name, dataType: dataType.float32, rank });

const gramModel = encodeModel(
  'gram',
  [
    encodeNode('Cast', ['w'], ['w64'], { to: { integer: dataType.float64 } }),
    encodeNode('Transpose', ['w64'], ['t'], { perm: { integers: [0, 2, 1] } }),
    encodeNode('MatMul', ['w64', 't'], ['out']),
  ],
  { inputs: [float('w', 3)], output: { name: 'out', dataType: dataType.float64 } },
);

const crossGramModel = encodeModel(
  'crossGram',
  [
    encodeNode('MatMul', ['v', 'w'], ['written']),
    encodeNode('Concat', ['written', 'x'], ['all'], { axis: { integer: 0 } }),
    encodeNode('Transpose', ['all'], ['byKey'], { perm: { integers: [1, 0, 2] } }),
    encodeNode('Transpose', ['byKey'], ['turned'], { perm: { integers: [0, 2, 1] } }),
    encodeNode('MatMul', ['byKey', 'turned'], ['out']),
  ],
  { inputs: [float('v', 3), float('w', 3), float('x', 3)], output: { name: 'out', dataType: dataType.float32 } },
);

/** The length of the mean over heads, so that no axes are an input. */
const sumModel = encodeModel(
  'sums',
  [
    encodeNode('MatMul', ['a', 'v'], ['read']),
    encodeNode('MatMul', ['read', 'w'], ['written']),
    encodeNode('ReduceMean', ['written'], ['mean'], { axes: { integers: [0] }, keepdims: { integer: 0 } }),
    encodeNode('ReduceL2', ['mean'], ['out'], { axes: { integers: [-1] }, keepdims: { integer: 0 } }),
  ],
  { inputs: [float('a', 3), float('v', 3), float('w', 3)], output: { name: 'out', dataType: dataType.float32 } },
);

const normModel = encodeModel(
  'norms',
  [
    encodeNode('MatMul', ['v', 'r'], ['written']),
    encodeNode('ReduceL2', ['written'], ['out'], { axes: { integers: [-1] }, keepdims: { integer: 0 } }),
  ],
  { inputs: [float('v', 4), float('r', 3)], output: { name: 'out', dataType: dataType.float32 } },
);
