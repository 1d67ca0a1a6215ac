import { expect } from 'chai';
import { ExplorerError } from '../../../../src/base/errors';
import { analyzeModel, type ModelAnalysis } from '../../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../../src/onnx/file/readModel';
import { rewriteModel } from '../../../../src/onnx/rewrite/rewriteModel';
import { encodeMadeNode, encodeNode } from '../../../../src/onnx/file/nodeBytes';
import { WireWriter } from '../../../../src/onnx/file/wireWriter';
import { plainAttention, smallGraph } from '../smallModel';

const domain = 'made.here';

interface SmallFunction {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Uint8Array[];
  readonly opsets?: Readonly<Record<string, number>>;
  readonly defaults?: readonly Uint8Array[];
}

const referring = (name: string, to: string): Uint8Array =>
  new WireWriter().text(1, name).integer(20, 2).text(21, to).toBytes();
const integer = (name: string, value: number): Uint8Array =>
  new WireWriter().text(1, name).integer(3, value).integer(20, 2).toBytes();

/** A model that calls the first of its functions on q, kt and v. */
function modelOf(
  functions: readonly SmallFunction[],
  attributes: Parameters<typeof encodeNode>[3] = {},
  inputs = ['q', 'kt', 'v'],
): Uint8Array {
  const graph = smallGraph({ ...plainAttention, nodes: [] }).bytes(
    1,
    encodeMadeNode({
      operator: `${domain}.${functions[0]?.name}`,
      inputs,
      outputs: ['y'],
      attributes,
      name: 'layer_4/call',
    }),
  );
  const model = new WireWriter().integer(1, 8).message(7, graph).message(8, new WireWriter().integer(2, 17));
  model.message(8, new WireWriter().text(1, domain).integer(2, 1));
  for (const each of functions) {
    const written = new WireWriter().text(1, each.name).text(10, domain);
    for (const name of each.inputs) written.text(4, name);
    for (const name of each.outputs) written.text(5, name);
    for (const node of each.nodes) written.bytes(7, node);
    for (const value of each.defaults ?? []) written.bytes(11, value);
    for (const [key, version] of Object.entries(each.opsets ?? { '': 17, [domain]: 1 }))
      written.message(9, new WireWriter().text(1, key).integer(2, version));
    model.message(25, written);
  }
  return model.toBytes();
}

const analyze = (bytes: Uint8Array): ModelAnalysis => analyzeModel(readModel(bytes, 'model.onnx'));
const codeOf = (bytes: Uint8Array): unknown => {
  try {
    analyze(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof ExplorerError)) throw error;
    return [error.code, error.args[1]];
  }
};

const attention: SmallFunction = {
  name: 'attention',
  inputs: ['a', 'b', 'c'],
  outputs: ['r'],
  nodes: [
    encodeNode('MatMul', ['a', 'b'], ['s']),
    encodeMadeNode({ operator: `${domain}.weigh`, inputs: ['s', 'c'], outputs: ['r'], name: 'weigh' }),
  ],
};
const weigh: SmallFunction = {
  name: 'weigh',
  inputs: ['s', 'v'],
  outputs: ['r'],
  nodes: [
    encodeNode('Softmax', ['s'], ['p'], { axis: { raw: referring('axis', 'over') } }),
    encodeNode('MatMul', ['p', 'v'], ['r']),
  ],
  defaults: [integer('over', -1)],
};

