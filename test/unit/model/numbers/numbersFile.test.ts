import { expect } from 'chai';
import { unzipSync } from 'fflate';
import { readSafetensors, type StoredTensor } from '../../../../src/cli/safetensors';
import { toHalf } from '../../../../src/model/numbers/half';
import type { Numbers } from '../../../../src/model/numbers/numbers';
import { fileOf, plainFileForm, type FileForm } from '../../../../src/model/numbers/numbersFile';
import { crc32, ZipFrame } from '../../../../src/model/numbers/zip';
import { plain } from '../../../../src/base/safeText';
import type { LayerInfo } from '../../../../src/model/head';
import type { Token } from '../../../../src/model/token';

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
const tokenAt = (start: number): Token => ({ id: start, piece: 'x', start, end: start + 1, isSpecial: false });
const values = Float32Array.from({ length: 18 }, (_, i) => i / 32);

/** A head of its own numbers; layer 0 failed its checks, and keeps its place. */
const numbers: Numbers = {
  model: { name: plain('tiny'), backend: 'wasm' },
  notices: [],
  streams: [{ role: 'source', text, tokens }],
  components: [
    { component: 'self', layers: [{ ...layer, numHeads: 0 }, layer], queryStream: 0, keyStream: 0, isCausal: false },
  ],
  method: 'attention',
  heads: undefined,
  read: (_, { head }) => Promise.resolve(values.slice(9 * head, 9 * head + 9)),
};

async function bytesOf(form: Partial<FileForm>, of: Numbers = numbers): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of fileOf(of, { format: 'safetensors', ...plainFileForm, ...form })) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

const textOf = async (form: Partial<FileForm>, of?: Numbers): Promise<string> =>
  new TextDecoder().decode(await bytesOf(form, of));
const tensorsOf = async (of?: Numbers): Promise<ReadonlyMap<string, StoredTensor>> =>
  readSafetensors(await bytesOf({}, of), 'w');
const metadataOf = (tensors: ReadonlyMap<string, StoredTensor>): any =>
  JSON.parse(new TextDecoder().decode(tensors.get('metadata')?.data));
const read = (tensor: StoredTensor | undefined, kind: typeof Float32Array | typeof Int32Array): number[] => [
  ...new kind(tensor?.data.slice().buffer ?? new ArrayBuffer(0)),
];

