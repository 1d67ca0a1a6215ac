import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { GraphIndex } from '../../../../src/onnx/graph/graphIndex';
import { nodeName, readModel } from '../../../../src/onnx/file/readModel';
import { formatReport, makeReport } from '../../../../src/onnx/report/report';
import { rewriteModel } from '../../../../src/onnx/rewrite/rewriteModel';
import { isWrongOnWebGpu } from '../../../../src/onnx/rewrite/webGpuNodes';
import { WireWriter } from '../../../../src/onnx/file/wireWriter';
import { readFixture } from '../../../harness/fixtures';
import { node, plainAttention, smallGraph, smallModel, weight, type SmallNode } from '../smallModel';

describe('rewriting a model', () => {
  it('leaves large weights where they are, in the file itself', async () => {
    const bytes = await readFixture('zoo/bert.sdpa.legacy/model.onnx');
    const analysis = analyzeModel(readModel(bytes, 'model.onnx'));
    const rewritten = rewriteModel(analysis, { sites: analysis.sites, isWhole: true });
    const again = readModel(rewritten.bytes, 'rewritten');
    const byName = new Map(analysis.model.graph.initializers.map((tensor) => [tensor.name, tensor]));
    let numExternal = 0;
    for (const tensor of again.graph.initializers) {
      const original = byName.get(tensor.name);
      if (tensor.external === undefined) continue;
      numExternal++;
      expect(tensor.external).to.deep.equal({
        location: rewritten.ownBytesName,
        offset: original?.data?.start,
        length: (original?.data?.end ?? 0) - (original?.data?.start ?? 0),
      });
      expect(tensor.dims).to.deep.equal(original?.dims);
    }
    expect(numExternal).to.be.greaterThan(10);
    expect(again.graph.outputs.map((output) => output.name)).to.deep.equal([
      'output',
      ...analysis.sites.map((site) => site.tensor),
    ]);
    expect(again.graph.nodes.length).to.equal(analysis.model.graph.nodes.length);
  });

  it('drops what leads only to outputs that are not wanted', async () => {
    const bytes = await readFixture('zoo/gpt2.sdpa.legacy/model.onnx');
    const analysis = analyzeModel(readModel(bytes, 'model.onnx'));
    const rewritten = rewriteModel(analysis, { sites: analysis.sites, isWhole: false });
    const again = readModel(rewritten.bytes, 'rewritten');
    expect(again.graph.outputs.map((output) => output.name)).to.deep.equal(analysis.sites.map((site) => site.tensor));
    const index = new GraphIndex(again);
    expect(index.ancestors(again.graph.outputs.map((output) => output.name)).nodes.size).to.equal(
      again.graph.nodes.length,
    );
    // The last block's feed-forward part and the logits lead nowhere.
    const count = (graph: { readonly nodes: readonly { readonly opType: string }[] }, opType: string): number =>
      graph.nodes.filter((node) => node.opType === opType).length;
    expect(count(again.graph, 'Gemm')).to.equal(count(analysis.model.graph, 'Gemm') - 3);
  });

  it('converts to single precision only where other floats can occur', async () => {
    const casts = async (name: string): Promise<number> => {
      const analysis = analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), 'model.onnx'));
      const rewritten = readModel(rewriteModel(analysis, { sites: analysis.sites, isWhole: true }).bytes, 'rewritten');
      return rewritten.graph.nodes.length - analysis.index.nodes.length;
    };
    expect(await casts('bert.sdpa.legacy')).to.equal(0);
    expect(await casts('bert.sdpa.legacy.fp16')).to.equal(3);
  });

  it('converts nothing where weights are only stored as halves', () => {
    const outputsWhere = (...others: readonly SmallNode[]): readonly string[] => {
      const stored = smallModel({
        ...plainAttention,
        nodes: [
          node('Cast', ['half'], ['w'], { to: { integer: 1 } }),
          node('Mul', ['x', 'w'], ['q']),
          ...plainAttention.nodes,
          ...others,
        ],
        inputs: { x: [1, 2, 'n', 4], kt: [1, 2, 4, 'n'], v: [1, 2, 'n', 4] },
        weights: { half: weight(4) },
        types: { half: 10 },
      });
      const analysis = analyzeModel(readModel(stored, 'model.onnx'));
      const { bytes } = rewriteModel(analysis, { sites: analysis.sites, isWhole: false });
      return readModel(bytes, 'rewritten').graph.outputs.map(({ name }) => name);
    };
    expect(outputsWhere()).to.deep.equal(['p']);
    // Where they go on as halves, nobody knows how far.
    expect(outputsWhere(node('Mul', ['half', 'half'], ['z']))).to.deep.equal(['attention-explorer-0']);
  });

  it('reports on a file of a gigabyte in less than a second, from its graph alone', () => {
    const size = 2 ** 30;
    const head = new WireWriter().integer(1, 8).toBytes();
    const graph = smallGraph({
      ...plainAttention,
      nodes: [...plainAttention.nodes, { operator: 'Gather', inputs: ['w', 'q'], outputs: ['z'] }],
    }).toBytes();
    const tensor = new WireWriter()
      .integer(1, size / 4)
      .integer(2, 1)
      .text(8, 'w')
      .toBytes();
    const varint = (value: number): number[] =>
      value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
    const raw = [0x4a, ...varint(size)];
    const tensorLength = tensor.length + raw.length + size;
    const field = [0x2a, ...varint(tensorLength)];
    const start = [
      ...head,
      0x3a,
      ...varint(graph.length + field.length + tensorLength),
      ...graph,
      ...field,
      ...tensor,
      ...raw,
    ];
    const opset = new WireWriter().message(8, new WireWriter().integer(2, 17)).toBytes();
    // Zeros that are never touched take no memory.
    const bytes = new Uint8Array(start.length + size + opset.length);
    bytes.set(start);
    bytes.set(opset, start.length + size);
    const began = performance.now();
    const report = makeReport(analyzeModel(readModel(bytes, 'large.onnx')));
    const text = formatReport(report);
    expect(performance.now() - began).to.be.lessThan(1000);
    expect(report.model.fileBytes).to.be.greaterThan(size);
    expect(text).to.contain('1 layer found').and.to.contain('exposed');
  });

  it('names the nodes that must not run on a graphics processor, its own among them, and no others', async () => {
    // A fused operator is refused with a mask, or with weights as an output; its probe is a copy of it.
    const cases: Readonly<Record<string, readonly string[]>> = {
      'craft.mha_keymask': ['MultiHeadAttention', 'MultiHeadAttention'],
      'craft.mha_plain': [],
      'craft.gqa_plain': ['GroupQueryAttention'],
      'bert.sdpa.legacy': ['And', 'And'],
    };
    for (const [name, expected] of Object.entries(cases)) {
      const analysis = analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), name));
      const rewritten = rewriteModel(analysis, { sites: analysis.sites, isWhole: true, needsCpu: isWrongOnWebGpu });
      const again = readModel(rewritten.bytes, name);
      const named = again.graph.nodes.filter((node) => rewritten.cpuNodeNames.includes(nodeName(again, node)));
      expect(
        named.map(({ opType }) => opType),
        name,
      ).to.deep.equal(expected);
      expect(new Set(rewritten.cpuNodeNames).size).to.equal(expected.length);
      expect(rewriteModel(analysis, { sites: analysis.sites, isWhole: true }).cpuNodeNames).to.deep.equal([]);
    }
  });
});
