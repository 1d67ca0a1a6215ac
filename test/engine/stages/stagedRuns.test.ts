import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { AttentionSession } from '../../../src/engine/session/attentionSession';
import type { LayerWeights } from '../../../src/engine/stages/layerRun';
import { StageInputs } from '../../../src/engine/stages/stageInputs';
import { toTensor } from '../../../src/engine/runtime/feeds';
import { rewriteModel } from '../../../src/onnx/rewrite/rewriteModel';
import { cutRewritten } from '../../../src/onnx/stages/cutRewritten';
import { readModelFiles } from '../../../src/engine/files/modelFiles';
import { planInputs, type ModelInput } from '../../../src/onnx/inputs/inputs';
import { formatReport } from '../../../src/onnx/report/report';
import { fixtureAccess, memoryAccess } from '../fixtureAccess';
import { importRuntime } from '../ortRuntime';
import { smallModel, type SmallGraph } from '../../unit/onnx/smallModel';

const sums = (layers: readonly LayerWeights[]): readonly (readonly number[])[] =>
  layers.map(({ weights }) => [...weights]);
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at])), 0);

describe('a model that is run in stages', () => {
  let ort: typeof Ort;
  let session: AttentionSession;
  let inputs: readonly ModelInput[];
  let numOpened = 0;
  let onOpen = (): void => {};
  before(async () => {
    const plain = await importRuntime();
    const InferenceSession = {
      create: (bytes: Uint8Array, options: Ort.InferenceSession.SessionOptions) => {
        numOpened++;
        onOpen();
        return plain.InferenceSession.create(bytes, options);
      },
    };
    ort = { ...plain, InferenceSession } as unknown as typeof Ort; // sessions are made in no other way
    const files = await readModelFiles(fixtureAccess, 'zoo/gpt2.sdpa.legacy.merged/model.onnx');
    session = await AttentionSession.create({ ort, files, wantOutputs: true, isStaged: true });
    ({ inputs } = planInputs(files.analysis.index, session.inputNames).make({ ids: [3, 1, 4, 1, 5] }));
  });
  after(() => session.release());

  it('hands on each layer as it comes, and ends between two where it is told to', async () => {
    expect(session.numStages).to.equal(4);
    // Each stage is loaded when it is first run: the first layer waits for no other.
    expect(numOpened).to.equal(1);
    const opened: number[] = [];
    const first = await session.run(inputs, { onLayer: () => opened.push(numOpened) });
    expect(opened).to.deep.equal([1, 2, 3]);
    expect(numOpened).to.equal(4);
    expect(formatReport(session.report)).to.contain('Run in 4 stages, one after another.');
    const seen: string[] = [];
    const turn = (): Promise<void> => {
      seen.push('turn');
      return Promise.resolve();
    };
    const { layers } = await session.run(inputs, { turn, onLayer: ({ layer }) => seen.push(`layer ${layer}`) });
    expect(layers.map(({ layer }) => layer)).to.deep.equal([0, 1, 2]);
    expect(sums(layers)).to.deep.equal(sums(first.layers));
    expect(numOpened).to.equal(4);
    expect(seen).to.deep.equal(['turn', 'layer 0', 'turn', 'layer 1', 'turn', 'layer 2', 'turn']);
    const ended = new AbortController();
    const reached: number[] = [];
    const run = session.run(inputs, {
      turn: () => Promise.resolve(ended.signal.throwIfAborted()),
      onLayer: ({ layer }) => {
        reached.push(layer);
        if (layer === 1) ended.abort(new Error('enough'));
      },
    });
    expect(await run.catch((error: unknown) => error)).to.have.property('message', 'enough');
    expect(reached).to.deep.equal([0, 1]);
    // It is ready for the next one.
    expect(sums((await session.run(inputs)).layers)).to.deep.equal(sums(layers));
  });

  it('ends while its stages are loaded, and the next run loads the others', async () => {
    const { layers } = await session.run(inputs);
    const files = await readModelFiles(fixtureAccess, 'zoo/gpt2.sdpa.legacy.merged/model.onnx');
    const fresh = await AttentionSession.create({ ort, files, wantOutputs: true, isStaged: true });
    const numBefore = numOpened;
    const ended = new AbortController();
    onOpen = () => ended.abort(new Error('enough'));
    const turn = (): Promise<void> => Promise.resolve(ended.signal.throwIfAborted());
    const run = fresh.run(inputs, { turn });
    expect(await run.catch((error: unknown) => error)).to.have.property('message', 'enough');
    onOpen = () => {};
    expect(numOpened - numBefore, 'the one that was being loaded').to.equal(1);
    expect(sums((await fresh.run(inputs)).layers)).to.deep.equal(sums(layers));
    expect(numOpened - numBefore).to.equal(3);
    await fresh.release();
  });

  it('does not run what nobody asks for', async () => {
    const [last] = session.analysis.sites.slice(-1);
    let numTurns = 0;
    const turn = (): Promise<void> => {
      numTurns++;
      return Promise.resolve();
    };
    await session.run(inputs, { outputs: [], turn });
    expect(numTurns).to.equal(3); // the logits are a stage of their own
    expect(last.layer).to.equal(2);
  });

  it('runs layers again from what was kept, as they were, or with other values', async () => {
    const { analysis } = session;
    const { sites, index } = analysis;
    const rewritten = rewriteModel(analysis, { sites, isWhole: true });
    const stages = await session.staged(rewritten, cutRewritten(analysis, rewritten, new Map()));
    const kept = new StageInputs(1e6);
    const [logits] = index.graph.outputs;
    const [, own, next] = rewritten.outputs.map(({ output }) => output);
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, toTensor(ort, input)]));
    const whole = await stages.run(feeds, { fetches: [own, next, logits.name], keeps: kept });
    const rerun = async (fetches: readonly string[], given: ReadonlyMap<string, Ort.Tensor> = new Map()) =>
      stages.rerun({ kept, from: 1, given, fetches });
    const data = (made: Readonly<Record<string, Ort.Tensor>>, name: string): Float32Array =>
      made[name].data as Float32Array; // all that is asked for are floats
    const again = await rerun([own, next, logits.name]);
    for (const name of [own, next, logits.name]) expect(data(again, name)).to.deep.equal(data(whole, name));
    const alone = await stages.rerun({ kept, from: 1, to: 2, fetches: [sites[1].values, sites[1].tensor] });
    const [weights, values] = [alone[sites[1].tensor], alone[sites[1].values]];
    // The first head is silent: as weights, and as what comes of them.
    const [, numHeads, numTokens] = weights.dims;
    const size = values.dims[3];
    const silent = data(alone, sites[1].tensor)
      .slice()
      .fill(0, 0, numTokens * numTokens);
    const product = new Float32Array(numHeads * numTokens * size);
    for (let head = 0; head < numHeads; head++)
      for (let query = 0; query < numTokens; query++)
        for (let key = 0; key < numTokens; key++)
          for (let i = 0; i < size; i++)
            product[(head * numTokens + query) * size + i] +=
              silent[(head * numTokens + query) * numTokens + key] *
              data(alone, sites[1].values)[(head * numTokens + key) * size + i];
    const [result] = index.nodes[sites[1].node].outputs;
    const given = (tensor: string, numbers: Float32Array, dims: readonly number[]) =>
      rerun([sites[1].tensor, next], new Map([[tensor, new ort.Tensor('float32', numbers, dims)]]));
    const byWeights = await given(sites[1].tensor, silent, weights.dims);
    const byProduct = await given(result, product, values.dims);
    expect(data(byWeights, sites[1].tensor)).to.deep.equal(silent);
    expect(farthest(data(byWeights, next), data(whole, next))).to.be.greaterThan(1e-3);
    expect(farthest(data(byWeights, next), data(byProduct, next))).to.be.at.most(1e-5);
    // Nothing of it stays.
    expect(data(await rerun([next]), next)).to.deep.equal(data(whole, next));
    await stages.release();
  });

  it('keeps no more than it may, runs what comes before again, and says where nothing was kept', async () => {
    const keeps = new StageInputs(100);
    const whole = await session.run(inputs, { keeps });
    expect(keeps.bytes).to.be.at.most(100);
    const [, site] = session.analysis.sites;
    const wanted = { fed: [], tensors: [site.tensor] };
    const again = await session.rerun(site, { kept: keeps, ...wanted });
    expect(again.get(site.tensor)?.data).to.deep.equal(whole.layers[1].weights);
    const failure = await session
      .rerun(site, { kept: new StageInputs(100), ...wanted })
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(RangeError);
  });

  it('runs a layer again while its sessions are freed, and no other with it', async () => {
    const keeps = new StageInputs(1e6);
    const whole = await session.run(inputs, { keeps });
    await session.suspend();
    const numBefore = numOpened;
    const [, site] = session.analysis.sites;
    const tensors = await session.rerun(site, { kept: keeps, fed: [], tensors: [site.tensor] });
    expect(tensors.get(site.tensor)?.data).to.deep.equal(whole.layers[1].weights);
    expect(numOpened - numBefore).to.equal(1);
    expect(sums((await session.run(inputs)).layers)).to.deep.equal(sums(whole.layers));
  });
});

