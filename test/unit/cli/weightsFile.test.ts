import { expect } from 'chai';
import { unzipSync } from 'fflate';
import { writeNpz } from '../../../src/cli/npz';
import { readSafetensors, writeSafetensors, type StoredTensor } from '../../../src/cli/safetensors';
import { weightTensors, type WrittenWeights } from '../../../src/cli/weightsFile';
import { AttentionStore } from '../../../src/engine/weights/attentionStore';
import { WholeLayer } from '../../../src/engine/weights/heldLayer';
import { plain } from '../../../src/base/safeText';
import type { LayerInfo } from '../../../src/model/head';
import type { Token } from '../../../src/model/token';
import { errorOf } from '../../harness/codeOf';

const layer: LayerInfo = {
  path: plain('model.layers.0'),
  numHeads: 2,
  numKeyValueHeads: 2,
  normalization: 'softmax',
  method: 'exposed',
  held: 'whole',
};
const text = 'a😀b';
const tokens: readonly Token[] = [
  { id: 7, piece: '[CLS]', start: 0, end: 0, isSpecial: true },
  { id: 1, piece: 'a', start: 0, end: 1, isSpecial: false },
  { id: 300, piece: '😀', start: 1, end: 3, isSpecial: false },
];
const values = Float32Array.from({ length: 18 }, (_, i) => i / 32);

function weights(numTokens = tokens.length): WrittenWeights {
  const store = new AttentionStore(Infinity);
  store.add(1, [new WholeLayer('self', 0, 0, 0, new Float32Array(0)), new WholeLayer('self', 2, 3, 3, values)]);
  return {
    model: {
      name: plain('tiny'),
      path: '/m',
      backend: 'wasm',
      backendReason: plain(''),
      numThreads: 1,
      contextLength: undefined,
      vocabularySize: undefined,
      reads: 'text',
    },
    notices: [],
    streams: [
      {
        role: 'source',
        text,
        tokens: numTokens === tokens.length ? tokens : Array.from({ length: numTokens }, () => tokens[1]),
      },
    ],
    // A layer whose checks failed keeps its number.
    components: [
      { component: 'self', layers: [{ ...layer, numHeads: 0 }, layer], queryStream: 0, keyStream: 0, isCausal: false },
    ],
    store,
    runId: 1,
    head: undefined,
  };
}

const metadataOf = (tensors: ReadonlyMap<string, StoredTensor>): any =>
  JSON.parse(new TextDecoder().decode(tensors.get('metadata')?.data));
const numbers = (tensor: StoredTensor | undefined, kind: typeof Float32Array | typeof Int32Array): number[] => [
  ...new kind(tensor?.data.slice().buffer ?? new ArrayBuffer(0)),
];

describe('A file of weights', () => {
  it('has a layer’s heads in order, and what its tokens are, in UTF-16 units and in code points', async () => {
    const tensors = await weightTensors(weights());
    expect([...tensors.keys()]).to.deep.equal([
      'attention.self.1',
      'source.ids',
      'source.special',
      'source.offsets',
      'source.codePoints',
      'metadata',
    ]);
    expect(tensors.get('attention.self.1')).to.deep.include({ dtype: 'F32', shape: [2, 3, 3] });
    expect(numbers(tensors.get('attention.self.1'), Float32Array)).to.deep.equal([...values]);
    expect(numbers(tensors.get('source.ids'), Int32Array)).to.deep.equal([7, 1, 300]);
    expect([...(tensors.get('source.special')?.data ?? [])]).to.deep.equal([1, 0, 0]);
    expect(numbers(tensors.get('source.offsets'), Int32Array)).to.deep.equal([0, 0, 0, 1, 1, 3]);
    expect(numbers(tensors.get('source.codePoints'), Int32Array)).to.deep.equal([0, 0, 0, 1, 1, 2]);
    const { version, streams, components } = metadataOf(tensors);
    expect(version).to.equal(1);
    expect(streams).to.deep.equal([{ name: 'source', text, pieces: ['[CLS]', 'a', '😀'] }]);
    expect(components[0].layers).to.deep.equal([
      {
        array: 'attention.self.1',
        path: 'model.layers.0',
        heads: ['1.0', '1.1'],
        method: 'exposed',
        normalization: 'softmax',
      },
    ]);
  });

  it('has one head where one is named', async () => {
    const tensors = await weightTensors({ ...weights(), head: { layer: 1, head: 1 } });
    expect(tensors.get('attention.self.1')?.shape).to.deep.equal([1, 3, 3]);
    expect(numbers(tensors.get('attention.self.1'), Float32Array)).to.deep.equal([...values.subarray(9)]);
    expect(metadataOf(tensors).components[0].layers[0].heads).to.deep.equal(['1.1']);
  });

  it('is bounded, before anything is gathered', async () => {
    const error = await errorOf(weightTensors(weights(20_000)));
    expect(error.code).to.equal('invalidArgument');
    expect(error.message).to.equal(
      '--out is not valid: the weights take 3052 MB, and at most 1024 MB are written: name one of the heads with --head, or give fewer lines.',
    );
  });

  it('says the same as safetensors and as npz', async () => {
    const tensors = await weightTensors(weights());
    const read = readSafetensors(writeSafetensors(tensors), 'w');
    const zipped = unzipSync(writeNpz(tensors));
    for (const [name, { shape, data }] of tensors) {
      expect(read.get(name), name).to.deep.include({ shape: [...shape] });
      expect([...(read.get(name)?.data ?? [])], name).to.deep.equal([...data]);
      const file = zipped[`${name}.npy`];
      expect([...file.subarray(0, 8)], name).to.deep.equal([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
      const length = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
      expect((10 + length) % 64, name).to.equal(0);
      const header = new TextDecoder().decode(file.subarray(10, 10 + length));
      expect(header, name).to.match(
        /^\{'descr': '[<|][fiub]\d', 'fortran_order': False, 'shape': \((?:\d+, ?)+\), \} *\n$/,
      );
      expect(
        header
          .match(/\((.*)\)/)?.[1]
          ?.split(',')
          .filter((side) => side.trim() !== '')
          .map(Number),
        name,
      ).to.deep.equal([...shape]);
      expect([...file.subarray(10 + length)], name).to.deep.equal([...data]);
    }
  });
});
