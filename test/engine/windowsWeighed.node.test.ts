import { expect } from 'chai';
import 'vscode-jsonrpc/node';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { ImageModel } from '../../src/engine/image/imageModel';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import type { DrawnCell } from '../../src/engine/how/cellRead';
import { drawnCell, inWindow } from '../../src/engine/how/drawnCell';
import { agrees } from '../../src/model/how/how';
import { codeOf } from '../harness/codeOf';
import { Runtime } from '../../src/engine/runtime/runtime';
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import { lackOfComponent, MixedLayer, weighLayers, type LayerWeighing } from '../../src/engine/weights/weighedLayers';
import type { ComponentInfo } from '../../src/model/head';
import type { MethodId } from '../../src/model/methods';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';
import { serveEngine } from './servedEngine.node';

const floatsOf = (tensor: StoredTensor | undefined): Float32Array =>
  new Float32Array((tensor ?? { data: new Uint8Array(0) }).data.slice().buffer);

/** What is asked of a model that has read something. */
interface Read {
  readonly model: Pick<ImageModel, 'weighs' | 'fed'>;
  readonly layers: readonly HeldLayer[];
  readonly components: readonly ComponentInfo[];
}

/** A component's layers by a method; otherwise why it cannot be had. */
async function weigh(
  { model, layers }: Read,
  info: ComponentInfo,
  method: MethodId,
): Promise<readonly HeldLayer[] | string> {
  const own = layers.filter(({ component }) => component === info.component);
  const lack = lackOfComponent(method, info.component, () => own) ?? model.weighs.lackOf(method, info);
  const weighings: readonly (LayerWeighing | undefined)[] | string =
    lack ?? (await model.weighs.weigh(info, own, model.fed));
  return typeof weighings === 'string' ? weighings : weighLayers(method, own, weighings);
}

async function numbersOf(layer: HeldLayer): Promise<Float32Array> {
  const rows: Float32Array[] = [];
  for (let head = 0; head < layer.numHeads; head++) rows.push(await layer.rows(head, 0, layer.numQueries));
  return Float32Array.from(rows.flatMap((each) => [...each]));
}

function expectClose(own: Float32Array, wanted: Float32Array, what: string): void {
  expect(own, what).to.have.length(wanted.length);
  const largest = wanted.reduce((most, value) => Math.max(most, value), 0);
  wanted.forEach((value, i) => expect(own[i], `${what} ${i}`).to.be.closeTo(value, 1e-4 * largest));
}

