import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { maxFields, maxNamesBytes, maxTensors, readModel } from '../../../../src/onnx/file/readModel';
import { WireWriter } from '../../../../src/onnx/file/wireWriter';
import { readFixture } from '../../../harness/fixtures';
import { mutate, seededRandom } from '../mutate';
import { allowedCodes, readEverything } from '../readEverything';
import { plainAttention, smallGraph, smallModel } from '../smallModel';
import { codeOfCall } from '../../../harness/codeOf';

const read = (bytes: Uint8Array): string => codeOfCall(() => analyzeModel(readModel(bytes, 'model.onnx')));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('model files that are not what they should be', () => {
  it('says of an empty file that it ends too early', () => {
    expect(read(new Uint8Array(0))).to.equal('modelTruncated');
  });

  it('knows text, images and archives from models', () => {
    for (const content of [
      'hello world, this is text',
      '# Title\n\nSome words.',
      '{"model_type": "bert"}',
      '<!doctype html><html></html>',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 1234\n',
      '\x89PNG\r\n\x1a\n\0\0\0\rIHDR',
      'PK\x03\x04\x14\0\0\0',
    ]) {
      expect(read(text(content)), content).to.equal('modelNotOnnx');
    }
  });

  it('knows the ORT format', () => {
    expect(read(Uint8Array.from([0x1c, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d, 0, 0, 0, 0]))).to.equal('modelOrtFormat');
  });

  it('refuses a graph without nodes, and a model without a graph', () => {
    expect(read(smallModel({ ...plainAttention, nodes: [] }))).to.equal('modelNotOnnx');
    expect(read(new WireWriter().integer(1, 8).text(2, 'someone').toBytes())).to.equal('modelNotOnnx');
  });

  it('says of every truncation that the file ends too early', async () => {
    const whole = await readFixture('zoo/craft.sink_logits.legacy/model.onnx');
    // The graph is a field of the model, so until it is complete the file is cut short; behind it a model may end anywhere a field does.
    const codes = new Set<string>();
    for (let length = 8; length < whole.length; length++) codes.add(read(whole.slice(0, length)));
    expect([...codes].sort()).to.deep.equal(['modelNotOnnx', 'modelTruncated', 'none']);
    let numOther = 0;
    for (let length = 40; length < whole.length - 40; length++)
      if (read(whole.slice(0, length)) !== 'modelTruncated') numOther++;
    expect(numOther).to.equal(0);
  });

  it('survives truncations of a large graph', async () => {
    const whole = await readFixture('zoo/gpt2.sdpa.legacy.merged/model.onnx');
    for (let length = 64; length < whole.length - 64; length += 1999)
      expect(read(whole.slice(0, length))).to.equal('modelTruncated');
  });

  it('refuses lengths beyond the file, however they are written', () => {
    for (const length of [
      [0x7f],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    ]) {
      expect(read(Uint8Array.from([0x08, 0x08, 0x3a, ...length, 0x0a, 0x00]))).to.be.oneOf([
        'modelTruncated',
        'modelNotOnnx',
      ]);
    }
  });

  it('refuses a part that is longer than what it is in', () => {
    const graph = Uint8Array.from([0x0a, 0x20, 0x22, 0x01]);
    expect(read(new WireWriter().integer(1, 8).bytes(7, graph).integer(5, 1).toBytes())).to.equal('modelNotOnnx');
  });

  it('refuses tensors of negative size, or shorter than their shape', () => {
    const withTensor = (tensor: WireWriter): Uint8Array =>
      new WireWriter().integer(1, 8).message(7, smallGraph(plainAttention).message(5, tensor)).integer(5, 1).toBytes();
    expect(read(withTensor(new WireWriter().integer(1, -4).integer(2, 1).text(8, 'w')))).to.equal('modelNotOnnx');
    expect(
      read(
        withTensor(
          new WireWriter()
            .integer(1, 2 ** 40)
            .integer(2, 1)
            .text(8, 'w')
            .bytes(9, new Uint8Array(4)),
        ),
      ),
    ).to.equal('modelNotOnnx');
  });

  it('refuses names that are not UTF-8', () => {
    const node = new WireWriter().bytes(1, Uint8Array.from([0xff, 0xfe])).text(4, 'Relu');
    expect(read(new WireWriter().message(7, new WireWriter().message(1, node)).integer(5, 1).toBytes())).to.equal(
      'modelNotOnnx',
    );
  });

  it('refuses cycles, and tensors made twice', () => {
    const loop = {
      ...plainAttention,
      nodes: [
        { operator: 'Add', inputs: ['a', 'b'], outputs: ['b'] },
        { operator: 'Neg', inputs: ['b'], outputs: ['a'] },
      ],
    };
    expect(read(smallModel(loop))).to.equal('modelNotOnnx');
    const twice = {
      ...plainAttention,
      nodes: [
        { operator: 'Neg', inputs: ['q'], outputs: ['y'] },
        { operator: 'Abs', inputs: ['q'], outputs: ['y'] },
      ],
    };
    expect(read(smallModel(twice))).to.equal('modelNotOnnx');
  });

  it('reads nodes in any order', () => {
    const analysis = analyzeModel(
      readModel(smallModel({ ...plainAttention, nodes: [...plainAttention.nodes].reverse() }), 'model.onnx'),
    );
    expect(analysis.sites.map((site) => site.tensor)).to.deep.equal(['p']);
  });

  it('refuses graphs nested too deeply, without overflowing the stack', () => {
    let body = new WireWriter().message(1, new WireWriter().text(4, 'Relu').text(1, 'q').text(2, 'z'));
    for (let depth = 0; depth < 2000; depth++) {
      const attribute = new WireWriter().text(1, 'then_branch').message(6, body).integer(20, 5);
      const node = new WireWriter().text(1, 'q').text(2, `y${depth}`).text(4, 'If').message(5, attribute);
      body = new WireWriter().raw(new WireWriter().message(1, node).toBytes());
    }
    expect(read(new WireWriter().integer(1, 8).message(7, body).toBytes())).to.equal('modelUnsupported');
  });

  it('refuses names that are no names for their length, and numbers that never end', () => {
    const node = (content: WireWriter): Uint8Array =>
      new WireWriter()
        .integer(1, 8)
        .message(7, smallGraph(plainAttention).message(1, content.text(4, 'Relu')))
        .integer(5, 1)
        .toBytes();
    expect(read(node(new WireWriter().text(1, 'x'.repeat(2 ** 16 + 1))))).to.equal('modelUnsupported');
    const endless = new Uint8Array(300_000).fill(0x80);
    const tensor = new WireWriter().bytes(1, endless).integer(2, 1).text(8, 'w');
    expect(
      read(
        new WireWriter()
          .integer(1, 8)
          .message(7, smallGraph(plainAttention).message(5, tensor))
          .integer(5, 1)
          .toBytes(),
      ),
    ).to.equal('modelNotOnnx');
  });

  it('refuses what is small and far too many, in a node and beside the graph', function () {
    this.timeout(20_000);
    const many = (tag: number, count: number): Uint8Array => {
      const fields = new Uint8Array(count * 2);
      for (let i = 0; i < fields.length; i += 2) fields[i] = tag;
      return fields;
    };
    const withNode = (content: WireWriter): Uint8Array =>
      new WireWriter().integer(1, 8).message(7, smallGraph(plainAttention).message(1, content)).integer(5, 1).toBytes();
    expect(read(withNode(new WireWriter().text(4, 'Relu').raw(many(0x0a, maxFields + 1))))).to.equal(
      'modelUnsupported',
    );
    expect(
      read(
        new WireWriter()
          .integer(1, 8)
          .message(7, smallGraph(plainAttention))
          .raw(many(0x72, maxTensors + 1))
          .integer(5, 1)
          .toBytes(),
      ),
    ).to.equal('modelUnsupported');
    const texts = new WireWriter();
    for (let i = 0; i < maxNamesBytes / 2 ** 16; i++) texts.bytes(2, new Uint8Array(2 ** 16).fill(65));
    expect(read(withNode(new WireWriter().text(4, 'Relu').raw(texts.toBytes())))).to.equal('modelUnsupported');
  });

  it('refuses a million nodes within a few seconds', function () {
    this.timeout(20_000);
    const node = [0x0a, 0x03, 0x22, 0x01, 0x41];
    const nodes = new Uint8Array(1_000_000 * node.length);
    for (let i = 0; i < nodes.length; i++) nodes[i] = node[i % node.length];
    expect(read(new WireWriter().integer(1, 8).bytes(7, nodes).toBytes())).to.equal('modelUnsupported');
  });

  it('does not take forever over a graph in which everything leads everywhere', function () {
    this.timeout(30_000);
    const nodes = [{ operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['x0'] }];
    for (let i = 0; i < 20_000; i++)
      nodes.push({
        operator: i % 2 === 0 ? 'Add' : 'MatMul',
        inputs: [`x${i}`, `x${Math.max(0, i - 1)}`],
        outputs: [`x${i + 1}`],
      });
    const code = read(smallModel({ ...plainAttention, nodes, outputs: ['x20000'] }));
    expect(code).to.be.oneOf(['none', 'modelUnsupported']);
  });

  it('answers fifteen hundred mutations of the zoo with a typed error or a model', async function () {
    this.timeout(120_000);
    const random = seededRandom(20_260_730);
    const names = [
      'craft.sink_logits.legacy',
      'craft.gqa_rotary',
      'craft.additive.legacy',
      'craft.linear.legacy',
      'craft.onnx_attention_causal',
      'craft.attention_mask1d_full',
      'craft.qattention',
      'vit.eager.dynamo',
      'bert.sdpa.op23',
    ];
    const seeds = await Promise.all(names.map((name) => readFixture(`zoo/${name}/model.onnx`)));
    const seen = new Set<string>();
    for (let i = 0; i < 1500; i++) {
      const code = readEverything(mutate(seeds[i % seeds.length], random));
      expect(allowedCodes.has(code), `${code} in round ${i}`).to.equal(true);
      seen.add(code);
    }
    expect([...seen]).to.include.members(['', 'modelTruncated', 'modelNotOnnx']);
  });
});
