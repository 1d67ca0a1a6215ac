import { expect } from 'chai';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { AttentionStore } from '../../src/engine/weights/attentionStore';
import { ImageModel, type ImageRunResult } from '../../src/engine/image/imageModel';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { headsOf } from '../../src/model/head';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const floatsOf = ({ data }: StoredTensor): Float32Array => new Float32Array(data.slice().buffer);

/** Grids of each layer's queries and keys: rows, columns, and the sides of a patch. */
const cases = {
  'swin.legacy': [
    ['8 8 4 4', '8 8 4 4'],
    ['8 8 4 4', '8 8 4 4'],
    ['4 4 8 8', '4 4 8 8'],
    ['4 4 8 8', '4 4 8 8'],
  ],
  'swin_padded.legacy': [
    ['10 10 4 4', '10 10 4 4'],
    ['10 10 4 4', '10 10 4 4'],
    ['5 5 8 8', '5 5 8 8'],
    ['5 5 8 8', '5 5 8 8'],
  ],
  'segformer.legacy': [
    ['8 12 4 4', '2 3 16 16'],
    ['4 6 8 8', '4 6 8 8'],
  ],
  'segformer.dynamo': [
    ['8 12 4 4', '2 3 16 16'],
    ['4 6 8 8', '4 6 8 8'],
  ],
  'pvt.legacy': [
    ['8 8 4 4', '2 2 16 16'],
    ['4 4 8 8', '4 4 8 8'],
  ],
  'hiera.legacy': [
    ['8 8 4 4', '8 8 4 4'],
    ['4 4 8 8', '8 8 4 4'],
    ['4 4 8 8', '4 4 8 8'],
  ],
  // Queries that the model has learned are on a grid without patches.
  'siglip.legacy': [
    ['4 4 8 8', '4 4 8 8'],
    ['0 0 32 32', '4 4 8 8'],
  ],
  'siglip.dynamo': [
    ['4 4 8 8', '4 4 8 8'],
    ['0 0 32 32', '4 4 8 8'],
  ],
  'detr.legacy': [
    ['4 6 8 8', '4 6 8 8'],
    ['0 0 48 32', '0 0 48 32'],
    ['0 0 48 32', '4 6 8 8'],
    ['0 0 48 32', '0 0 48 32'],
    ['0 0 48 32', '4 6 8 8'],
  ],
} as const;
/** Layers in the order in which they run, where they have the names of encoder and decoder. */
const orders: Readonly<Record<string, readonly string[]>> = {
  'siglip.legacy': ['encoder.0', 'cross.0'],
  'siglip.dynamo': ['encoder.0', 'cross.0'],
  'detr.legacy': ['encoder.0', 'decoder.0', 'cross.0', 'decoder.1', 'cross.1'],
};

