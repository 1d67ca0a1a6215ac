import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { arrangeLayers } from '../../src/engine/session/arrangeLayers';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { WeighRuns } from '../../src/engine/session/weighRuns';
import { lackOfComponent, MixedLayer, weighLayers } from '../../src/engine/weights/weighedLayers';
import type { MethodId } from '../../src/model/methods';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const floatsOf = ({ data }: StoredTensor): Float32Array => new Float32Array(data.slice().buffer);
const stored = async (file: string): Promise<ReadonlyMap<string, StoredTensor>> =>
  readSafetensors(await readFixture(file), file);
const methods: readonly MethodId[] = ['residual', 'residualNorm'];

describe('attention with the residual, and with the norm behind it', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  /** What a model of a fixture weighs by a method, by component; otherwise why it cannot be had. */
  const weighed = async (folder: string, feeds: ReadonlyMap<string, StoredTensor>) => {
    const files = await readModelFiles(fixtureAccess, `${folder}/model.onnx`);
    const session = await AttentionSession.create({ ort, files });
    const inputs = toModelInputs(files.analysis.index, feeds);
    const { layers, components } = arrangeLayers(folder, [await session.run(inputs, { hasWindows: true })]);
    const weighs = new WeighRuns([session]);
    const found = new Map<string, MixedLayer | string>();
    for (const info of components)
      for (const method of methods) {
        const own = layers.filter(({ component }) => component === info.component);
        const lack = lackOfComponent(method, info.component, () => own) ?? weighs.lackOf(method, info);
        const weighings = lack ?? (await weighs.weigh(info, own, [{ file: session.fileName, inputs }]));
        const made = typeof weighings === 'string' ? weighings : await weighLayers(method, own, weighings);
        const [first] = typeof made === 'string' ? [made] : made;
        if (typeof first !== 'string' && !(first instanceof MixedLayer)) throw new Error('it has no mixing ratio');
        found.set(`${method}.${info.component}`, first);
      }
    await weighs.release();
    await session.release();
    return found;
  };

  const cases = readdirSync('test/fixtures/residuals').map((name) => name.replace('.safetensors', ''));
  for (const name of cases)
    it(`equals PyTorch to a relative 1e-4: ${name}`, async () => {
      const isOwn = ['bert.opset14', 'bert.optimised', 'deepnorm'].includes(name);
      const folder = isOwn ? `residuals/${name}` : `headParts/${name}`;
      const feeds = await stored(`${folder}/expected.safetensors`);
      const expected = isOwn ? feeds : await stored(`residuals/${name}.safetensors`);
      const found = await weighed(folder, feeds);
      let numCompared = 0;
      for (const [key, { layer, mixing }] of [...found].map(
        ([key, layer]) => [key, { layer, mixing: `mixing.${key}.0` }] as const,
      )) {
        const reference = expected.get(`${key}.0`);
        if (reference === undefined) {
          expect(layer, key).to.be.a('string');
          continue;
        }
        if (typeof layer === 'string') throw new Error(`${key}: ${layer}`);
        const ratios = expected.get(mixing);
        if (ratios === undefined) throw new Error(`no ${mixing}`);
        for (const [own, wanted] of [
          [layer.weights, floatsOf(reference)],
          [layer.mixing, floatsOf(ratios)],
        ] as const) {
          expect(own).to.have.length(wanted.length);
          const largest = Math.max(...wanted);
          wanted.forEach((value, i) => expect(own[i], `${key} ${i}`).to.be.closeTo(value, 1e-4 * largest));
          numCompared += wanted.length;
        }
      }
      expect(numCompared).to.be.greaterThan(50);
    });

  it('is had of a model of few bits, whose norm is proven to its rounding; what it lacks is said', async () => {
    const found = async (name: string): Promise<ReadonlyMap<string, MixedLayer | string>> =>
      weighed(`headParts/${name}`, await stored(`headParts/${name}/expected.safetensors`));
    const [qdq, exact] = [await found('bert.eager.legacy.qdq'), await found('bert.eager.legacy')];
    for (const method of methods) {
      const [own, other] = [qdq, exact].map((each) => each.get(`${method}.self`));
      if (!(own instanceof MixedLayer) || !(other instanceof MixedLayer)) throw new Error(`${method}: ${String(own)}`);
      const largest = Math.max(...other.weights);
      other.weights.forEach((weight, i) => expect(own.weights[i]).to.be.closeTo(weight, 0.1 * largest));
    }
    const gpt2 = await found('gpt2.sdpa.legacy');
    expect(gpt2.get('residualNorm.self')).to.match(/norms stand before attention/);
    const olmo = await found('olmo2.eager.dynamo');
    expect(olmo.get('residualNorm.self')).to.match(/norm stands before the sum/);
    const neox = await found('gpt_neox.eager.legacy');
    expect(neox.get('residualNorm.self')).to.match(/other branches are added beside it/);
    expect((await found('fused.gqa')).get('residual.self')).to.match(/read by nothing/);
  });
});