describe('A file of numbers', () => {
  it('has a layer’s heads in order, and what its tokens are, in UTF-16 units and in code points', async () => {
    const tensors = await tensorsOf();
    expect([...tensors.keys()]).to.deep.equal([
      'attention.self.1',
      'source.ids',
      'source.special',
      'source.offsets',
      'source.codePoints',
      'metadata',
    ]);
    expect(tensors.get('attention.self.1')).to.deep.include({ dtype: 'F32', shape: [2, 3, 3] });
    expect(read(tensors.get('attention.self.1'), Float32Array)).to.deep.equal([...values]);
    expect(read(tensors.get('source.ids'), Int32Array)).to.deep.equal([7, 1, 300]);
    expect([...(tensors.get('source.special')?.data ?? [])]).to.deep.equal([1, 0, 0]);
    expect(read(tensors.get('source.offsets'), Int32Array)).to.deep.equal([0, 0, 0, 1, 1, 3]);
    expect(read(tensors.get('source.codePoints'), Int32Array)).to.deep.equal([0, 0, 0, 1, 1, 2]);
    const { version, streams, components, method } = metadataOf(tensors);
    expect([version, method.formula]).to.deep.equal([1, 'A_ij']);
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
    const tensors = await tensorsOf({ ...numbers, heads: [{ layer: 1, head: 1 }] });
    expect(tensors.get('attention.self.1')?.shape).to.deep.equal([1, 3, 3]);
    expect(read(tensors.get('attention.self.1'), Float32Array)).to.deep.equal([...values.subarray(9)]);
    expect(metadataOf(tensors).components[0].layers[0].heads).to.deep.equal(['1.1']);
  });

  it('says the same as safetensors and as npz, in float32 and in float16', async () => {
    for (const precision of ['float32', 'float16'] as const) {
      const tensors = readSafetensors(await bytesOf({ precision }), 'w');
      const zipped = unzipSync(await bytesOf({ format: 'npz', precision }));
      expect(Object.keys(zipped)).to.deep.equal([...tensors.keys()].map((name) => `${name}.npy`));
      for (const [name, { shape, data }] of tensors) {
        const file = zipped[`${name}.npy`];
        expect([...file.subarray(0, 8)], name).to.deep.equal([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
        const length = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
        expect((10 + length) % 64, name).to.equal(0);
        const header = new TextDecoder().decode(file.subarray(10, 10 + length));
        expect(header, name).to.match(
          /^\{'descr': '[<|][fiub]\d', 'fortran_order': False, 'shape': \((?:\d+, ?)+\), \} *\n$/,
        );
        const sides = (header.match(/\((.*)\)/)?.[1] ?? '').split(',').filter((side) => side.trim() !== '');
        expect(sides.map(Number), name).to.deep.equal([...shape]);
        expect([...file.subarray(10 + length)], name).to.deep.equal([...data]);
      }
      expect(tensors.get('attention.self.1')?.data.length).to.equal(precision === 'float16' ? 36 : 72);
    }
  });

  it('has in CSV one line for each number from the threshold on, and no cell that a spreadsheet computes', async () => {
    const streams = [{ role: 'source' as const, text: '=+"', tokens: [0, 1, 2].map(tokenAt) }];
    const lines = (await textOf({ format: 'csv', threshold: 0.5 }, { ...numbers, streams })).split('\r\n');
    expect(lines).to.deep.equal([
      'query,key,query_text,key_text,layer,head,weight',
      `2,1,"""","'+",1,1,0.5`,
      `2,2,"""","""",1,1,0.53125`,
      '',
    ]);
    const all = await textOf({ format: 'csv', threshold: 0 }, { ...numbers, streams });
    expect(all.split('\r\n')).to.have.length(20);
    expect(all).to.include(`"'=","'+",1,0,0.03125`);
  });

  it('is JSON that says the same', async () => {
    const { streams, heads, method } = JSON.parse(await textOf({ format: 'json' }));
    expect(heads.map(({ head }: { head: string }) => head)).to.deep.equal(['1.0', '1.1']);
    expect(heads.flatMap(({ weights }: { weights: number[][] }) => weights.flat())).to.deep.equal([...values]);
    expect([streams[0].tokens[2].id, method.id]).to.deep.equal([300, 'attention']);
  });

  it('reads no more ahead than a third of a layer, or the next head, and ends with what reading one throws', async () => {
    const asked: string[] = [];
    const failing: Numbers = {
      ...numbers,
      components: [{ ...numbers.components[0], layers: [{ ...layer, numHeads: 4 }] }],
      read: async (_, { head }) => {
        asked.push(`0.${head}`);
        if (head === 1) throw new Error('gone');
        return values.slice(0, 9);
      },
    };
    expect(await bytesOf({}, failing).catch((error: Error) => error.message)).to.equal('gone');
    expect(asked).to.deep.equal(['0.0', '0.1', '0.2']);
  });
});

describe('Half precision', () => {
  it('is rounded to the nearest, of two as near to the even one', () => {
    // numpy.float32([...]).astype(numpy.float16).view(numpy.uint16)
    const cases: readonly (readonly [number, number])[] = [
      [0, 0], [-0, 0x8000], [1, 0x3c00], [0.1, 0x2e66], [1 / 3, 0x3555], [65504, 0x7bff], [65519.99, 0x7bff], [65520, 0x7c00],
      [1e9, 0x7c00], [-Infinity, 0xfc00], [NaN, 0x7e00], [2 ** -24, 1], [2 ** -25, 0], [3 * 2 ** -25, 2], [2 ** -14, 0x400],
      [6.0976e-5, 0x3ff], [2 ** -14 - 2 ** -26, 0x400], [1 + 2 ** -11, 0x3c00], [1 + 3 * 2 ** -11, 0x3c02], [-2.5e-7, 0x8004],
    ]; // prettier-ignore
    expect([...toHalf(Float32Array.from(cases, ([value]) => value))]).to.deep.equal(cases.map(([, bits]) => bits));
  });
});

describe('The frame of a zip', () => {
  it('has the check sum of CRC-32', () => {
    const digits = new TextEncoder().encode('123456789');
    expect(crc32(digits)).to.equal(0xcbf43926);
    const long = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
    for (const cut of [0, 1, 3, 500, 999])
      expect(crc32(long.subarray(cut), crc32(long.subarray(0, cut)))).to.equal(crc32(long));
  });

  it('has lengths and places beyond 4 GiB, and more files than 65,535, in the fields of Zip64', () => {
    const frame = new ZipFrame();
    const size = 5 * 2 ** 30;
    const first = new DataView(frame.begin('large', size).buffer);
    expect([first.getUint32(18, true), first.getUint32(22, true), first.getUint16(28, true)]).to.deep.equal([
      0xffffffff, 0xffffffff, 20,
    ]);
    expect(first.getBigUint64(30 + 5 + 4, true)).to.equal(BigInt(size));
    const behind = new DataView(frame.end(7).buffer);
    expect([behind.byteLength, behind.getBigUint64(8, true)]).to.deep.equal([24, BigInt(size)]);
    const place = first.byteLength + size + behind.byteLength;
    const second = frame.begin('small', 3);
    expect(second.length).to.equal(35);
    const end = frame.end(8);
    const listed = frame.finish();
    const view = new DataView(listed.buffer);
    const length = 46 + 5 + 4 + 16;
    expect(view.getBigUint64(46 + 5 + 4, true)).to.equal(BigInt(size));
    // The second one's own lengths are small, and only its place is not.
    expect([view.getUint32(length + 24, true), view.getUint32(length + 42, true)]).to.deep.equal([3, 0xffffffff]);
    expect(view.getBigUint64(length + 46 + 5 + 4, true)).to.equal(BigInt(place));
    const zip64 = length + 46 + 5 + 12;
    expect(view.getUint32(zip64, true)).to.equal(0x06064b50);
    expect(view.getBigUint64(zip64 + 48, true)).to.equal(BigInt(place + second.length + 3 + end.length));

    const many = new ZipFrame();
    for (let i = 0; i < 65_536; i++) {
      many.begin(`${i}`, 0);
      many.end(0);
    }
    const last = many.finish();
    const tail = new DataView(last.buffer, last.byteLength - 22 - 20 - 56);
    expect([tail.getUint32(0, true), tail.getBigUint64(24, true)]).to.deep.equal([0x06064b50, 65_536n]);
  });
});
