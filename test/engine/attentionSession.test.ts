import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { portable } from '../../src/engine/session/sessionPlan';
import { arrangeWeights, checkWeights, cropWeights } from '../../src/engine/weights/layerWeights';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { runtimeError } from '../../src/engine/runtime/runtimeError';
import { planInputs } from '../../src/onnx/inputs/inputs';
import { readFixture } from '../harness/fixtures';
import { plainAttention, smallModel } from '../unit/onnx/smallModel';
import { fixtureAccess, memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';
import { codeOf } from '../harness/codeOf';

describe('a session with attention exposed', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  it('reads a text with inputs made from the signature, and finds a causal model causal', async () => {
    const files = await readModelFiles(fixtureAccess, 'zoo/gpt2.sdpa.legacy.merged/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const { inputs, numTokens, numPositions } = planInputs(files.analysis.index, session.inputNames).make({
      ids: [3, 1, 4, 1, 5],
    });
    const { layers, failed, report } = await session.run(inputs, { numTokens, numPositions });
    await session.release();
    expect(failed).to.deep.equal([]);
    expect(
      layers.map(({ layer, numHeads, numQueries, numKeys, isCausal }) => [
        layer,
        numHeads,
        numQueries,
        numKeys,
        isCausal,
      ]),
    ).to.deep.equal([0, 1, 2].map((layer) => [layer, 4, 5, 5, true]));
    expect(report.sites.map((site) => site.checks?.failure)).to.deep.equal(['', '', '']);
    for (const { weights } of layers) {
      for (let query = 0; query < 5; query++) {
        expect(weights.subarray(query * 5, query * 5 + 5).reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(
          1,
          1e-5,
        );
        for (let key = query + 1; key < 5; key++) expect(weights[query * 5 + key]).to.equal(0);
      }
    }
  });

  it('pads to a fixed shape and shows no padding', async () => {
    const files = await readModelFiles(fixtureAccess, 'zoo/bert.eager.dynamo/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const plan = planInputs(files.analysis.index, session.inputNames);
    expect(plan.fixedLength).to.equal(12);
    const { inputs, ...made } = plan.make({ ids: [3, 1, 4] });
    const { layers } = await session.run(inputs, made);
    await session.release();
    expect(layers.map(({ numQueries, numKeys, isCausal }) => [numQueries, numKeys, isCausal])).to.deep.equal([
      [3, 3, false],
      [3, 3, false],
      [3, 3, false],
    ]);
    // The mask keeps the text from reading the padding, so nothing is lost by the cut.
    for (const { weights } of layers)
      expect(weights.subarray(0, 3).reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(1, 1e-5);
  });

  it('says which weights file is missing, and opens none outside the folder', async () => {
    const bytes = await readFixture('zoo/gpt2.sdpa.legacy.external/model.onnx');
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': bytes }), 'm/model.onnx');
    expect(await codeOf(AttentionSession.create({ ort, files }))).to.equal('externalDataMissing');
    const name = new TextEncoder().encode('model.onnx_data');
    const outside = bytes.slice();
    for (let at = 0; at + name.length <= outside.length; at++)
      if (name.every((byte, i) => outside[at + i] === byte))
        outside.set(new TextEncoder().encode('../../etc/hosts'), at);
    const access = memoryAccess({ 'm/model.onnx': outside, 'etc/hosts': 'secret' });
    const hostile = await readModelFiles(access, 'm/model.onnx');
    expect(await codeOf(AttentionSession.create({ ort, files: hostile }))).to.equal('externalDataOutside');
    expect(access.wasRead).to.deep.equal(['m/model.onnx']);
  });

  it('says of a model without attention that it has none', async () => {
    const bytes = smallModel({
      ...plainAttention,
      nodes: [{ operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['y'] }],
    });
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': bytes }), 'm/model.onnx');
    expect(await codeOf(AttentionSession.create({ ort, files }))).to.equal('modelNoAttention');
    expect(await codeOf(readModelFiles(memoryAccess({}), 'm/model.onnx'))).to.equal('modelNotFound');
  });

  it('says why attention that it saw is not drawn, and takes a classifier for none', async () => {
    const failureOf = async (nodes: Parameters<typeof smallModel>[0]['nodes'], outputs: readonly string[]) => {
      const files = await readModelFiles(
        memoryAccess({ 'm/model.onnx': smallModel({ ...plainAttention, nodes, outputs }) }),
        'm/model.onnx',
      );
      return AttentionSession.create({ ort, files }).then(
        () => undefined,
        (error: unknown) => error,
      );
    };
    const scores = { operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['s'] };
    const softmax = { operator: 'Softmax', inputs: ['s'], outputs: ['p'] };
    expect(await failureOf([scores, softmax], ['p'])).to.have.property('code', 'modelNoAttention');
    const refused = await failureOf(
      [
        scores,
        softmax,
        { operator: 'Exp', inputs: ['p'], outputs: ['e'] },
        { operator: 'Relu', inputs: ['e'], outputs: ['y'] },
      ],
      ['y'],
    );
    expect(refused).to.have.property('code', 'attentionRefused');
    expect(refused).to.have.nested.property(
      'args[1]',
      'the way from its result to a product with values is not one that is known',
    );
  });

  it('turns what the runtime throws into typed errors, and lives on', async () => {
    const broken = smallModel({
      ...plainAttention,
      nodes: [...plainAttention.nodes, { operator: 'NoSuchOperator', inputs: ['p'], outputs: ['z'] }],
      outputs: ['y', 'z'],
    });
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': broken }), 'm/model.onnx');
    expect(await codeOf(AttentionSession.create({ ort, files, wantOutputs: true }))).to.equal('runtimeFailed');
    const session = await AttentionSession.create({
      ort,
      files: await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(plainAttention) }), 'm/model.onnx'),
    });
    const tensor = (name: string, dims: number[]) => ({
      name,
      type: 'float32' as const,
      dims,
      data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)),
    });
    expect(await codeOf(session.run([tensor('q', [1, 2, 3, 4])]))).to.equal('inputNotMade');
    expect(await codeOf(session.run([tensor('q', [1, 2, 3, 4]), tensor('kt', [1, 2, 7, 3])]))).to.equal(
      'runtimeFailed',
    );
    const { layers } = await session.run([tensor('q', [1, 2, 3, 4]), tensor('kt', [1, 2, 4, 3])]);
    expect(layers[0]?.weights[0]).to.be.closeTo(1 / 3, 1e-6);
    await session.release();
    expect(
      runtimeError(new Error('failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc'), 'this run').code,
    ).to.equal('outOfMemory');
  });
});

