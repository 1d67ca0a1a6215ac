// A profile that the engine makes text by text, and profiles that are read: of the bundled decoder as PyTorch and NumPy have it, and of hostile files.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { parquetMetadata } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { parquetWriteBuffer } from 'hyparquet-writer';
import 'vscode-jsonrpc/node';
import { Deadlines } from '../../src/engine/limits/deadlines';
import { timeLimits } from '../../src/engine/limits/timeLimits';
import { interrupt } from '../../src/engine/serve/interrupt.node';
import { readProfile } from '../../src/engine/profile/readProfile';
import { syntaxFilesIn } from '../../src/engine/syntax/syntaxFiles.node';
import { profileFileNames, type HeadProfile, type ProfileFile } from '../../src/model/profile/headProfile';
import type { EngineApi, EngineEvents, ModelSpec } from '../../src/protocol';
import type { Connection } from '../../src/rpc/connection';
import { codeOf } from '../harness/codeOf';
import { serveEngine } from './servedEngine.node';

interface Reference {
  readonly texts: readonly string[];
  readonly length: number;
  readonly numChunks: number;
  readonly metrics: Readonly<
    Record<string, { readonly count: number; readonly mean: readonly number[]; readonly uniform: number }>
  >;
}

const bundled = (name: string): ProfileFile[] =>
  profileFileNames.map((file) => ({ name: file, bytes: readFileSync(join('media/profiles', name, file)) }));
/** The same as whoever means harm has it, or an older version: with no check sums of its tables. */
const withoutSums = (files: readonly ProfileFile[]): ProfileFile[] =>
  files.map(({ name, bytes }) => {
    if (name !== 'profile.json') return { name, bytes };
    const { crc32: _, ...rest } = JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>; // our own file
    return { name, bytes: Buffer.from(JSON.stringify(rest)) };
  });

/** Where the pages of values of two columns stand: the head of `share`'s, and the runs of which there are values; and the runs of a dictionary's values of `language`. */
function pagesOf(bytes: Buffer): { readonly header: number; readonly levels: number; readonly dictionary: number } {
  const file = Uint8Array.from(bytes).buffer;
  const pageOf = (name: string): { readonly start: number; readonly end: number; readonly levels: number } => {
    const column = parquetMetadata(file).row_groups[0].columns.find(
      ({ meta_data: each }) => each?.path_in_schema[0] === name,
    )?.meta_data;
    const start = Number(column?.data_page_offset);
    const reader = { view: new DataView(file, start), offset: 0 };
    const { data_page_header_v2: page } = parquetHeader(reader);
    return { start, end: start + reader.offset, levels: page?.definition_levels_byte_length ?? 0 };
  };
  const [share, language] = [pageOf('share'), pageOf('language')];
  return { header: share.start, levels: share.end, dictionary: language.end + language.levels + 1 };
}

