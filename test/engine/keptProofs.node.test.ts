import { expect } from 'chai';
import { cpSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { proofShelfIn } from '../../src/engine/files/proofShelf.node';
import { arrangeLayers } from '../../src/engine/session/arrangeLayers';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { modelProofs } from '../../src/engine/session/keptProofs';
import { SiteParts } from '../../src/engine/session/siteParts';
import { WeighRuns } from '../../src/engine/session/weighRuns';
import { weighLayers } from '../../src/engine/weights/weighedLayers';
import { importRuntime } from './ortRuntime';

describe('what is proven of a model', () => {
  let ort: typeof Ort;
  let folder: string;
  before(async () => {
    ort = await importRuntime();
    folder = mkdtempSync(join(tmpdir(), 'attention-proofs-'));
    cpSync('test/fixtures/headParts/bert.eager.legacy', folder, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const shelf = () => join(folder, 'kept', 'proofs.json');
  const entries = (): { key: string; sites: Record<string, { difference: number; isExact: boolean }> }[] =>
    JSON.parse(readFileSync(shelf(), 'utf8')) as { key: string; sites: Record<string, never> }[];

  /** Loads the model anew and weighs it: its norms, what a run is asked for, and how many proofs were there. */
  const load = async () => {
    const access = { ...nodeFileAccess, proofs: proofShelfIn(shelf()) };
    const files = await readModelFiles(access, join(folder, 'model.onnx'));
    const session = await AttentionSession.create({ ort, files });
    const feeds = readSafetensors(readFileSync(join(folder, 'expected.safetensors')), 'expected');
    const inputs = toModelInputs(files.analysis.index, feeds);
    const { layers, components } = arrangeLayers('bert', [await session.run(inputs, { hasWindows: true })]);
    const { kept } = await modelProofs(session.partRuntime, 'written');
    const asked = [...new SiteParts(session.partRuntime, ['value', 'norm'], kept).extras.values()].flatMap(
      ({ tensors }) => tensors,
    );
    const weighs = new WeighRuns([session]);
    const weighings = await weighs.weigh(components[0], layers, [{ file: session.fileName, inputs }]);
    if (typeof weighings === 'string') throw new Error(weighings);
    const weighed = await weighLayers('norm', layers, weighings);
    if (typeof weighed === 'string') throw new Error(weighed);
    const norms = await weighed[0].rows(0, 0, weighed[0].numQueries);
    await weighs.release();
    await session.release();
    return { norms, asked, numKept: kept.size };
  };

  it('is kept over loads by the file, and a later run is asked for nothing more and gives the same', async () => {
    const first = await load();
    expect([first.numKept, first.asked.length], 'values, and what the projection gives').to.deep.equal([0, 2]);
    expect(entries()).to.have.length(1);
    expect(Object.values(entries()[0].sites)[0]).to.have.property('isExact', true);
    const second = await load();
    expect([second.numKept, second.asked.length], 'values alone').to.deep.equal([1, 1]);
    expect(second.norms).to.deep.equal(first.norms);
  });

  it('is made again of a file that was changed, and where what was kept is none', async () => {
    const before = entries()[0].key;
    utimesSync(join(folder, 'model.onnx'), new Date(), new Date(Date.now() + 60_000));
    expect((await load()).numKept).to.equal(0);
    expect(entries().map(({ key }) => key === before)).to.deep.equal([false, true]);
    writeFileSync(shelf(), '[{"key": 3}, {"key": "a", "sites": {"x": {"difference": "no"}}}, 7');
    expect((await load()).numKept).to.equal(0);
    expect(entries()).to.have.length(1);
  });

  it('of an operator’s weights is made once: a later load asks the operator for nothing more, unless it failed', async () => {
    const name = 'craft.mha_plain';
    const own = join(folder, name);
    cpSync(`test/fixtures/zoo/${name}`, own, { recursive: true });
    const expected = readSafetensors(readFileSync(join(own, 'expected.safetensors')), name);
    /** Runs the model twice after a load: how many tensors each run is asked for, what failed, and the weights of the last. */
    const runs = async (file: string, isWrong = false) => {
      const fetched: number[] = [];
      const InferenceSession = {
        create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
          const session = await ort.InferenceSession.create(...args);
          const run = session.run.bind(session);
          session.run = async (feeds: Ort.InferenceSession.FeedsType, fetches: unknown) => {
            fetched.push((fetches as readonly string[]).length); // names, as this backend is asked
            const results = await run(feeds, fetches as Ort.InferenceSession.FetchesType); // as above
            if (isWrong) (results[files.analysis.sites[0].tensor].data as Float32Array).reverse(); // floats, as those of every site
            return results;
          };
          return session;
        },
      } as unknown as typeof ort.InferenceSession; // all of it that a session is made with
      const access = { ...nodeFileAccess, proofs: proofShelfIn(file) };
      const files = await readModelFiles(access, join(own, 'model.onnx'));
      const session = await AttentionSession.create({ ort: { ...ort, InferenceSession }, files });
      const results = [];
      for (let i = 0; i < 2; i++) results.push(await session.run(toModelInputs(files.analysis.index, expected)));
      await session.release();
      return { fetched, numFailed: results.map(({ failed }) => failed.length), last: results[1].layers[0]?.weights };
    };
    const [right, wrong] = [join(folder, 'right.json'), join(folder, 'wrong.json')];
    const first = await runs(right);
    expect([first.fetched, first.numFailed]).to.deep.equal([
      [3, 1],
      [0, 0],
    ]);
    const second = await runs(right);
    expect([second.fetched, second.numFailed]).to.deep.equal([
      [1, 1],
      [0, 0],
    ]);
    expect(second.last).to.deep.equal(first.last);
    // What fails is not drawn, and not kept.
    for (let load = 0; load < 2; load++) {
      const { fetched, numFailed } = await runs(wrong, true);
      expect([fetched, numFailed]).to.deep.equal([
        [3, 1],
        [1, 1],
      ]);
    }
    // Another file under the same name is proven anew.
    utimesSync(join(own, 'model.onnx'), new Date(), new Date(Date.now() + 60_000));
    expect((await runs(right)).fetched).to.deep.equal([3, 1]);
  });

  it('is bounded: the latest 64 models', async () => {
    const own = proofShelfIn(join(folder, 'many.json'));
    const proofs = new Map([['a', { difference: 0, isExact: true }]]);
    for (let model = 0; model < 66; model++) await own.write([Uint8Array.of(model)], proofs);
    expect((await own.read([Uint8Array.of(65)])).size).to.equal(1);
    expect((await own.read([Uint8Array.of(1)])).size).to.equal(0);
    expect((await own.read([Uint8Array.of(2)])).size).to.equal(1);
  });
});