describe('the weights of a layer', () => {
  const site = { queryAxis: -2, keyAxis: -1, isUndivided: false };

  it('come as batch, head, query, key, whatever the order in the graph', () => {
    // [i, j, b, n] of XLNet: two queries, three keys, one item, two heads.
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const arranged = arrangeWeights({ ...site, queryAxis: -4, keyAxis: -3 }, { dims: [2, 3, 1, 2], data }, 1);
    expect(arranged).to.deep.include({ batch: 1, numHeads: 2, numQueries: 2, numKeys: 3 });
    expect([...(arranged?.weights ?? [])]).to.deep.equal([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
    expect(arrangeWeights(site, { dims: [6, 2, 2], data: new Float32Array(24) }, 2)).to.include({
      batch: 2,
      numHeads: 3,
    });
    expect(arrangeWeights(site, { dims: [3, 3], data: new Float32Array(9) }, 1)).to.include({ batch: 1, numHeads: 1 });
    expect(arrangeWeights(site, { dims: [1, 2, 4, 3, 3], data: new Float32Array(72) }, 1)).to.include({
      batch: 1,
      numHeads: 8,
    });
    expect(arrangeWeights(site, { dims: [3], data: new Float32Array(3) }, 1)).to.equal(undefined);
  });

  it('are cut to the text', () => {
    const whole = {
      batch: 1,
      numHeads: 1,
      numQueries: 3,
      numKeys: 3,
      weights: Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]),
    };
    expect([...cropWeights(whole, 2, 2).weights]).to.deep.equal([1, 2, 4, 5]);
  });

  it('are checked', () => {
    const check = (
      rows: number[][],
      rowSum: 'one' | 'atMostOne' | 'any' = 'one',
      numQueries?: number,
      numKeys?: number,
    ) =>
      checkWeights(
        {
          batch: 1,
          numHeads: 1,
          numQueries: rows.length,
          numKeys: rows[0]?.length ?? 0,
          weights: Float32Array.from(rows.flat()),
        },
        { rowSum, isCoarse: false, batch: 1, numQueries, numKeys },
      );
    expect(
      check([
        [1, 0],
        [0.5, 0.5],
      ]),
    ).to.include({ failure: '', isCausal: true });
    expect(
      check([
        [0.5, 0.5],
        [0, 0],
      ]),
    ).to.include({ failure: '', isCausal: false });
    expect(
      check([
        [1, 1e-30],
        [0.5, 0.5],
      ]).isCausal,
    ).to.equal(false);
    expect(
      check([
        [0.5, 0.4],
        [0.5, 0.5],
      ]).failure,
    ).to.equal('a row sums to 0.9000');
    expect(
      check(
        [
          [0.5, 0.4],
          [0.5, 0.5],
        ],
        'atMostOne',
      ).failure,
    ).to.equal('');
    expect(check([[0.9, 0.9]], 'atMostOne').failure).to.equal('a row sums to 1.8000');
    expect(check([[0.9, 0.9]], 'any').failure).to.equal('');
    expect(check([[Number.NaN, 1]], 'any').failure).to.equal('it holds numbers that are not finite');
    expect(check([[1.5, -0.5]]).failure).to.equal('it holds negative weights');
    expect(check([[]]).failure).to.contain('holds nothing');
    const square = [
      [1, 0, 0],
      [0.5, 0.5, 0],
      [1, 0, 0],
    ];
    expect(check(square, 'one', 3, 3).failure).to.equal('');
    expect(check(square, 'one', 3).failure).to.equal('');
    expect(check(square, 'one', 2, 2).failure).to.contain('[3, 3] does not agree with the 2 positions');
    expect(check(square, 'one', 3, 4).failure).to.contain('[3, 3] does not agree with the 3 and 4 positions');
  });
});

