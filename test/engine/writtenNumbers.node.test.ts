import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import 'vscode-jsonrpc/node';
import { writeWhole } from '../../src/base/wholeFile.node';
import { numbersWriter } from '../../src/engine/serve/numbersWriter.node';
import type { Component } from '../../src/model/head';
import { methodIds, type MethodId } from '../../src/model/methods';
import type { RunInfo } from '../../src/model/modelInfo';
import type { Numbers } from '../../src/model/numbers/numbers';
import { fileOf, numberFormats, plainFileForm } from '../../src/model/numbers/numbersFile';
import { crc32 } from '../../src/model/numbers/zip';
import type { WeightForm } from '../../src/model/weightForm';
import type { EngineApi, EngineEvents, WriteNumbersParams } from '../../src/protocol';
import { type Connection } from '../../src/rpc/connection';
import { codeOf } from '../harness/codeOf';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { serveEngine } from './servedEngine.node';

describe('numbers that the engine writes', function () {
  this.timeout(20_000);
  let folder: string;
  let connection: Connection<EngineApi, object, EngineEvents>;
  let end: () => void;
  let run: RunInfo;
  const spec = () => ({ path: folder, backend: 'auto', threads: 1 }) as const;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ae-written-'));
    writeFileSync(join(folder, 'tokenizer.json'), tinyTokenizer());
    copyFileSync('test/fixtures/zoo/bert.sdpa.legacy/model.onnx', join(folder, 'model.onnx'));
    ({ connection, end } = serveEngine({
      numbersWriter,
      sha256: async (blocks) => {
        const hash = createHash('sha256');
        for (const block of blocks) hash.update(block);
        return hash.digest('hex');
      },
    }));
    run = await connection.remote.explain({ model: spec(), text: 'if a: b(c, d)', tokenLimit: 0 });
  });
  after(() => {
    end();
    rmSync(folder, { recursive: true });
  });

  const chosen = (): Omit<WriteNumbersParams['numbers'], 'heads'> => ({
    model: run.model,
    notices: [],
    components: run.components,
    method: 'attention',
    explanation: { view: 7 },
  });
  /** What is written from the numbers as they come to the window. */
  async function expected(format: (typeof numberFormats)[number], heads: Numbers['heads']): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    const numbers: Numbers = {
      ...chosen(),
      streams: run.streams,
      heads,
      read: async (component, head) =>
        (
          await connection.remote.pattern({
            runId: run.runId,
            selection: { component, heads: [head], aggregation: 'mean' },
          })
        ).weights,
    };
    for await (const piece of fileOf(numbers, { ...plainFileForm, format })) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  for (const format of numberFormats)
    it(`are to the byte what the window would write as ${format}, and it is told how much of them has been read`, async () => {
      for (const heads of [undefined, [{ layer: 1, head: 0 }]]) {
        const path = join(folder, `numbers.${format}`);
        const told: number[] = [];
        const listening = connection.on('written', ({ runId, numHeads }) => runId === run.runId && told.push(numHeads));
        await writeWhole(path, (beside, flags) =>
          connection.remote.writeNumbers({
            runId: run.runId,
            path: beside,
            flags,
            numbers: { ...chosen(), heads },
            form: { ...plainFileForm, format },
            forms: [],
          }),
        );
        listening.dispose();
        expect(readFileSync(path).equals(await expected(format, heads))).to.equal(true);
        expect(told.at(-1)).to.equal(
          heads?.length ?? run.components[0].layers.reduce((sum, { numHeads }) => sum + numHeads, 0),
        );
        rmSync(path);
      }
    });

  it('are not left behind half, whatever ends them', async () => {
    const before = readdirSync(folder);
    const write = (path: string, signal?: AbortSignal): Promise<void> =>
      writeWhole(path, (beside, flags) =>
        connection.remote.writeNumbers(
          {
            runId: run.runId,
            path: beside,
            flags,
            numbers: { ...chosen(), heads: undefined },
            form: { ...plainFileForm, format: 'npz' },
            forms: [],
          },
          signal,
        ),
      );
    const controller = new AbortController();
    const writing = write(join(folder, 'cancelled.npz'), controller.signal);
    controller.abort();
    expect(await codeOf(writing)).to.equal('cancelled');
    expect(await codeOf(write(join(folder, 'missing', 'x.npz')))).to.equal('fileNotWritten');
    if (existsSync('/dev/full')) expect(await codeOf(write('/dev/full'))).to.equal('fileNotWritten');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(readdirSync(folder)).to.deep.equal(before);
  });

  /** A file of the numbers of a run with what a method takes, opened again. */
  async function reopened(of: RunInfo, component: Component, method: MethodId): Promise<RunInfo> {
    const { remote } = connection;
    const { difference } = await remote.weighing({ runId: of.runId, component, method });
    const path = join(folder, 'kept.attention.npz');
    await remote.writeNumbers({
      runId: of.runId,
      path,
      flags: 'w',
      numbers: { ...chosen(), model: of.model, components: of.components, heads: undefined, difference },
      form: { ...plainFileForm, format: 'npz' },
      forms: [],
      lookedAt: { component, method },
    });
    return remote.openAttention({ path });
  }

  const weighedForm = (method: MethodId): WeightForm => ({
    method,
    sinks: 'show',
    isRenormalized: false,
    canHaveSinks: false,
    isCausal: false,
  });

  for (const method of methodIds)
    it(`are the same without the model by the method "${method}", where it was saved by that`, async () => {
      const { remote } = connection;
      const kept = await reopened(run, 'self', method);
      const [first, again] = await Promise.all(
        [run, kept].map(async ({ runId }) => ({
          weighing: await remote.weighing({ runId, component: 'self', method }),
          weights: (
            await remote.pattern({
              runId,
              selection: { component: 'self', heads: [{ layer: 1, head: 0 }], aggregation: 'mean' },
              form: weighedForm(method),
            })
          ).weights,
        })),
      );
      expect(again).to.deep.equal(first);
      expect(first.weights.some((weight) => weight > 0)).to.equal(true);
      const reasons = await remote.methodReasons({ runId: kept.runId, component: 'self' });
      expect(reasons[method]).to.equal(undefined);
      // What it was not saved by, it says.
      if (method !== 'summed') expect(reasons.summed).to.equal('the file has no array "summed.self.0"');
    });

  it('of two files are compared as the runs are that they came of', async () => {
    const { remote } = connection;
    const other = await remote.explain({ model: spec(), text: 'if a: b(d, d)', tokenLimit: 0 });
    const kept = [await reopened(run, 'self', 'attention'), await reopened(other, 'self', 'attention')];
    const [first, again] = await Promise.all(
      [[run, other], kept].map(([a, b]) =>
        remote.compare({
          runId: a.runId,
          component: 'self',
          compared: { otherId: b.runId, pairing: 'index' },
        }),
      ),
    );
    expect(again).to.deep.equal(first);
    expect(first.values.some((value) => value > 0)).to.equal(true);
  });

  it('have their picture beside them', async () => {
    const { remote } = connection;
    const path = resolve('media/models/shapes-vit/samples/blue-star.png');
    const model = { path: resolve('media/models/shapes-vit'), backend: 'auto', threads: 1 } as const;
    const seen = await remote.explainImage({ model, path });
    const kept = await reopened(seen, 'self', 'attention');
    expect(kept.model.reads).to.equal('image');
    expect(kept.streams[0].grid).to.deep.equal(seen.streams[0].grid);
    const [first, again] = await Promise.all([seen, kept].map(({ runId }) => remote.picture({ runId })));
    expect(new Set(first.pixels).size).to.be.greaterThan(2);
    expect(Buffer.from(again.pixels).equals(first.pixels)).to.equal(true);
    const { arrays } = await remote.besideNumbers({ runId: kept.runId, component: 'self', method: 'attention' });
    expect(arrays.map(({ name, shape }) => [name, shape])).to.deep.equal([['image', [first.height, first.width, 4]]]);
  });

  it('have the sum of a zip that our own code has, where Node has its own', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919) % 251);
    const { crc32: own } = numbersWriter;
    if (own === undefined) return;
    expect(own(bytes.subarray(500), own(bytes.subarray(0, 500)))).to.equal(crc32(bytes));
  });

  it('are of a model that is told from another by its files', async () => {
    const { remote } = connection;
    const { sha256 } = await remote.modelHash(spec());
    expect(sha256).to.match(/^[0-9a-f]{64}$/);
    expect(await remote.modelHash(spec())).to.deep.equal({ sha256 });
    appendFileSync(join(folder, 'model.onnx'), Uint8Array.of(0x12, 1, 0x61)); // the producer's name
    expect((await remote.modelHash(spec())).sha256).to.not.equal(sha256);
    expect(await codeOf(remote.modelHash({ ...spec(), path: join(folder, 'none.onnx') }))).to.equal('modelNotFound');
  });

  it('are of a model that is told from another by its weights in a file of their own', async () => {
    const { remote } = connection;
    const own = join(folder, 'external');
    cpSync('test/fixtures/zoo/bert.sdpa.op23', own, { recursive: true });
    const hashOf = async (): Promise<string> => (await remote.modelHash({ ...spec(), path: own })).sha256;
    const weights = join(own, 'model.onnx.data');
    const first = await hashOf();
    const bytes = readFileSync(weights);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(weights, bytes);
    const second = await hashOf();
    expect(second).to.not.equal(first);
    // Of gigabytes the size and parts are looked at.
    truncateSync(weights, 2 ** 30);
    const large = await hashOf();
    const file = openSync(weights, 'r+');
    writeSync(file, Uint8Array.of(1), 0, 1, 2 ** 30 - 1);
    closeSync(file);
    expect(new Set([first, second, large, await hashOf()]).size).to.equal(4);
  });
});
