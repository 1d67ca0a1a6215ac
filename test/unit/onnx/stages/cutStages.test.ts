import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { dataType } from '../../../../src/onnx/file/dataType';
import { GraphIndex } from '../../../../src/onnx/graph/graphIndex';
import { readModel } from '../../../../src/onnx/file/readModel';
import { rewriteModel } from '../../../../src/onnx/rewrite/rewriteModel';
import { cutRewritten } from '../../../../src/onnx/stages/cutRewritten';
import { cutStages, type StageCut } from '../../../../src/onnx/stages/cutStages';
import { encodeStage } from '../../../../src/onnx/stages/encodeStage';
import { variantStage } from '../../../../src/onnx/stages/variantStage';
import { readFixture } from '../../../harness/fixtures';
import { smallModel, type SmallGraph, type SmallNode } from '../smallModel';

const node = (operator: string, inputs: readonly string[], outputs: readonly string[]): SmallNode => ({
  operator,
  inputs,
  outputs,
});

/** Two layers; their names tell nothing. The second reads a scale that is made of a weight, as the first does. */
const twoLayers: SmallGraph = {
  nodes: [
    node('Sqrt', ['scale'], ['root']),
    node('Mul', ['x', 'root'], ['q1']),
    node('MatMul', ['q1', 'kt'], ['s1']),
    node('Softmax', ['s1'], ['p1']),
    node('MatMul', ['p1', 'x'], ['y1']),
    node('Add', ['y1', 'x'], ['r1']),
    node('Mul', ['r1', 'root'], ['q2']),
    node('MatMul', ['q2', 'w'], ['k2']),
    node('MatMul', ['k2', 'kt'], ['s2']),
    node('Softmax', ['s2'], ['p2']),
    node('MatMul', ['p2', 'r1'], ['y2']),
    node('Relu', ['y2'], ['z']),
  ],
  inputs: { x: [1, 'n', 4], kt: [1, 4, 'n'] },
  outputs: ['z', 'p1', 'p2'],
  weights: { scale: { dims: [1], values: [4] }, w: { dims: [4, 4], values: new Array<number>(16).fill(1) } },
};
const twoEnds = [{ tensors: ['p1', 'y1'] }, { tensors: ['p2', 'y2'] }];

const indexOf = (graph: SmallGraph): GraphIndex => new GraphIndex(readModel(smallModel(graph), 'model.onnx'));

const cutFixture = async (name: string): Promise<{ readonly cut: StageCut; readonly numSites: number }> => {
  const analysis = analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), 'model.onnx'));
  const rewritten = rewriteModel(analysis, { sites: analysis.sites, isWhole: true });
  return { cut: cutRewritten(analysis, rewritten, new Map()), numSites: analysis.sites.length };
};