describe('functions that a model defines', () => {
  it('are put in the place of their calls, nested ones too', () => {
    const { sites, index, model } = analyze(modelOf([attention, weigh]));
    expect(index.nodes.map((node) => node.opType)).to.deep.equal(['MatMul', 'Softmax', 'MatMul']);
    expect(index.integerAttribute(1, 'axis')).to.equal(-1);
    expect(sites.map(({ path, modelLayer, method }) => ({ path, modelLayer, method }))).to.deep.equal([
      { path: 'layer_4.call.weigh', modelLayer: 4, method: 'exposed' },
    ]);
    expect(model.functions).to.deep.equal([]);
    const rewritten = readModel(
      rewriteModel(analyze(modelOf([attention, weigh])), { sites, isWhole: true }).bytes,
      'rewritten.onnx',
    );
    expect(rewritten.functions).to.deep.equal([]);
    expect(rewritten.graph.outputs.map((output) => output.name)).to.deep.equal(['y', sites[0]?.tensor]);
  });

  it('take attributes from the call, and leave out those that it does not give', () => {
    const axis = (attributes: Parameters<typeof encodeNode>[3], defaults: readonly Uint8Array[]): unknown =>
      analyze(
        modelOf(
          [
            {
              ...weigh,
              inputs: ['s', 'k', 'v'],
              nodes: [
                encodeNode('MatMul', ['s', 'k'], ['t']),
                encodeNode('Softmax', ['t'], ['p'], { axis: { raw: referring('axis', 'over') } }),
                encodeNode('MatMul', ['p', 'v'], ['r']),
              ],
              defaults,
            },
          ],
          attributes,
        ),
      ).index.integerAttribute(1, 'axis');
    expect(axis({ over: { integer: 3 } }, [integer('over', -1)])).to.equal(3);
    expect(axis({}, [integer('over', 2)])).to.equal(2);
    expect(axis({}, [])).to.equal(undefined);
  });

  it('rename what the bodies of their conditionals use', () => {
    const branch = (value: string): Uint8Array => {
      const graph = new WireWriter()
        .bytes(1, encodeNode('Identity', [value], ['out']))
        .text(2, 'branch')
        .message(12, new WireWriter().text(1, 'out'));
      return graph.toBytes();
    };
    const attribute = (name: string, value: string): Uint8Array =>
      new WireWriter().text(1, name).bytes(6, branch(value)).integer(20, 5).toBytes();
    const nodes = [
      encodeNode('If', ['c'], ['r'], {
        then_branch: { raw: attribute('then_branch', 'a') },
        else_branch: { raw: attribute('else_branch', 'b') },
      }),
    ];
    const { index } = analyze(modelOf([{ ...attention, nodes }]));
    expect(index.dependencies(0)).to.deep.equal(['v', 'q', 'kt']);
  });

  it('may hand an input on, or leave one out', () => {
    const { index } = analyze(
      modelOf([{ ...attention, nodes: [encodeNode('Clip', ['a', '', 'c'], ['s'])], outputs: ['a'] }], {}, ['q', '']),
    );
    expect(index.nodes.map((node) => [node.opType, ...node.inputs, ...node.outputs].join(' '))).to.deep.equal([
      'Clip q   function-0/s',
      'Identity q y',
    ]);
  });

  it('stay as they are where they use another version of the operators', () => {
    const { sites, missed } = analyze(
      modelOf([
        { ...attention, opsets: { '': 13, [domain]: 1 } },
        { ...weigh, opsets: { '': 13 } },
      ]),
    );
    expect(sites).to.deep.equal([]);
    expect(missed.map((each) => each.path)).to.deep.equal(['made.here.weigh']);
  });

  it('may not call themselves, nor grow beyond bounds', () => {
    const calling = (name: string, other: string, times = 1): SmallFunction => ({
      name,
      inputs: ['a', 'b', 'c'],
      outputs: ['r'],
      nodes: Array.from({ length: times }, (_, i) =>
        encodeNode(`${domain}.${other}`, ['a', 'b', 'c'], [i === 0 ? 'r' : `r${i}`]),
      ),
    });
    expect(codeOf(modelOf([calling('f', 'g'), calling('g', 'f')]))).to.deep.equal([
      'modelUnsupported',
      'its functions call themselves',
    ]);
    const tower = Array.from({ length: 40 }, (_, i) => calling(`f${i}`, `f${i + 1}`));
    expect(codeOf(modelOf([...tower, { ...attention, name: 'f40' }]))).to.deep.equal([
      'modelUnsupported',
      'its functions are nested too deeply',
    ]);
    const doubling = Array.from({ length: 30 }, (_, i) => calling(`f${i}`, `f${i + 1}`, 2));
    expect(codeOf(modelOf([...doubling, { ...attention, name: 'f30' }]))).to.deep.equal([
      'modelUnsupported',
      'its functions become too many nodes',
    ]);
    expect(codeOf(modelOf([{ ...attention, inputs: ['a'] }]))).to.deep.equal([
      'modelNotOnnx',
      'a call of its function "attention" does not fit it',
    ]);
  });
});
