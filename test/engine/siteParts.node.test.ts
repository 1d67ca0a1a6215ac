import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { runtimeBuilds } from '../../src/engine/runtime/backends';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { SiteParts, type LayerParts, type PartTensor } from '../../src/engine/session/siteParts';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { sitePartNames, type SitePart } from '../../src/model/sitePart';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const cases = readdirSync('test/fixtures/headParts');
/** Exports with scaled dot-product attention have the root of the scale in both queries and keys. */
const isScaledInside = (name: string): boolean => /\.sdpa\./.test(name);

const floatsOf = ({ data }: StoredTensor): Float32Array => new Float32Array(data.slice().buffer);

describe('parts of attention that the reference computes too', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  const partsOf = async (
    folder: string,
  ): Promise<{
    readonly expected: ReadonlyMap<string, StoredTensor>;
    readonly layers: readonly (LayerParts & { readonly name: string })[];
  }> => {
    const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), folder);
    const files = await readModelFiles(fixtureAccess, `${folder}/model.onnx`);
    const parts = new SiteParts({ ort, files, build: runtimeBuilds.web }, sitePartNames);
    const session = await AttentionSession.create({ ort, files, extras: parts.extras });
    const { layers, extras } = await session.run(toModelInputs(files.analysis.index, expected), { hasWindows: true });
    const read = await parts.read(layers, extras ?? new Map(), session.isCoarse);
    await parts.release();
    await session.release();
    return {
      expected,
      layers: [...read].map(([{ component, layer }, found]) => ({ ...found, name: `${component}.${layer}` })),
    };
  };

  /** The largest difference, as a part of the largest number, of what both have as numbers; the factor between them where it may be any. */
  const difference = (own: Float32Array, reference: Float32Array, hasFactor: boolean): number => {
    let [largest, scale, both, square] = [0, 0, 0, 0];
    const isMasked = (value: number): boolean => value < -1e6;
    reference.forEach((value, i) => {
      if (isMasked(value)) return;
      both += own[i] * value;
      square += value * value;
    });
    const factor = hasFactor ? both / square : 1;
    reference.forEach((value, i) => {
      if (isMasked(value)) {
        if (!isMasked(own[i])) largest = Infinity;
        return;
      }
      largest = Math.max(largest, Math.abs(own[i] - factor * value));
      scale = Math.max(scale, Math.abs(factor * value));
    });
    return largest / scale;
  };

  it('there are twenty architectures and more, by both exporters', () => {
    expect(new Set(cases.map((name) => name.split('.')[0])).size).to.be.greaterThan(20);
    for (const kind of ['.legacy', '.dynamo', '.op23', '.int8', '.q4', '.qdq', 'fused.'])
      expect(
        cases.some((name) => name.includes(kind)),
        kind,
      ).to.equal(true);
  });

  for (const name of cases)
    it(`equal them to a relative 1e-4: ${name}`, async () => {
      const { expected, layers } = await partsOf(`headParts/${name}`);
      const own = new Map<string, { readonly part: SitePart; readonly tensor: PartTensor | string }>(
        layers.flatMap(({ name: layer, parts }) =>
          [...parts].map(([part, tensor]) => [`${part}.${layer}`, { part, tensor }] as const),
        ),
      );
      for (const [key, stored] of expected) {
        if (key.startsWith('in.')) continue;
        const found = own.get(key);
        if (found === undefined || typeof found.tensor === 'string')
          throw new Error(`${key}: ${found === undefined ? 'missing' : String(found.tensor)}`);
        expect(found.tensor.shape, key).to.deep.equal(stored.shape);
        const hasFactor = isScaledInside(name) && (['query', 'key'] as readonly SitePart[]).includes(found.part);
        expect(difference(found.tensor.data, floatsOf(stored), hasFactor), key).to.be.lessThan(1e-4);
      }
      const isOfFewBits = /int8|qdq/.test(name);
      for (const { proof } of layers) expect(proof).to.have.property('isExact', !isOfFewBits);
    });

  for (const kind of ['learned', 'flat', 'repeated', 'several', 'asked', 'dotted', 'additive'])
    it(`equal them where values are weighted by a product and a sum: ${kind}`, async () => {
      for (const exporter of ['legacy', 'dynamo']) {
        const { expected, layers } = await partsOf(`pooled/${kind}.${exporter}`);
        expect(layers).to.have.length(1);
        const [{ name, parts, proof }] = layers;
        for (const part of ['value', 'norm'] as const) {
          const [found, stored] = [parts.get(part), expected.get(`${part}.${name}`)];
          if (found === undefined || typeof found === 'string' || stored === undefined)
            throw new Error(`${part}.${name}: ${String(found)}`);
          expect(found.shape, part).to.deep.equal(stored.shape);
          expect(difference(found.data, floatsOf(stored), false), part).to.be.lessThan(1e-4);
        }
        expect(proof).to.have.property('isExact', true);
        const [asks, asked, weights] = [parts.get('query'), parts.get('key'), expected.get(`attention.${name}`)];
        // Queries and keys that are multiplied by a product and a sum as well are not told apart.
        const numbers = [asks, asked].map((part) => (typeof part === 'string' ? undefined : part?.shape[2]));
        expect(numbers).to.deep.equal(kind === 'asked' ? [undefined, undefined] : weights?.shape.slice(2));
      }
    });

  it('norms are not given where a graph has no projection, and the reason is', async () => {
    const { layers } = await partsOf('zoo/craft.gqa_rotary');
    expect(layers[0].proof).to.deep.equal({ impossible: 'the graph projects its result nowhere' });
  });
});