describe('attention within windows that is weighed', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  /** Which layers have a residual that can be told: not where queries are fewer than keys. */
  const cases: Readonly<Record<string, readonly boolean[]>> = {
    'swin.legacy': [true, true, true, true],
    'swin_padded.legacy': [true, true, true, true],
    'hiera.legacy': [true, false, true],
  };
  for (const [name, hasResidual] of Object.entries(cases))
    it(`has PyTorch’s norms, and those with the residual, over its patches: ${name}`, async () => {
      const folder = `windows/${name}`;
      const expected = readSafetensors(await readFixture(`${folder}/weighed.safetensors`), name);
      const access = memoryAccess({
        'm/model.onnx': await readFixture(`${folder}/model.onnx`),
        'm/config.json': await readFixtureText(`${folder}/config.json`),
      });
      const model = await ImageModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'auto', threads: 1 });
      const { picture } = await model.prepare(await readFixture(`${folder}/picture.png`), 'picture.png');
      const read: Read = { model, ...(await model.run(picture)) };
      let numSeen = 0;
      for (const info of read.components) {
        const norm = await weigh(read, info, 'norm');
        if (typeof norm === 'string') throw new Error(norm);
        const residual = await weigh(read, info, 'residual');
        const plain = read.layers.filter(({ component }) => component === info.component);
        for (const [number, layer] of norm.entries()) {
          if (layer.numHeads === 0) continue;
          numSeen++;
          const norms = floatsOf(expected.get(`norm.${number}`));
          const { numQueries, numKeys } = layer;
          expect(norms).to.have.length(layer.numHeads * numKeys);
          const weights = await numbersOf(plain[number]);
          const wanted = weights.map(
            (weight, i) => weight * norms[Math.floor(i / (numQueries * numKeys)) * numKeys + (i % numKeys)],
          );
          expectClose(await numbersOf(layer), wanted, `norm ${number}`);
          if (!hasResidual[number]) {
            expect(residual).to.be.a('string');
            continue;
          }
          if (typeof residual === 'string') throw new Error(`${number}: ${residual}`);
          const own = residual[number];
          if (!(own instanceof MixedLayer)) throw new Error('it has no mixing ratio');
          expectClose(own.weights, floatsOf(expected.get(`residual.${number}`)), `residual ${number}`);
          expectClose(own.mixing, floatsOf(expected.get(`mixing.${number}`)), `mixing ${number}`);
        }
      }
      expect(numSeen).to.equal(hasResidual.length);
      await model.release();
    });

  it('tells how a weight came about in its window, and of a key outside of it that it is not read', async () => {
    const folder = 'windows/swin.legacy';
    const access = memoryAccess({ 'm/model.onnx': await readFixture(`${folder}/model.onnx`), 'm/config.json': '{}' });
    const model = await ImageModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'auto', threads: 1 });
    const { picture } = await model.prepare(await readFixture(`${folder}/picture.png`), 'picture.png');
    const { components, streams, layers } = await model.run(picture);
    const [info] = components;
    // The second layer is shifted: the window of the patch at the corner holds patches of all corners.
    const own = layers.filter(({ component }) => component === info.component);
    const cell = async (query: number, key: number): Promise<DrawnCell> =>
      inWindow(
        await drawnCell({ component: info.component, layer: 1, head: 0, query, key }, components, streams, () =>
          own[1].rows(0, query, query + 1),
        ),
        own[1],
      );
    const numQueries = own[1].numQueries;
    let numSeen = 0;
    for (const [query, key] of [
      [0, 1],
      [27, 36],
      [numQueries - 1, numQueries - 2],
    ]) {
      const how = await model.how(await cell(query, key), model.fed);
      expect(how.steps.map(({ kind }) => kind).join(' ')).to.equal(
        'patch noPosition input query key product scale bias maximum exponentials sum weight values head heads written contributors output',
      );
      for (const step of how.steps) expect(agrees(step), step.kind).to.equal(true);
      // Each key of the row is the patch that it is called.
      const row = await own[1].rows(0, query, query + 1);
      const weights = how.steps.find(({ kind }) => kind === 'weight')?.numbers.find(({ name }) => name === 'weights');
      expect(how.keys).to.have.length(how.numKeys);
      how.keys?.forEach((token, i) => {
        expect(weights?.values[i]).to.be.closeTo(row[token], 1e-6);
        numSeen++;
      });
      expect(row[key]).to.be.greaterThan(0);
    }
    expect(numSeen).to.equal(3 * 16);
    expect(await codeOf(cell(9, 27))).to.equal('howNotFollowed');
    await model.release();
  });

  it('comes from the engine as of any other picture: by a method, and step by step', async () => {
    const { connection, end } = serveEngine();
    const engine = connection.remote;
    const folder = 'test/fixtures/windows/swin.legacy';
    const model = { path: folder, backend: 'wasm', threads: 1 } as const;
    const { runId, components } = await engine.explainImage({ model, path: `${folder}/picture.png` });
    const [{ component }] = components;
    const reasons = await engine.methodReasons({ runId, component });
    expect(reasons).to.not.have.any.keys('norm', 'summed', 'residual', 'value', 'rollout');
    const { ceiling, mixing } = await engine.weighing({ runId, component, method: 'residual' });
    const expected = readSafetensors(await readFixture('windows/swin.legacy/weighed.safetensors'), 'weighed');
    const wanted = [0, 1].map((layer) => floatsOf(expected.get(`residual.${layer}`)));
    const largest = Math.max(...wanted.flatMap((each) => [...each]));
    expect(ceiling).to.be.closeTo(largest, 1e-4 * largest);
    expect(mixing).to.have.length(2);
    const { weights } = await engine.pattern({
      runId,
      selection: { component, heads: [{ layer: 1, head: 0 }], aggregation: 'mean' },
      form: { method: 'residual', sinks: 'show', isRenormalized: false, canHaveSinks: false, isCausal: false },
    });
    expectClose(weights, wanted[1], 'residual 1');
    const { steps, keys } = await engine.how({ runId, cell: { component, layer: 1, head: 0, query: 63, key: 0 } });
    expect([steps.every(agrees), keys?.length]).to.deep.equal([true, 16]);
    end();
  });

  it('is that of blocks of a text, too, whose tokens are keys of several blocks', async () => {
    const access = memoryAccess({
      'm/model.onnx': await readFixture('windows/longt5.legacy/model.onnx'),
      'm/tokenizer.json': tinyTokenizer(),
    });
    const model = await LoadedModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'auto', threads: 1 });
    const read: Read = { model, ...(await model.explain({ text: 'blocks of four', tokenLimit: 0 })) };
    const [info] = read.components;
    const [norm, residual, values] = await Promise.all(
      (['norm', 'residual', 'value'] as const).map((method) => weigh(read, info, method)),
    );
    if (typeof norm === 'string' || typeof residual === 'string' || typeof values === 'string')
      throw new Error([norm, residual, values].filter((each) => typeof each === 'string').join(', '));
    for (const [number, layer] of norm.entries()) {
      // One length for each key of a head, whichever block reads it.
      const [plain, own] = [await numbersOf(read.layers[number]), await numbersOf(layer)];
      const n = layer.numKeys;
      for (let head = 0; head < layer.numHeads; head++)
        for (let key = 0; key < n; key++) {
          const ratios = Array.from({ length: n }, (_, query) => (head * n + query) * n + key)
            .filter((at) => plain[at] > 1e-3)
            .map((at) => own[at] / plain[at]);
          for (const ratio of ratios) expect(ratio).to.be.closeTo(ratios[0], 1e-4 * ratios[0]);
        }
      const mixed = residual[number];
      if (!(mixed instanceof MixedLayer)) throw new Error('it has no mixing ratio');
      for (const share of mixed.mixing) expect(share).to.be.within(0.001, 0.999);
    }
    await model.release();
  });
});
