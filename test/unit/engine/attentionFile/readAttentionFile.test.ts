import { expect } from 'chai';
import { unzipSync, zipSync } from 'fflate';
import { clauseIn } from '../../../../src/base/clauses';
import { ExplorerError } from '../../../../src/base/errors';
import { readAttentionFile, type FileAttention } from '../../../../src/engine/attentionFile/readAttentionFile';
import { npyHeader, safetensorsHeader } from '../../../../src/model/numbers/writtenArrays';
import { toHalf } from '../../../../src/model/numbers/half';

type Arrays = Readonly<
  Record<string, readonly [type: 'F32' | 'F16' | 'I32' | 'U8', shape: readonly number[], data: Uint8Array]>
>;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
const floats = (values: readonly number[]): Uint8Array => bytesOf(Float32Array.from(values));
const text = (value: unknown): readonly ['U8', readonly number[], Uint8Array] => {
  const bytes = new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
  return ['U8', [bytes.length], bytes];
};

function safetensors(arrays: Arrays): Uint8Array {
  const named = Object.entries(arrays).map(([name, [type, shape]]) => ({ name, type, shape }));
  return new Uint8Array(Buffer.concat([safetensorsHeader(named), ...Object.values(arrays).map(([, , data]) => data)]));
}

function npz(arrays: Arrays, level: 0 | 6 = 0): Uint8Array {
  return zipSync(
    Object.fromEntries(
      Object.entries(arrays).map(([name, [type, shape, data]]) => [
        `${name}.npy`,
        [new Uint8Array(Buffer.concat([npyHeader({ type, shape }), data])), { level }],
      ]),
    ),
  );
}

/** Two heads over three tokens: one reads the token before, the other all that it can. */
const causal = [1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5];
const plain: Arrays = {
  'attention.self.1': ['F32', [1, 2, 3, 3], floats(causal)],
  tokens: text(['The', ' cat', ' sat']),
};
const open = (bytes: Uint8Array): FileAttention =>
  readAttentionFile(Buffer.concat([bytes]), '/a/b.attention.npz', 'b.attention.npz');