describe('profiles in the engine', function () {
  this.timeout(60_000);
  let connection: Connection<EngineApi, object, EngineEvents>;
  let end: () => void;
  before(() => {
    ({ connection, end } = serveEngine({
      sha256: async (blocks) => {
        const hash = createHash('sha256');
        for (const block of blocks) hash.update(block);
        return hash.digest('hex');
      },
      syntax: () => syntaxFilesIn(resolve('dist')),
    }));
  });
  after(() => end());

  const model = { path: resolve('media/models/code-decoder/model.onnx'), backend: 'auto', threads: 1 } as const;
  const take = (file: string, bytes: Uint8Array, signal?: AbortSignal) =>
    connection.remote.profileText(
      { profile: 1, model, length: reference.length, text: { file, language: file.split('.').at(-1) ?? '', bytes } },
      signal,
    );
  const reference = JSON.parse(readFileSync('test/fixtures/corpusProfile.json', 'utf8')) as Reference;

  it('are made text by text, as the reference has them; what is no text, or was cancelled, counts nothing', async () => {
    const texts = reference.texts.map((name) => [name, readFileSync(join('test/fixtures/code', name))] as const);
    for (const [name, bytes] of texts.slice(0, 2)) expect((await take(name, bytes)).status).to.equal('read');
    const cancelled = new AbortController();
    const cut = take(texts[2][0], texts[2][1], cancelled.signal);
    const begins = connection.on('began', () => cancelled.abort());
    expect(await codeOf(cut)).to.equal('cancelled');
    begins.dispose();
    const [name, bytes] = texts[2];
    const parts: EngineEvents['profiling'][] = [];
    const tells = connection.on('profiling', (part) => parts.push(part));
    const read = await take(name, bytes);
    tells.dispose();
    expect(read.status).to.equal('read');
    expect(read.numTokens).to.be.greaterThan(100);
    // How far it is, chunk after chunk; what was cancelled may still tell of its first one.
    const told = parts.map(({ fraction }) => fraction);
    const fractions = told.slice(told.lastIndexOf(told[0]));
    expect(fractions.length).to.be.greaterThan(1);
    expect(parts.at(-1)).to.deep.equal({ profile: 1, fraction: 1, numTokens: read.numTokens });
    expect(fractions).to.deep.equal([...new Set(fractions)].sort());
    expect(await take('again.txt', texts[1][1])).to.deep.equal({ status: 'duplicate', numTokens: 0 });
    expect((await take('binary.ts', new Uint8Array([65, 0, 65]))).status).to.equal('binary');
    const { files, model: kept } = await connection.remote.profileFiles({ profile: 1 });
    const profile = await connection.remote.readProfile({ files, folder: 'mine' });
    // By which it is found again, whether a folder or a file in it was chosen.
    expect(kept).to.equal('code-decoder');
    expect(profile.about).to.deep.include({ model: 'code-decoder', length: 96, numTexts: 3 });
    expect(profile.about.numChunks).to.equal(reference.numChunks);
    expect(profile.metrics).to.have.length(Object.keys(reference.metrics).length * 32);
    for (const { metric, layer, head, mean, count, uniform, deciles } of profile.metrics) {
      const wanted = reference.metrics[metric];
      const at = layer * 8 + head;
      expect(count, metric).to.equal(wanted.count);
      expect(mean, `${metric} of ${at}`).to.be.closeTo(wanted.mean[at], 1e-6 * Math.max(1, Math.abs(wanted.mean[at])));
      if (metric !== 'sinkKey') expect(uniform).to.be.closeTo(wanted.uniform, 1e-6 * Math.max(1, wanted.uniform));
      expect(deciles).to.have.length(9);
    }
    expect(profile.texts.map(({ file }) => file)).to.deep.equal(reference.texts);
    expect(profile.examples.every(({ hash }) => profile.texts.some((text) => text.hash === hash))).to.equal(true);
    expect(await codeOf(connection.remote.profileFiles({ profile: 2 }))).to.equal('unknownRun');
  });

  it('are made of no model that writes its own text or reads pictures, and of none that a workspace without trust names', async () => {
    const of = (path: string, barred?: ModelSpec['barred']): Promise<string> =>
      codeOf(
        connection.remote.profileText({
          ...{ profile: 3, length: 0, text: { file: 'a.txt', language: 'txt', bytes: Buffer.from('3rd of May 1979') } },
          model: { path: resolve('media/models', path), backend: 'auto', threads: 1, ...(barred && { barred }) },
        }),
      );
    expect(await of('date-transformer')).to.equal('noProfile');
    expect(await of('shapes-vit')).to.equal('modelReadsImages');
    expect(await of('code-decoder', { folders: [resolve('media')], except: resolve('dist') })).to.equal(
      'untrustedModel',
    );
  });

  it('are refused with a sentence where they are none, whatever was done to their bytes', async () => {
    const whole = withoutSums(bundled('worked-example'));
    const deadlines = new Deadlines({
      interrupt,
      limits: { ...timeLimits, readProfile: { title: 'Reading the profile', seconds: 1, perMillion: 0 } },
    });
    const broken = async (file: string, bytes: Uint8Array | undefined): Promise<HeadProfile> =>
      readProfile(
        whole.flatMap((each) => (each.name !== file ? [each] : bytes === undefined ? [] : [{ name: file, bytes }])),
        'mine',
        deadlines,
      );
    expect(readProfile(whole, 'mine').metrics).to.have.length.greaterThan(5);
    for (const file of profileFileNames) {
      expect(await codeOf(broken(file, undefined)), file).to.equal('profileInvalid');
      expect(await codeOf(broken(file, new Uint8Array(0))), file).to.equal('profileInvalid');
      expect(await codeOf(broken(file, new Uint8Array(100).fill(0x50))), file).to.equal('profileInvalid');
    }
    // Another table has other columns.
    expect(await codeOf(broken('heads.parquet', whole[3].bytes))).to.equal('profileInvalid');
    // Bytes at random places, by a fixed rule: refused or read, never anything else, and never for long.
    const { bytes } = whole[1];
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 16807) % 2147483647) % below;
    let numRefused = 0;
    for (let round = 0; round < 120; round++) {
      const changed = Uint8Array.from(bytes);
      for (let change = 0; change <= random(4); change++) changed[random(changed.length)] = random(256);
      const code = await broken('heads.parquet', changed).then(
        () => 'read',
        (error: { readonly code?: string }) => error.code,
      );
      expect(code, `round ${round}`).to.be.oneOf(['read', 'profileInvalid', 'tookTooLong']);
      if (code === 'profileInvalid') numRefused++;
    }
    expect(numRefused).to.be.within(20, 119);
  });

  it('are refused where they ask for more room than a table may take, before it is taken', () => {
    const whole = withoutSums(bundled('worked-example'));
    // Every second share is missing: its levels are a packed group of nine bytes.
    const numbers = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? null : i));
    const texts = numbers.map((_, i) => (i % 2 === 0 ? 'a' : 'b'));
    const relations = Buffer.from(
      parquetWriteBuffer({
        codec: 'UNCOMPRESSED',
        columnData: [
          ...['component', 'language', 'relation'].map((name) => ({ name, type: 'STRING' as const, data: texts })),
          ...['layer', 'head', 'queries', 'pairs', 'share', 'baseline', 'ratio'].map((name) => ({
            ...{ name, type: 'DOUBLE' as const, data: numbers },
          })),
        ],
      }),
    );
    const { header, levels, dictionary } = pagesOf(relations);
    /** A few more than there are values: a 1 a hundred times, and nine packed groups of eight; and a byte more than a column may take. */
    const [repeated, packed, size] = [Buffer.of(0xc8, 1, 1), Buffer.of(0x13), Buffer.of(0x82, 0x80, 0x80, 0x40)];
    const tooMuch = /a page of a column holds more than it may/;
    const changes: readonly [what: string, at: number, bytes: Uint8Array, says: RegExp][] = [
      ['a run of levels', levels, repeated, tooMuch],
      ['groups of levels', levels, packed, tooMuch],
      ['the size of a page', header + 3, size, tooMuch],
      ['values of a dictionary', dictionary, repeated, tooMuch],
      ['the length of the list', relations.length - 8, Buffer.of(0, 0, 0, 2), /says too much of itself/],
    ];
    for (const [what, at, bytes, says] of changes) {
      const changed = Buffer.from(relations);
      changed.set(bytes, at);
      // A list of another length begins elsewhere, in a larger file.
      const file = what.includes('list') ? Buffer.concat([Buffer.alloc(2 ** 26), changed]) : changed;
      const files = whole.map((each) => (each.name === 'relations.parquet' ? { ...each, bytes: file } : each));
      const held = process.memoryUsage().heapUsed;
      expect(() => readProfile(files, 'mine'), what).to.throw(says);
      expect(process.memoryUsage().heapUsed - held, what).to.be.below(2 ** 25);
    }
  });

  it('are refused by the name of the table in which one bit is another than was written', () => {
    const whole = bundled('worked-example');
    for (const { name, bytes } of whole.slice(1))
      for (let part = 0; part < 8; part++) {
        const at = Math.floor(((part + 0.5) * bytes.length) / 8);
        const changed = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
        const files = whole.map((each) => (each.name === name ? { name, bytes: changed } : each));
        expect(() => readProfile(files, 'mine'), `${name}, byte ${at}`).to.throw(`${name} is damaged`);
      }
    expect(readProfile(withoutSums(whole), 'mine')).to.deep.equal(readProfile(whole, 'mine'));
  });
});
