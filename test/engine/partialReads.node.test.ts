import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import type { FileAccess } from '../../src/engine/files/fileAccess';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { planInputs } from '../../src/onnx/inputs/inputs';
import { readModel } from '../../src/onnx/file/readModel';
import { compactModel } from '../../src/onnx/file/compactModel';
import { WireWriter } from '../../src/onnx/file/wireWriter';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { codeOf } from '../harness/codeOf';

const fixture = (name: string): string => `${process.cwd()}/test/fixtures/zoo/${name}/model.onnx`;
const inMemory = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (offset: number, length: number) => bytes.slice(offset, offset + length),
});

describe('reading a model in parts', () => {
  it('leaves large tensors in the file, whichever way they are stored', async () => {
    const bytes = await readFixture('zoo/gpt2.sdpa.legacy/model.onnx');
    const { bytes: compact, ownName } = compactModel(inMemory(bytes), 'model.onnx');
    expect(compact.length).to.be.lessThan(bytes.length / 2);
    const [whole, small] = [readModel(bytes, 'whole'), readModel(compact, 'compact')];
    expect(small.graph.nodes.map((node) => node.outputs)).to.deep.equal(whole.graph.nodes.map((node) => node.outputs));
    small.graph.initializers.forEach((tensor, i) => {
      const original = whole.graph.initializers[i];
      expect([tensor.name, tensor.dims, tensor.dataType]).to.deep.equal([
        original?.name,
        original?.dims,
        original?.dataType,
      ]);
      if (tensor.external?.location === ownName)
        expect([tensor.external.offset, tensor.external.length]).to.deep.equal([
          original?.data?.start,
          (original?.data?.end ?? 0) - (original?.data?.start ?? 0),
        ]);
    });
  });

  it('gives the same attention as reading all of it', async () => {
    for (const name of [
      'gpt2.sdpa.legacy',
      'gpt2.sdpa.legacy.external',
      'llama.sdpa.dynamo',
      'bert.sdpa.legacy.int8',
      'gpt2.sdpa.legacy.merged',
    ]) {
      const results = [];
      for (const files of [
        await readModelFiles(fixtureAccess, `zoo/${name}/model.onnx`),
        await readModelFiles(nodeFileAccess, fixture(name)),
      ]) {
        const session = await AttentionSession.create({ ort, files });
        const { layers } = await session.run(
          planInputs(files.analysis.index, session.inputNames).make({ ids: new Int32Array(12).fill(7) }).inputs,
        );
        await session.release();
        results.push(layers.map((layer) => [...layer.weights]));
      }
      expect(results[0]?.length).to.be.greaterThan(0);
      expect(results[1], name).to.deep.equal(results[0]);
    }
  });

  it('reads no more than a model needs, whatever a file that takes no room on the disk claims to hold', async function () {
    this.timeout(20_000);
    const folder = mkdtempSync(join(tmpdir(), 'claims-'));
    const path = join(folder, 'model.onnx');
    const [gigabyte, size] = [2 ** 30, 3 * 2 ** 30];
    /** A model with a field, inside the messages named, that claims to be so many bytes long; they are zeros. */
    const claim = async (fields: readonly number[], bytes = size): Promise<{ code: string; held: number }> => {
      let [head, payload] = [new Uint8Array(), bytes];
      for (const field of [...fields].reverse()) {
        const tag = new WireWriter().integer(field, payload).toBytes();
        tag[0] |= 2; // a field of bytes begins as a number does: its length
        head = Uint8Array.from([...tag, ...head]);
        payload += tag.length;
      }
      writeFileSync(path, head);
      truncateSync(path, head.length + bytes);
      appendFileSync(path, new WireWriter().bytes(8, new Uint8Array()).toBytes());
      const before = process.memoryUsage().arrayBuffers;
      let held = 0;
      const watched: FileAccess = {
        ...nodeFileAccess,
        open: async (each) => {
          const file = await nodeFileAccess.open?.(each);
          if (file === undefined) throw new Error('It cannot be read in parts.');
          return {
            size: file.size,
            close: () => file.close(),
            read: (offset, length) => ((held += length), file.read(offset, length)),
          };
        },
      };
      const code = await codeOf(readModelFiles(watched, path));
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(gigabyte / 2);
      return { code, held };
    };
    try {
      const cases: readonly (readonly [string, readonly number[], string])[] = [
        ['the name of the producer', [2], 'modelUnsupported'],
        ['metadata of the model', [14, 2], 'modelUnsupported'],
        ['functions', [25, 7, 3], 'modelUnsupported'],
        ['text for people, which is left out', [6], 'modelNotOnnx'],
        ['training, which is left out', [20, 1, 1], 'modelNotOnnx'],
        ['text for people of the graph, which is left out', [7, 10], 'modelNotOnnx'],
        ['the name of a node', [7, 1, 3], 'modelUnsupported'],
        ['a string of a node', [7, 1, 5, 4], 'modelUnsupported'],
        ['a list of a graph', [7, 13], 'modelUnsupported'],
        ['the name of a tensor', [7, 5, 8], 'modelUnsupported'],
      ];
      for (const [what, fields, code] of cases) {
        const { code: said, held } = await claim(fields);
        expect([what, said]).to.deep.equal([what, code]);
        expect(held, what).to.be.below(2 ** 22);
      }
      // Zeros are fields of two bytes each: what is small and many is counted.
      expect((await claim([7], gigabyte / 4)).code).to.equal('modelUnsupported');
      expect((await claim([7, 5], gigabyte / 4)).code).to.equal('modelUnsupported');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says of truncated and foreign files the same as reading all of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'partial-'));
    const path = join(folder, 'model.onnx');
    const codeOfFile = (bytes: Uint8Array): Promise<string> => {
      writeFileSync(path, bytes);
      return codeOf(readModelFiles(nodeFileAccess, path));
    };
    try {
      const whole = await readFixture('zoo/gpt2.sdpa.legacy/model.onnx');
      expect(await codeOfFile(whole)).to.equal('none');
      for (const length of [0, 100, 5000, whole.length / 2, whole.length - 100])
        expect(await codeOfFile(whole.slice(0, length))).to.equal('modelTruncated');
      for (const text of [
        'hello world, this is text',
        '# Title\n\nSome words.',
        'version https://git-lfs.github.com/spec/v1\n',
      ])
        expect(await codeOfFile(new TextEncoder().encode(text))).to.equal('modelNotOnnx');
      expect(await codeOfFile(Uint8Array.from([0x1c, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d, 0, 0, 0, 0]))).to.equal(
        'modelOrtFormat',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