describe('An attention file', () => {
  for (const [title, write] of [
    ['safetensors', safetensors],
    ['npz', npz],
    ['packed npz', (arrays: Arrays) => npz(arrays, 6)],
  ] as const)
    it(`is read as a run, from ${title}`, async () => {
      const { model, streams, components, layers, notices } = open(write(plain));
      expect(model).to.deep.include({ name: 'b.attention.npz', backend: 'file' });
      expect(streams).to.have.length(1);
      expect(streams[0]).to.deep.include({ role: 'source', text: 'The cat sat' });
      expect(streams[0].tokens.map(({ start, end }) => [start, end])).to.deep.equal([[0, 3], [3, 7], [7, 11]]); // prettier-ignore
      expect(components).to.have.length(1);
      expect(components[0]).to.deep.include({ component: 'self', isCausal: true, queryStream: 0, keyStream: 0 });
      expect(components[0].layers.map(({ numHeads, normalization }) => [numHeads, normalization])).to.deep.equal([
        [0, 'softmax'],
        [2, 'softmax'],
      ]);
      expect([...(await layers[1].rows(0, 0, 3)), ...(await layers[1].rows(1, 0, 3))]).to.deep.equal(causal);
      expect(notices).to.deep.equal([]);
    });

  it('may be of half precision, with a text, places in code points and no tokens, and special ones', async () => {
    const { streams, layers } = open(
      npz({
        'attention.encoder.0': ['F16', [1, 2, 2], bytesOf(toHalf(Float32Array.of(0.1, 0.9, 0.5, 0.5)))],
        text: text('😀b'),
        codePoints: ['I32', [2, 2], bytesOf(Int32Array.of(0, 1, 1, 2))],
        ids: ['I32', [2], bytesOf(Int32Array.of(7, 8))],
        special: ['U8', [2], Uint8Array.of(1, 0)],
      }),
    );
    expect(streams[0].tokens).to.deep.equal([
      { id: 7, piece: '😀', start: 0, end: 2, isSpecial: true },
      { id: 8, piece: 'b', start: 2, end: 3, isSpecial: false },
    ]);
    expect((await layers[0].rows(0, 0, 1))[0]).to.be.closeTo(0.1, 1e-4);
  });

  it('may be of an encoder–decoder model, each component over its own texts', () => {
    const { streams, components } = open(
      safetensors({
        'attention.cross.0': ['F32', [1, 1, 2], floats([0.5, 0.5])],
        'attention.encoder.0': ['F32', [1, 2, 2], floats([1, 0, 0, 1])],
        'source.tokens': text(['a', 'b']),
        'target.tokens': text(['<s>']),
      }),
    );
    expect(streams.map(({ role, text: read }) => [role, read])).to.deep.equal([
      ['source', 'a b'],
      ['target', '<s>'],
    ]);
    expect(
      components.map(({ component, queryStream, keyStream }) => [component, queryStream, keyStream]),
    ).to.deep.equal([
      ['cross', 1, 0],
      ['encoder', 0, 0],
    ]);
  });

  it('may be of a picture, cut into a grid behind a class token', () => {
    const { streams, picture, model } = open(
      safetensors({
        'attention.self.0': ['F32', [1, 3, 3], floats([1, 0, 0, 0, 1, 0, 0, 0, 1])],
        tokens: text(['[CLS]', '1,1', '1,2']),
        grid: ['I32', [2], bytesOf(Int32Array.of(1, 2))],
        image: ['U8', [1, 2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)],
      }),
    );
    expect(model.reads).to.equal('image');
    expect(streams[0].grid).to.deep.equal({ rows: 1, columns: 2, first: 1, patchWidth: 1, patchHeight: 1 });
    expect([...(picture?.pixels ?? [])]).to.deep.equal([1, 2, 3, 255, 4, 5, 6, 255]);
  });

  it('may be of a picture in tiles, each where it stands, and once more as a whole', () => {
    const size = 8;
    const grid = {
      ...{ rows: 2, columns: 2, first: 1, patchWidth: 3, patchHeight: 3 },
      tiles: { rows: 2, columns: 1, starts: [1, 4] },
      thumbnail: { rows: 1, columns: 1, first: 7, patchWidth: 6, patchHeight: 6 },
    };
    const read = (told: unknown): FileAttention =>
      open(
        safetensors({
          'attention.self.0': ['F32', [1, size, size], floats(Array.from({ length: size ** 2 }, () => 1 / size))],
          image: ['U8', [4, 4, 3], new Uint8Array(48)],
          'image.ids': ['I32', [size], bytesOf(new Int32Array(size))],
          metadata: text({ streams: [{ name: 'image', text: '', grid: told }] }),
        }),
      );
    const [stream] = read(grid).streams;
    expect(stream.grid).to.deep.equal({
      ...{ rows: 2, columns: 2, first: 1, patchWidth: 2, patchHeight: 2 },
      tiles: grid.tiles,
      thumbnail: { ...grid.thumbnail, patchWidth: 4, patchHeight: 4 },
    });
    expect(stream.tokens.map(({ piece }) => piece)).to.deep.equal(
      ['[CLS]', '1,1', '2,1', '[S2]', '1,2', '2,2', '[S3]', 'thumbnail 1,1'], // prettier-ignore
    );
    // What places tokens twice, or outside, or is of another form fits no tokens.
    for (const wrong of [
      { ...grid, tiles: { ...grid.tiles, starts: [1, 2] } },
      { ...grid, tiles: { ...grid.tiles, starts: [4, 1] } },
      { ...grid, tiles: { ...grid.tiles, starts: [1] } },
      { ...grid, tiles: { ...grid.tiles, starts: [1, 1e9] } },
      { ...grid, tiles: { ...grid.tiles, rows: 0 } },
      { ...grid, tiles: 'none' },
      { ...grid, thumbnail: { ...grid.thumbnail, first: 5 } },
      { ...grid, thumbnail: { ...grid.thumbnail, first: 8 } },
      { ...grid, thumbnail: { ...grid.thumbnail, rows: -1 } },
    ])
      expect(() => read(wrong), JSON.stringify(wrong)).to.throw(ExplorerError, 'the grid does not fit');
  });

  it('has norms and values where it has them, and says which it lacks', () => {
    const { weighings } = open(
      safetensors({
        ...plain,
        'norm.self.1': ['F32', [2, 3], floats([1, 2, 3, 4, 5, 6])],
        'value.self.1': ['F32', [2, 2, 8], floats(Array.from({ length: 32 }, () => 1))],
      }),
    );
    const [, { norms, values }] = weighings('self');
    expect([...norms]).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(values).to.equal('the array "value.self.1" is not of 2 heads and 3 keys, or holds what is no number');
    expect(open(safetensors(plain)).weighings('self')[1].norms).to.equal('the file has no array "norm.self.1"');
    const summed = (shape: readonly number[], number: number) =>
      open(safetensors({ ...plain, 'summed.self.1': ['F32', shape, floats(Array(9).fill(number))] })).weighings(
        'self',
      )[1].joined?.summed;
    expect(summed([1, 3, 3], 2)).to.deep.include({ numHeads: 1, weights: new Float32Array(9).fill(2) });
    for (const wrong of [summed([9], 2), summed([3, 3], NaN)])
      expect(wrong).to.equal('the array "summed.self.1" is not of 3 queries and 3 keys, or holds what is no number');
  });

  it('is not taken for shares where a weight is negative, nor for causal where one stands behind, wherever that is', () => {
    for (const size of [3, 5, 8])
      for (let at = 0; at < size; at++) {
        const rows = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
        const told = (row: number, key: number, weight: number) => {
          const weights = Array.from(rows);
          weights[row * size + key] += weight;
          weights[row * size + ((key + 1) % size)] -= weight;
          const [{ isCausal, layers }] = open(
            safetensors({
              'attention.self.0': ['F32', [1, size, size], floats(weights)],
              tokens: text(Array.from({ length: size }, String)),
            }),
          ).components;
          return { isCausal, normalization: layers[0].normalization };
        };
        expect(told(0, at, 0)).to.deep.equal({ isCausal: true, normalization: 'softmax' });
        expect(told(size - 1, at, 0.25)).to.deep.equal({
          isCausal: true,
          normalization: (at + 1) % size === size - 1 ? 'softmax' : 'unnormalized',
        });
        if (at > 0) expect(told(0, at, 0.25).isCausal).to.equal(false);
      }
  });

  it('is shown with a notice where its rows are no shares', () => {
    const { components, notices } = open(
      safetensors({ ...plain, 'attention.self.1': ['F32', [1, 3, 3], floats([1, 2, 3, 4, 5, 6, 7, 8, 9])] }),
    );
    expect(components[0].layers[1].normalization).to.equal('unnormalized');
    expect(notices).to.deep.equal([{ code: 'fileNotShares', args: ['self.1'] }]);
  });

  const large = npz(plain);
  const cut = (of: Uint8Array, length: number): Uint8Array => of.slice(0, length);
  const withByte = (of: Uint8Array, find: readonly number[], offset: number, value: number): Uint8Array => {
    const at = of.findIndex((_, i) => find.every((byte, j) => of[i + j] === byte));
    expect(at).to.be.greaterThan(-1);
    return of.map((byte, i) => (i === at + offset ? value : byte));
  };
  const central = [0x50, 0x4b, 1, 2];
  const local = [0x50, 0x4b, 3, 4];
  const nan = causal.map((value, i) => (i === 13 ? NaN : value));
  for (const [title, bytes, reason] of [
    ['is empty', new Uint8Array(0), /neither a zip nor a safetensors/],
    ['is cut off, as npz', cut(large, large.length - 30), /no zip file, or was cut off/],
    ['is cut off, as safetensors', cut(safetensors(plain), safetensors(plain).length - 5), /ends behind the file/],
    ['has a header of 2^62 bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 64), /was cut off/],
    ['lists fewer files than there are', withByte(large, [0x50, 0x4b, 5, 6], 10, 1), /list of files is damaged/],
    ['lists files where there are none', withByte(large, [0x50, 0x4b, 5, 6], 16, 1), /list of files is damaged/],
    ['says that a file is elsewhere', withByte(large, central, 42, 9), /not where it should be/],
    ['is longer unpacked than it says', withByte(npz(plain, 6), central, 24, 100), /longer than it says/],
    ['says that it unpacks to gigabytes', withByte(npz(plain, 6), central, 27, 127), /cannot be as long/],
    ['is packed otherwise', withByte(large, central, 10, 99), /packed in a way/],
    ['is encrypted', withByte(large, central, 8, 1), /"attention\.self\.1\.npy" is encrypted/],
    [
      'calls an array otherwise in its list',
      withByte(large, central, 46, 0x41),
      /has another name where its bytes stand/,
    ],
    [
      'calls an array otherwise where it stands',
      withByte(large, local, 30, 0x41),
      /has another name where its bytes stand/,
    ],
    ['has another check sum in its list', withByte(large, central, 16, 7), /"attention\.self\.1\.npy" is damaged/],
    [
      'has a shape that its bytes do not have',
      npz({ ...plain, 'attention.self.1': ['F32', [1, 3, 3], floats(causal)] }),
      /as its shape \(1, 3, 3\) says/,
    ],
    [
      'has a shape of too few sides',
      safetensors({ ...plain, 'attention.self.1': ['F32', [3, 3], floats(causal.slice(9))] }),
      /has the shape \(3, 3\)/,
    ],
    [
      'has two texts in one batch',
      safetensors({ ...plain, 'attention.self.1': ['F32', [2, 1, 3, 3], floats(causal)] }),
      /has the shape \(2, 1, 3, 3\)/,
    ],
    [
      'has fewer tokens than columns',
      safetensors({ ...plain, tokens: text(['a', 'b']) }),
      /over 3 queries and 3 keys, and there are tokens of 2 and 2/,
    ],
    [
      'has no tokens',
      safetensors({ 'attention.self.1': plain['attention.self.1'] }),
      /no tokens of the image|no tokens of the source/,
    ],
    ['has tokens that are no texts', safetensors({ ...plain, tokens: text([1, 2, 3]) }), /no list of texts/],
    [
      'has a token outside of its text',
      safetensors({ ...plain, text: text('ab'), offsets: ['I32', [3, 2], bytesOf(Int32Array.of(0, 1, 1, 2, 2, 9))] }),
      /token 2 of "source" stands outside/,
    ],
    [
      'has too few ids',
      safetensors({ ...plain, ids: ['I32', [2], bytesOf(Int32Array.of(1, 2))] }),
      /has 3 tokens and 2 ids/,
    ],
    [
      'has NaN',
      safetensors({ ...plain, 'attention.self.1': ['F32', [2, 3, 3], floats(nan)] }),
      /no number \(NaN or infinite\) in head 1, row 1/,
    ],
    ['has no attention', safetensors({ tokens: plain['tokens'] }), /no array with a name like/],
    [
      'has a grid that does not fit',
      safetensors({ ...plain, grid: ['I32', [2], bytesOf(Int32Array.of(9, 9))] }),
      /of "image" the grid does not fit/,
    ],
    [
      'has whole numbers for weights',
      safetensors({ ...plain, 'attention.self.1': ['I32', [2, 3, 3], bytesOf(new Int32Array(18))] }),
      /no floating-point numbers/,
    ],
    ['has metadata that are none', safetensors({ ...plain, metadata: text('{') }), /"metadata" is no JSON/],
  ] as const)
    // prettier-ignore
    it(`is refused with one sentence where it ${title}`, () => {
      let failure: unknown;
      try {
        open(bytes);
      } catch (error) {
        failure = error;
      }
      expect(failure).to.be.instanceOf(ExplorerError);
      const { code, args, message } = failure as ExplorerError; // just looked at
      expect(code).to.equal('attentionFileInvalid');
      expect(clauseIn(String(args[1])), 'it is said in a person’s language').to.not.equal(undefined);
      expect(message).to.match(reason);
    });

  it('says no view that could not be handed on', () => {
    const saying = (view: string): unknown => {
      const json = new TextEncoder().encode(`{"model":"m","explanation":{"view":${view}}}`);
      return open(npz({ ...plain, metadata: ['U8', [json.length], json] })).explanation;
    };
    expect(saying('{"threshold":0}')).to.deep.equal({ view: { threshold: 0 } });
    expect(saying('['.repeat(200_000) + ']'.repeat(200_000))).to.equal(undefined);
  });

  it('is refused with a sentence or read, whatever was done to it by someone who makes its check sums anew', async () => {
    const ofText: Arrays = {
      ...plain,
      'norm.self.1': ['F32', [2, 3], floats([1, 2, 3, 4, 5, 6])],
      'value.self.1': ['F32', [2, 3, 1], floats([1, 2, 3, 4, 5, 6])],
      'summed.self.1': ['F32', [3, 3], floats(Array(9).fill(1))],
      text: text('The cat sat'),
      codePoints: ['I32', [3, 2], bytesOf(Int32Array.of(0, 3, 3, 7, 7, 11))],
      ids: ['I32', [3], bytesOf(Int32Array.of(1, 2, 3))],
      special: ['U8', [3], Uint8Array.of(1, 0, 0)],
      metadata: text({
        model: 'm',
        explanation: {},
        components: [{ name: 'self', queries: 'source', keys: 'source' }],
      }),
    };
    const ofPicture: Arrays = {
      'attention.self.0': ['F32', [1, 3, 3], floats([1, 0, 0, 0, 1, 0, 0, 0, 1])],
      tokens: text(['[CLS]', '1,1', '1,2']),
      grid: ['I32', [2], bytesOf(Int32Array.of(1, 2))],
      image: ['U8', [1, 2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)],
    };
    let seed = 11;
    const random = (below: number): number => (seed = (seed * 16807) % 2147483647) % below;
    const changed = (bytes: Uint8Array): Uint8Array => {
      const copy = new Uint8Array(bytes);
      for (let change = 0; change <= random(3); change++)
        copy[random(copy.length)] = random(2) === 0 ? random(256) : 48 + random(10);
      return copy;
    };
    const told = { read: 0, refused: 0 };
    for (let round = 0; round < 1500; round++) {
      const arrays = round % 3 === 0 ? ofPicture : ofText;
      const files = unzipSync(npz(arrays));
      const names = Object.keys(files);
      const one = names[random(names.length)];
      const bytes =
        round % 2 === 0
          ? changed(safetensors(arrays))
          : zipSync({ ...files, [one]: changed(files[one]) }, { level: 0 });
      try {
        const { layers, weighings, components } = open(bytes);
        for (const layer of layers) if (layer.numHeads > 0) await layer.rows(0, 0, layer.numQueries);
        for (const { component } of components) weighings(component);
        told.read++;
      } catch (error) {
        expect((error as Partial<ExplorerError>).code, `round ${round}: ${String(error)}`).to.equal(
          'attentionFileInvalid',
        );
        told.refused++;
      }
    }
    expect(told.read).to.be.greaterThan(200);
    expect(told.refused).to.be.greaterThan(200);
  });

  for (const [title, level] of [
    ['stored', 0],
    ['packed', 6],
  ] as const)
    it(`is refused by the name of the array in which a bit is another than was written, wherever that is: ${title}`, async () => {
      const names = { ...plain, 'norm.self.1': ['F32', [2, 3], floats([1, 2, 3, 4, 5, 6])] } as const;
      const whole = npz(names, level);
      const first = await open(whole).layers[1].rows(0, 0, 3);
      const view = new DataView(whole.buffer, whole.byteOffset);
      /** What a file may say with one bit changed: that it cannot be read, never anything else than before. */
      const toldOf = async (at: number): Promise<string> => {
        const changed = whole.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
        try {
          const { layers, streams, weighings } = open(changed);
          expect(await layers[1].rows(0, 0, 3), `byte ${at}`).to.deep.equal(first);
          expect(streams[0].text, `byte ${at}`).to.equal('The cat sat');
          expect([...weighings('self')[1].norms], `byte ${at}`).to.deep.equal([1, 2, 3, 4, 5, 6]);
          return 'as it was';
        } catch (error) {
          expect(error, `byte ${at}`).to.be.instanceOf(ExplorerError);
          return (error as ExplorerError).message; // just looked at
        }
      };
      // Of each array every byte that is its own, behind what stands before it.
      let at = 0;
      for (let file = 0; file < 3; file++) {
        const [size, nameLength] = [view.getUint32(at + 18, true), view.getUint16(at + 26, true)];
        const name = new TextDecoder().decode(whole.subarray(at + 30, at + 30 + nameLength));
        const start = at + 30 + nameLength + view.getUint16(at + 28, true);
        let numByName = 0;
        for (let byte = start; byte < start + size; byte++) {
          const told = await toldOf(byte);
          expect(told, `${name}, byte ${byte}`).to.not.equal('as it was');
          if (told.includes(`"${name}" is damaged`)) numByName++;
        }
        // The others are in what tells the array's type and shape, or how long it is.
        expect(numByName / size, name).to.be.greaterThan(0.5);
        at = start + size;
      }
      // And anywhere else in the file nothing comes of it that was not there.
      for (let byte = 0; byte < whole.length; byte++) await toldOf(byte);
    });
});