describe('where the runtime refuses the graph as its optimiser rewrites it', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });
  /** The runtime, where sessions are refused at some levels; with the levels that were asked for. */
  const refusing = (
    levels: readonly string[],
    words = '[ShapeInferenceError] Mismatch',
  ): { readonly ort: typeof Ort; readonly asked: string[] } => {
    const asked: string[] = [];
    const InferenceSession = {
      create: (bytes: Uint8Array, options: Ort.InferenceSession.SessionOptions) => {
        const level = options.graphOptimizationLevel ?? '';
        asked.push(level);
        return levels.includes(level)
          ? Promise.reject(new Error(`Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: ${words}`))
          : ort.InferenceSession.create(bytes, options);
      },
    };
    return {
      ort: { ...ort, InferenceSession } as unknown as typeof Ort /* sessions are made in no other way */,
      asked,
    };
  };
  const open = async (own: typeof Ort, config: Readonly<Record<string, string>> = {}): Promise<AttentionSession> => {
    return AttentionSession.create({
      ort: own,
      runtime: { ...portable, sessionConfig: () => Promise.resolve(config) },
      files: await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(plainAttention) }), 'm/model.onnx'),
    });
  };

  it('loads it once more as it is written, says so, and does not try again when it comes back', async () => {
    const { ort: own, asked } = refusing(['all']);
    const session = await open(own);
    expect(asked).to.deep.equal(['all', 'disabled']);
    expect(session.notices).to.deep.equal([
      { code: 'notOptimized', args: ['model.onnx', 'shapes that the file states contradict what its operators give'] },
    ]);
    await session.suspend();
    const input = (name: string, dims: readonly number[]) =>
      ({ name, type: 'float32', dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1) }) as const;
    const { layers } = await session.run([input('q', [1, 2, 3, 4]), input('kt', [1, 2, 4, 3])]);
    expect(layers).to.have.length(1);
    expect(asked).to.deep.equal(['all', 'disabled', 'disabled']);
    await session.release();
  });

  it('says nothing where all is well, and gives the first reason where nothing helps', async () => {
    const session = await open(ort);
    expect(session.notices).to.deep.equal([]);
    await session.release();
    const { ort: own, asked } = refusing(['all', 'disabled'], 'Something else');
    expect(await codeOf(open(own))).to.equal('runtimeFailed');
    expect(asked).to.deep.equal(['all', 'disabled']);
  });

  it('does not do so where the optimiser makes sums exact, nor for want of memory', async () => {
    const precise = refusing(['all']);
    expect(await codeOf(open(precise.ort, { x64quantprecision: '1' }))).to.equal('runtimeFailed');
    const full = refusing(['all'], 'std::bad_alloc');
    expect(await codeOf(open(full.ort))).to.equal('outOfMemory');
    expect([...precise.asked, ...full.asked]).to.deep.equal(['all', 'all']);
  });
});

describe('4-bit products that may be rounded', () => {
  it('are told, and others are not', async () => {
    const ort = await importRuntime();
    const noticesAt = async (level: number): Promise<readonly string[]> => {
      const bytes = smallModel({
        ...plainAttention,
        nodes: [
          {
            operator: 'com.microsoft.MatMulNBits',
            inputs: ['q', 'w', 'scales'],
            outputs: ['projected'],
            attributes: {
              K: { integer: 4 },
              N: { integer: 4 },
              bits: { integer: 4 },
              block_size: { integer: 16 },
              accuracy_level: { integer: level },
            },
          },
          ...plainAttention.nodes.map((node) => ({
            ...node,
            inputs: node.inputs.map((name) => (name === 'q' ? 'projected' : name)),
          })),
        ],
        inputs: { ...plainAttention.inputs, w: [4, 1, 8], scales: [4] },
        types: { w: 2 },
      });
      const session = await AttentionSession.create({
        ort,
        files: await readModelFiles(memoryAccess({ 'm/model.onnx': bytes }), 'm/model.onnx'),
      });
      await session.release();
      return session.notices.map(({ code }) => code);
    };
    expect(await noticesAt(4)).to.deep.equal(['roundedProducts']);
    expect(await noticesAt(1)).to.deep.equal([]);
  });
});