describe('vision towers of windows and of several grids', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  const runOf = async (name: string): Promise<ImageRunResult> => {
    const folder = `windows/${name}`;
    const access = memoryAccess({
      'm/model.onnx': await readFixture(`${folder}/model.onnx`),
      'm/config.json': await readFixtureText(`${folder}/config.json`),
    });
    const model = await ImageModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'auto', threads: 1 });
    const { picture } = await model.prepare(await readFixture(`${folder}/picture.png`), 'picture.png');
    const result = await model.run(picture);
    await model.release();
    return result;
  };

  for (const [name, grids] of Object.entries(cases)) {
    it(`are put together over their patches: ${name}`, async () => {
      const expected = readSafetensors(await readFixture(`windows/${name}/expected.safetensors`), name);
      const { streams, components, layers, notices } = await runOf(name);
      const store = new AttentionStore(Infinity);
      store.add(1, layers);
      const found: (readonly string[])[] = [];
      for (const component of components) {
        const names = [component.queryStream, component.keyStream].map((stream) => {
          const { grid } = streams[stream];
          return [grid?.rows, grid?.columns, grid?.patchWidth, grid?.patchHeight].join(' ');
        });
        for (const [number, { numHeads }] of component.layers.entries()) {
          if (numHeads === 0) continue;
          const layer = orders[name]?.indexOf(`${component.component}.${number}`) ?? number;
          found[layer] = names;
          const wanted = expected.get(`attention.${layer}`);
          if (wanted === undefined) throw new Error(`no layer ${layer}`);
          expect(wanted.shape).to.deep.equal([
            numHeads,
            streams[component.queryStream].tokens.length,
            streams[component.keyStream].tokens.length,
          ]);
          const values = floatsOf(wanted);
          const [, numQueries, numKeys] = wanted.shape;
          for (const head of headsOf(component, { layer: number })) {
            const selection = { component: component.component, heads: [head], aggregation: 'mean' } as const;
            const { weights } = await store.pattern({ runId: 1, selection });
            const own = values.subarray(head.head * numQueries * numKeys, (head.head + 1) * numQueries * numKeys);
            let largest = 0;
            weights.forEach((weight, i) => (largest = Math.max(largest, Math.abs(weight - own[i]))));
            expect(largest, `${layer}.${head.head}`).to.be.at.most(1e-5);
            const key = numKeys >> 1;
            const column = await store.row({ runId: 1, selection, position: key, direction: 'readBy' });
            expect([...column]).to.deep.equal(
              Array.from({ length: numQueries }, (_, query) => weights[query * numKeys + key]),
            );
          }
        }
      }
      expect(found).to.deep.equal(grids);
      expect(notices.map(({ code }) => code).filter((code) => code !== 'patchesByStride')).to.deep.equal(
        name === 'swin_padded.legacy' ? ['edgePaddingRead'] : [],
      );
    });
  }

  it('call queries that are learned by their numbers, and none of them a class token', async () => {
    const { streams } = await runOf('detr.legacy');
    expect(streams.map(({ tokens }) => tokens[0].piece)).to.deep.equal(['1,1', '[Q1]']);
    expect(streams[1].tokens.every(({ isSpecial }) => isSpecial)).to.equal(true);
  });

  it('name their grids’ patches and special tokens', async () => {
    const { streams, components } = await runOf('pvt.legacy');
    expect(
      components.map(({ component, layers }) => [component, layers.map(({ numHeads }) => numHeads)]),
    ).to.deep.equal([
      ['stage1', [1]],
      ['stage2', [0, 2]],
    ]);
    const last = streams[components[1].queryStream];
    expect(last.tokens.map(({ piece }) => piece).slice(0, 3)).to.deep.equal(['[CLS]', '1,1', '1,2']);
  });

  it('puts blocks of a text together over its tokens', async () => {
    const folder = 'windows/longt5.legacy';
    const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), folder);
    const access = memoryAccess({
      'm/model.onnx': await readFixture(`${folder}/model.onnx`),
      'm/tokenizer.json': tinyTokenizer(),
    });
    const model = await LoadedModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'auto', threads: 1 });
    const text = 'blocks of four';
    // What is known after the first run holds for the next.
    for (let run = 1; run <= 2; run++) {
      const { streams, components, layers, notices } = await model.explain({ text, tokenLimit: 0 });
      expect(streams[0].tokens.map(({ id }) => id)).to.deep.equal(
        [...text].map((character) => (character === ' ' ? 94 : character.charCodeAt(0) - 33)),
      );
      expect([components.map(({ component, layers: { length } }) => `${component} ${length}`), notices]).to.deep.equal([
        ['self 2'],
        [],
      ]);
      for (const [layer, held] of layers.entries()) {
        const values = floatsOf(expected.get(`attention.${layer}`) ?? { dtype: '', shape: [], data: new Uint8Array() });
        const rows = await Promise.all([0, 1].map((head) => held.rows(head, 0, text.length)));
        let largest = 0;
        rows
          .flatMap((own) => [...own])
          .forEach((weight, i) => (largest = Math.max(largest, Math.abs(weight - values[i]))));
        expect([held.numQueries, held.numKeys, values.length]).to.deep.equal([14, 14, 2 * 14 * 14]);
        expect(largest).to.be.at.most(1e-5);
        expect(rows[0][13]).to.equal(0); // the last token, which the first does not reach
      }
    }
    await model.release();
  });
});