describe('cutting a graph into stages', () => {
  it('cuts behind the product with the values, and copies what weights alone make', () => {
    const { stages, joined } = cutStages(indexOf(twoLayers), twoEnds);
    expect(joined).to.deep.equal([]);
    expect(stages).to.deep.equal([
      { ends: [0], nodes: [0, 1, 2, 3, 4], inputs: ['x', 'kt'], received: [], given: ['y1'], outputs: ['p1'] },
      {
        ends: [1],
        nodes: [0, 5, 6, 7, 8, 9, 10],
        inputs: ['x', 'kt'],
        received: ['y1'],
        given: ['y2'],
        outputs: ['p2'],
      },
      { ends: [], nodes: [11], inputs: [], received: ['y2'], given: [], outputs: ['z'] },
    ]);
  });

  it('cuts behind a rounding to few bits, and makes numbers of the bits in each stage', () => {
    const nodes = twoLayers.nodes.flatMap((each) =>
      each.outputs[0] === 'y1'
        ? [
            node('MatMul', ['p1', 'x'], ['sum1']),
            node('QuantizeLinear', ['sum1', 'scale'], ['bits']),
            node('DequantizeLinear', ['bits', 'scale'], ['y1']),
          ]
        : [each],
    );
    const { index, stages } = cutStages(indexOf({ ...twoLayers, nodes }), [{ tensors: ['p1', 'sum1'] }, twoEnds[1]]);
    expect(stages.map(({ received }) => received)).to.deep.equal([[], ['bits'], ['y2']]);
    const operators = stages.map((stage) => stage.nodes.map((each) => index.nodes[each].opType));
    expect(operators[0]).to.include('QuantizeLinear').and.not.include('DequantizeLinear');
    expect(operators[1]).to.include('DequantizeLinear').and.not.include('QuantizeLinear');
  });

  it('puts together what only a sequence connects, and what the same operators compute, and says so', () => {
    const nodes = twoLayers.nodes.flatMap((each) =>
      each.outputs[0] === 'r1'
        ? [node('ConcatFromSequence', ['list'], ['r1'])]
        : each.outputs[0] === 'y1'
          ? [each, node('SequenceConstruct', ['y1'], ['list'])]
          : [each],
    );
    const cut = cutStages(indexOf({ ...twoLayers, nodes }), [{ tensors: ['p1', 'list'] }, twoEnds[1]]);
    expect(cut.stages.map(({ ends }) => ends)).to.deep.equal([[0, 1], []]);
    expect(cut.joined).to.deep.equal([
      { end: 1, with: 0, reason: 'what passes between them is a sequence, which no stage can be given' },
    ]);
    const same = cutStages(indexOf(twoLayers), [...twoEnds, twoEnds[0]]);
    expect(same.stages.map(({ ends }) => ends)).to.deep.equal([[0, 2], [1], []]);
    expect(same.joined).to.deep.equal([{ end: 2, with: 0, reason: 'the same operators compute both' }]);
  });

  for (const name of ['bert.sdpa.legacy.qdq', 'bart.sdpa.legacy', 't5.eager.legacy', 'gpt2.sdpa.legacy.merged'])
    it(`computes each node once, gives what is received, and has each weight in one stage: ${name}`, async () => {
      const {
        cut: { index, stages, joined },
        numSites,
      } = await cutFixture(name);
      expect(joined).to.deep.equal([]);
      expect(stages).to.have.length(numSites + 1);
      const given = new Set<string>();
      const counts = new Map<number, number>();
      for (const stage of stages) {
        for (const tensor of stage.received) expect(given.has(tensor), tensor).to.equal(true);
        for (const tensor of stage.given) given.add(tensor);
        for (const each of stage.nodes) counts.set(each, (counts.get(each) ?? 0) + 1);
        // A stage runs by itself: all that its nodes need is there.
        const own = new Set(stage.nodes);
        const there = new Set([...stage.received, ...stage.inputs]);
        for (const tensor of stage.nodes.flatMap((each) => index.dependencies(each)))
          if (tensor !== '' && !there.has(tensor) && !index.initializers.has(tensor))
            expect(own.has(index.producer(tensor) ?? -1), tensor).to.equal(true);
      }
      expect(counts.size).to.equal(index.nodes.length);
      for (const [each, count] of counts) {
        const isFed = [...index.ancestors(index.nodes[each].outputs).tensors].some((tensor) =>
          index.inputs.some((input) => input.name === tensor),
        );
        if (isFed && index.nodes[each].opType !== 'DequantizeLinear')
          expect(count, index.nodes[each].outputs[0]).to.equal(1);
      }
      expect(stages.flatMap(({ outputs }) => outputs).sort()).to.deep.equal(
        index.graph.outputs.map((output) => output.name).sort(),
      );
      const large = index.graph.initializers.filter(({ external }) => external !== undefined);
      const models = stages.map((stage) => encodeStage(index, stage, () => ({ dataType: 1, dims: undefined })));
      const used = models.map(({ bytes }) => readModel(bytes, 'stage').graph.initializers.map((each) => each.name));
      const shared = large.filter((weight) => used.filter((names) => names.includes(weight.name)).length !== 1);
      // Embeddings that encoder and decoder, or input and output, share.
      expect(
        shared.map((weight) => weight.name).filter((weight) => !/shared|embed|wte|word/.test(weight)),
      ).to.deep.equal([]);
      expect(models.reduce((total, { bytes }) => total + bytes.length, 0)).to.be.lessThan(2 * index.model.bytes.length);
    });

  it('declares what a stage receives, and refers to weights where they lie', () => {
    const index = indexOf(twoLayers);
    const { stages } = cutStages(index, twoEnds);
    const { graph } = readModel(
      encodeStage(index, stages[1], () => ({ dataType: dataType.float16, dims: [1, 'n', undefined] })).bytes,
      'stage',
    );
    expect(graph.inputs.map(({ name, dataType: type, dims }) => [name, type, dims])).to.deep.equal([
      ['x', 1, [1, 'n', 4]],
      ['kt', 1, [1, 4, 'n']],
      ['y1', dataType.float16, [1, 'n', undefined]],
    ]);
    expect(graph.outputs.map(({ name }) => name)).to.have.members(['p2', 'y2']);
    expect(graph.initializers.map(({ name }) => name)).to.have.members(['scale', 'w']);
  });

  it('makes of a stage one that is given what it would compute', () => {
    const cut = cutStages(indexOf(twoLayers), twoEnds);
    expect(variantStage(cut, 1, { given: ['p2'], wanted: ['y2', 'p2'] })).to.deep.equal({
      ends: [1],
      nodes: [5, 10],
      inputs: ['x'],
      received: ['y1', 'p2'],
      given: [],
      outputs: ['y2'],
    });
    expect(variantStage(cut, 1, { given: [], wanted: ['q2'] })).to.deep.include({ nodes: [0, 5, 6], outputs: ['q2'] });
    expect(() => variantStage(cut, 1, { given: ['s1'], wanted: ['y2'] })).to.throw(RangeError, 'has no tensor s1');
  });
});
