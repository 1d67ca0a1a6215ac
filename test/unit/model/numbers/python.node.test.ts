import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fileOf, numberFormats, plainFileForm } from '../../../../src/model/numbers/numbersFile';
import { npyHeader } from '../../../../src/model/numbers/writtenArrays';
import { crc32, ZipFrame } from '../../../../src/model/numbers/zip';
import { sampleNumbers } from './sampleNumbers';

const python = process.env['PYTHON'] ?? 'python3';
const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(python, ['-c', program, ...args], { encoding: 'utf8' });
const has = (packages: string): boolean => {
  try {
    execFileSync(python, ['-c', `import ${packages}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const numTokens = 70;
const values = Float32Array.from({ length: 3 * numTokens * numTokens }, (_, i) =>
  Math.fround(((i * 37) % 1009) / 1009),
);
const numbers = sampleNumbers({ numLayers: 1, numHeads: 3, numTokens }, 'whole', (_, { head }) =>
  Promise.resolve(values.slice(head * numTokens * numTokens, (head + 1) * numTokens * numTokens)),
);

describe('What Python reads', function () {
  this.timeout(30_000);
  let folder: string;
  before(function () {
    // Where there is none, our own readers have read the same (numbersFile.test.ts).
    if (!has('numpy')) {
      console.log(`      ${python} lacks NumPy: only our own readers have read what is written (PYTHON names another)`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'attention-python-'));
  });
  after(() => folder === undefined || rmSync(folder, { recursive: true, force: true }));

  it('is what was written, in every format', async function () {
    for (const format of numberFormats)
      for (const precision of ['float32', 'float16'] as const) {
        const pieces: Uint8Array[] = [];
        for await (const piece of fileOf(numbers, { ...plainFileForm, format, precision })) pieces.push(piece);
        writeFileSync(join(folder, `${precision}.${format}`), Buffer.concat(pieces));
      }
    writeFileSync(join(folder, 'values'), values);
    const program = `
import sys, csv, json, zipfile, numpy
folder = sys.argv[1]
values = numpy.fromfile(folder + '/values', '<f4').reshape(3, ${numTokens}, ${numTokens})
for precision in ('float32', 'float16'):
    assert zipfile.ZipFile(f'{folder}/{precision}.npz').testzip() is None
    files = [numpy.load(f'{folder}/{precision}.npz')]
    if '${has('safetensors.numpy')}' == 'true':
        from safetensors.numpy import load_file
        files.append(load_file(f'{folder}/{precision}.safetensors'))
    for file in files:
        read = file['attention.self.0']
        assert read.dtype == precision, read.dtype
        assert (read.view(numpy.uint8) == values.astype(precision).view(numpy.uint8)).all()
        assert json.loads(file['metadata'].tobytes())['components'][0]['layers'][0]['heads'] == ['0.0', '0.1', '0.2']
        assert file['source.offsets'].tolist()[69] == [69, 70]
heads = json.load(open(folder + '/float32.json'))['heads']
assert (numpy.float32([head['weights'] for head in heads]) == values).all()
rows = list(csv.DictReader(open(folder + '/float32.csv', newline='')))
assert len(rows) == (values >= numpy.float32(0.01)).sum(), len(rows)
assert all(numpy.float32(row['weight']) == values[int(row['head']), int(row['query']), int(row['key'])] for row in rows)
print(len(files))`;
    expect(Number(run(program, folder))).to.be.greaterThan(0);
  });

  it('is an array that stands behind 5 GiB of others', function () {
    // Mostly a hole: nothing of that size is written.
    const path = join(folder, 'large.npz');
    const file = openSync(path, 'w');
    const frame = new ZipFrame();
    const size = 5 * 2 ** 30;
    let at = 0;
    const put = (bytes: Uint8Array): void => void (at += writeSync(file, bytes, 0, bytes.length, at));
    try {
      put(frame.begin('large.npy', size));
      at += size;
      put(frame.end(0));
      const small = { name: 'small', type: 'I32', shape: [2] } as const;
      const header = npyHeader(small);
      const data = new Uint8Array(Int32Array.of(7, 11).buffer);
      put(frame.begin('small.npy', header.length + data.length));
      put(header);
      put(data);
      put(frame.end(crc32(data, crc32(header))));
      put(frame.finish());
      ftruncateSync(file, at);
    } finally {
      closeSync(file);
    }
    expect(
      run(
        `import sys, numpy, zipfile; f = numpy.load(sys.argv[1]); print(f['small'].tolist(), zipfile.ZipFile(sys.argv[1]).getinfo('large.npy').file_size)`,
        path,
      ).trim(),
    ).to.equal(`[7, 11] ${size}`);
  });
});