describe('a model that cannot be cut behind each of its attentions', () => {
  const input = (name: string, dims: readonly number[]) =>
    ({ name, type: 'float32', dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1) }) as const;
  const queriesKeysValues = [input('q', [1, 2, 3, 4]), input('kt', [1, 2, 4, 3]), input('v', [1, 2, 3, 4])];
  const inputs = { q: [1, 2, 'n', 4], kt: [1, 2, 4, 'n'], v: [1, 2, 'n', 4] };

  it('is run in fewer stages, and the report says which layers share one and why', async () => {
    const attention = (layer: number, queries: string): SmallGraph['nodes'] => [
      { operator: 'MatMul', inputs: [queries, 'kt'], outputs: [`s${layer}`], name: `/layers.${layer}/MatMul` },
      { operator: 'Softmax', inputs: [`s${layer}`], outputs: [`p${layer}`], name: `/layers.${layer}/Softmax` },
      { operator: 'MatMul', inputs: [`p${layer}`, 'v'], outputs: [`y${layer}`], name: `/layers.${layer}/MatMul_1` },
    ];
    const concatenated = (output: string): SmallGraph['nodes'][number] => ({
      operator: 'ConcatFromSequence',
      inputs: ['list'],
      outputs: [output],
      attributes: { axis: { integer: 0 } },
    });
    const graph: SmallGraph = {
      nodes: [
        { operator: 'SequenceConstruct', inputs: ['q'], outputs: ['list'] },
        concatenated('q0'),
        ...attention(0, 'q0'),
        concatenated('again'),
        { operator: 'Add', inputs: ['again', 'y0'], outputs: ['q1'] },
        ...attention(1, 'q1'),
        { operator: 'Relu', inputs: ['y1'], outputs: ['z'] },
      ],
      inputs,
      outputs: ['z'],
    };
    const session = await AttentionSession.create({
      ort: await importRuntime(),
      files: await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx'),
      wantOutputs: true,
      isStaged: true,
    });
    const { layers, report } = await session.run(queriesKeysValues);
    expect(layers.map(({ layer }) => layer)).to.deep.equal([0, 1]);
    expect(formatReport(report)).to.contain(
      'Run in 2 stages, one after another; of these share one\\:\n\n' +
        '* `layers.1` and `layers.0`: what passes between them is a sequence, which no stage can be given',
    );
    await session.release();
  });

  it('is run as a whole where the runtime takes no stage of it, and the report says why', async () => {
    const ort = await importRuntime();
    const graph: SmallGraph = {
      nodes: [
        { operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['s'] },
        { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
        { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
        { operator: 'Relu', inputs: ['y'], outputs: ['z'] },
      ],
      inputs,
      outputs: ['z'],
    };
    let numSessions = 0;
    const InferenceSession = {
      create: (bytes: Uint8Array, options: Ort.InferenceSession.SessionOptions) =>
        ++numSessions === 2 || numSessions === 3
          ? Promise.reject(new Error('ERROR_MESSAGE: this stage is not liked'))
          : ort.InferenceSession.create(bytes, options),
    };
    const session = await AttentionSession.create({
      ort: { ...ort, InferenceSession } as unknown as typeof Ort /* sessions are made in no other way */,
      files: await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx'),
      wantOutputs: true,
      isStaged: true,
    });
    const { layers } = await session.run(queriesKeysValues);
    // It is opened as far as it is run, so that only the run shows it.
    expect(layers).to.have.length(1);
    expect(session.numStages).to.equal(1);
    expect(formatReport(session.report)).to.contain('Run as a whole, not layer by layer: this stage is not liked.');
    await session.release();
  });
});
