import { expect } from 'chai';
import { drawnCell, inWindow } from '../../src/engine/how/drawnCell';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { agrees, type How } from '../../src/model/how/how';
import { readSafetensors } from '../../src/cli/safetensors';
import { errorOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const scored = 'query key part product';
const softmax = 'maximum exponentials sum weight';
const after = 'values head heads written contributors output';

/** Of each model, cells [layer, head, query, key] with what their steps are, and the tokens that their part has: queries from … to …, keys from … to …. */
const cases: Readonly<Record<string, readonly (readonly [number[], string, number[]])[]>> = {
  // All keys in one part, a band beside other blocks, and a block that is read twice.
  'bigbird.legacy': [
    [[0, 0, 0, 2], `${scored} scale mask ${softmax} ${after}`, [0, 1, 0, 15]],
    [[1, 1, 5, 4], `${scored} scale mask joinedParts ${softmax} ${after}`, [4, 5, 2, 7]],
    [[0, 1, 5, 0], `${scored} scale mask joinedParts ${softmax} repeated ${after}`, [4, 11, 0, 1]],
  ],
  // A band in overlapping chunks.
  'led.legacy': [
    [[0, 0, 0, 2], `query scaledQuery key part product joinedParts mask ${softmax} ${after}`, [0, 3, 0, 3]],
    [[0, 1, 5, 4], `query scaledQuery key part product mask ${softmax} ${after}`, [2, 5, 2, 5]],
  ],
  'longt5.legacy': [[[1, 1, 14, 13], `${scored} bias ${softmax} ${after}`, [12, 15, 8, 15]]],
  // Blocks alone, which are drawn as windows; the last one is filled up.
  'windows/longt5.legacy': [
    [[0, 1, 5, 4], `${scored} bias ${softmax} ${after}`, [4, 7, 0, 11]],
    [[1, 1, 13, 9], `${scored} bias ${softmax} ${after}`, [12, 13, 8, 13]],
  ],
  // Blocks whose places are half a block further in every other layer.
  'pegasus_x.dynamo': [
    [[0, 1, 5, 4], `query scaledQuery key part product joinedParts mask ${softmax} ${after}`, [4, 7, 4, 7]],
    [[1, 1, 5, 4], `query scaledQuery key part product joinedParts mask ${softmax} ${after}`, [2, 5, 2, 5]],
  ],
};

describe('how a weight of an attention in parts came about', function () {
  // Its runtime takes long to load graphs of thousands of nodes.
  this.timeout(180_000);
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  for (const [name, cells] of Object.entries(cases))
    it(`is followed to the part that has it, and equals the library's weight: ${name}`, async () => {
      const folder = name.includes('/') ? name : `blocks/${name}`;
      const text = name.includes('/') ? 'blocks of four' : 'blocks and bands';
      const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), name);
      const access = memoryAccess({
        'm/model.onnx': await readFixture(`${folder}/model.onnx`),
        'm/tokenizer.json': tinyTokenizer(),
      });
      const model = await LoadedModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'auto', threads: 1 });
      const { streams, components, layers } = await model.explain({ text, tokenLimit: 0 });
      const howOf = async ([layer, head, query, key]: readonly number[]): Promise<How> => {
        const cell = { component: 'self', layer, head, query, key } as const;
        const held = layers[layer];
        const drawn = await drawnCell(cell, components, streams, () => held.rows(head, query, query + 1));
        return model.how(inWindow(drawn, held), model.fed);
      };
      for (const [cell, kinds, tokens] of cells) {
        const [layer, head, query] = cell;
        const how = await howOf(cell);
        const from = how.steps.findIndex(({ kind }) => kind === 'query');
        expect(how.steps.slice(from).map(({ kind }) => kind)).to.deep.equal(kinds.split(' '));
        expect(how.steps.filter((step) => !agrees(step))).to.deep.equal([]);
        expect(how.steps.find(({ kind }) => kind === 'part')?.args.slice(2)).to.deep.equal(tokens);
        // Query, key, score, weights, the head and what it writes are computed anew.
        for (const kind of ['query', 'key', 'product', 'weight', 'head', 'written'] as const)
          expect(how.steps.find((step) => step.kind === kind)?.check, kind).to.not.equal(undefined);
        const data = expected.get(`attention.${layer}`)?.data ?? new Uint8Array();
        const reference = new Float32Array(data.slice().buffer).subarray((head * text.length + query) * text.length);
        const weights = how.steps
          .find(({ kind }) => kind === 'weight')
          ?.numbers.find((each) => each.name === 'weights');
        for (let key = 0; key < text.length; key++) {
          const own = (how.keys ?? []).flatMap((token, at) => (token === key ? [weights?.values[at] ?? NaN] : []));
          expect(own.reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(reference[key], 1e-5);
        }
      }
      if (name === 'led.legacy' || name === 'longt5.legacy') {
        const outside = await errorOf(howOf([0, 1, 5, 15]));
        expect([outside.code, ...outside.args]).to.deep.equal([
          'howNotFollowed',
          'no part of the graph reads this key for this query: its weight is none',
        ]);
      }
      await model.release();
    });
});
