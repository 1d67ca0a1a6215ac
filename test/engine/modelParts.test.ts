import { expect } from 'chai';
import type { FileAccess } from '../../src/engine/files/fileAccess';
import { ImageModel } from '../../src/engine/image/imageModel';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { codeOf, errorOf } from '../harness/codeOf';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { tinyTokenizer, tinyVocabulary } from '../harness/tinyTokenizer';
import { smallModel, type SmallGraph } from '../unit/onnx/smallModel';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What transformers makes of the ids; see scripts/fixtures/parts.py. */
interface Expected {
  readonly ids: readonly number[];
  /** [layer][head], each row-major. */
  readonly attentions: readonly (readonly (readonly number[])[])[];
}

describe('a decoder that takes embeddings', () => {
  let runtime: Runtime;
  let parts: Record<string, Uint8Array>;
  let expected: Expected;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
    expected = JSON.parse(await readFixtureText('parts/expected.json')) as Expected; // written by our own script
    parts = Object.fromEntries(
      await Promise.all(
        ['embed_tokens', 'decoder_model_merged'].map(
          async (name) => [name, await readFixture(`parts/${name}.onnx`)] as const,
        ),
      ),
    );
  });

  const spec = { path: 'm', backend: 'wasm', threads: 1 } as const;
  const load = (access: FileAccess): Promise<LoadedModel> => LoadedModel.load({ runtime, reason: '' }, access, spec);
  const folder = (
    names: readonly string[] = Object.keys(parts),
    more: Readonly<Record<string, string | Uint8Array>> = {},
  ) =>
    memoryAccess({
      ...Object.fromEntries(names.map((name) => [`m/onnx/${name}.onnx`, parts[name]])),
      'm/tokenizer.json': tinyTokenizer(),
      'm/config.json': '{"max_position_embeddings": 64}',
      ...more,
    });
  const textOf = ({ ids }: Expected): string => ids.map((id) => tinyVocabulary[id]).join('');
  const differences = async ({ layers }: Awaited<ReturnType<LoadedModel['explain']>>): Promise<number> => {
    let largest = 0;
    for (const [at, heads] of expected.attentions.entries()) {
      for (const [head, weights] of heads.entries())
        (await layers[at].rows(head, 0, expected.ids.length)).forEach(
          (weight, i) => (largest = Math.max(largest, Math.abs(weight - weights[i]))),
        );
    }
    return largest;
  };

  it('reads a text through the file beside it that makes them, and attends as the whole model does', async () => {
    const model = await load(folder());
    for (const isLive of [false, true, true]) {
      const explanation = await model.explain({ text: textOf(expected), tokenLimit: 0, isLive });
      expect(explanation.streams[0].tokens.map(({ id }) => id)).to.deep.equal(expected.ids);
      expect(explanation.components.map(({ isCausal }) => isCausal)).to.deep.equal([true]);
      expect(await differences(explanation)).to.be.below(1e-5);
    }
    expect(model.info).to.include({ vocabularySize: 99, contextLength: 64 });
    expect(model.info.readFiles).to.include('onnx/embed_tokens.onnx');
    const { python } = model.input();
    expect(python)
      .to.include(
        `# embed_tokens.onnx\nfeeds_1 = {\n    "input_ids": np.array([${expected.ids.join(', ')}], dtype=np.int64).reshape((1, 6)),`,
      )
      .and.to.match(/# decoder_model_merged\.onnx\nfeeds_2 = \{\n {4}"inputs_embeds": np\.array\(/);
    expect(model.report().markdown).to.include('onnx/decoder_model_merged.onnx').and.to.include('embeddings');
    await model.release();
  });

  it('takes them where genai_config.json names the files, of no picture where there is none', async () => {
    // Rows for pictures come after those of the text.
    const embedding: SmallGraph = {
      nodes: [
        { operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
        { operator: 'Unsqueeze', inputs: ['image_features', 'first'], outputs: ['pictures'] },
        {
          operator: 'Concat',
          inputs: ['rows', 'pictures'],
          outputs: ['inputs_embeds'],
          attributes: { axis: { integer: 1 } },
        },
      ],
      inputs: { input_ids: ['batch', 'n'], image_features: ['count', 4] },
      types: { input_ids: 7 },
      outputs: ['inputs_embeds'],
      weights: { table: { dims: [99, 4], values: Array.from({ length: 396 }, (_, i) => Math.sin(i)) } },
      integers: { first: [0] },
    };
    const decoder: SmallGraph = {
      nodes: [
        {
          operator: 'Transpose',
          inputs: ['inputs_embeds'],
          outputs: ['t'],
          attributes: { perm: { integers: [0, 2, 1] } },
        },
        { operator: 'MatMul', inputs: ['inputs_embeds', 't'], outputs: ['s'] },
        { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
        { operator: 'MatMul', inputs: ['p', 'inputs_embeds'], outputs: ['y'] },
      ],
      inputs: { inputs_embeds: ['batch', 'n', 4] },
      outputs: ['y'],
    };
    const config = JSON.stringify({
      model: {
        context_length: 32,
        decoder: { filename: 'text.onnx' },
        embedding: { filename: 'emb.onnx' },
        vision: { filename: 'vis.onnx' },
      },
    });
    const access = memoryAccess({
      'm/text.onnx': smallModel(decoder),
      'm/emb.onnx': smallModel(embedding),
      'm/vis.onnx': '',
      'm/genai_config.json': config,
      'm/tokenizer.json': tinyTokenizer(),
    });
    const model = await load(access);
    const { layers, streams } = await model.explain({ text: 'abcd', tokenLimit: 0 });
    expect([streams[0].tokens.length, layers[0].numQueries, layers[0].numKeys]).to.deep.equal([4, 4, 4]);
    expect(model.info.contextLength).to.equal(32);
    await model.release();
    const refused = await errorOf(ImageModel.load({ runtime, reason: '' }, access, spec));
    expect([refused.code, refused.args]).to.deep.equal(['pictureBesideText', ['m', 'vis.onnx', 'text.onnx']]);
  });

  it('says which file is missing', async () => {
    const error = await errorOf(load(folder(['decoder_model_merged'])));
    expect(error.code).to.equal('inputNotMade');
    expect(error.message).to.include('embed_tokens.onnx').and.to.include('decoder_model_merged.onnx');
    // What makes embeddings of something else is no help.
    expect(
      await codeOf(
        load(
          folder(['decoder_model_merged'], {
            'm/onnx/embed_tokens.onnx': smallModel({
              nodes: [{ operator: 'Identity', inputs: ['a'], outputs: ['b'] }],
              inputs: { a: [1, 2] },
              outputs: ['b'],
            }),
          }),
        ),
      ),
    ).to.equal('inputNotMade');
  });
});
