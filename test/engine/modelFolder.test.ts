import { expect } from 'chai';
import { ExplorerError } from '../../src/base/errors';
import { noDeadlines } from '../../src/engine/limits/deadlines';
import type { FileAccess } from '../../src/engine/files/fileAccess';
import { externalDataPath, openExternalData, readModelFiles } from '../../src/engine/files/modelFiles';
import { ModelTokenizer } from '../../src/engine/text/modelTokenizer';
import { configNumber } from '../../src/engine/folder/configNumber';
import { configuredContextLength, resolveModel } from '../../src/engine/folder/modelFolder';
import { fileLimits } from '../../src/model/fileLimits';
import { memoryAccess } from './fixtureAccess';
import { codeOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';

describe('model folders', () => {
  it('finds the model in onnx/ and its companions above it', async () => {
    const access = memoryAccess({
      'm/bert/onnx/model.onnx': '',
      'm/bert/onnx/model_quantized.onnx': '',
      'm/bert/tokenizer.json': '{}',
      'm/bert/config.json': '{"max_position_embeddings": 512}',
      'm/bert/tokenizer_config.json': '{"model_max_length": 128}',
    });
    for (const path of ['m/bert', 'm/bert/', 'm/bert/onnx/model.onnx']) {
      const resolved = await resolveModel(access, path);
      expect(resolved).to.deep.include({
        name: 'bert',
        modelPath: 'm/bert/onnx/model.onnx',
        tokenizerPath: 'm/bert/tokenizer.json',
      });
      expect(configuredContextLength(resolved)).to.equal(128);
    }
  });

  it('takes a file that is named, with what lies beside it', async () => {
    const access = memoryAccess({ 'a/tiny.onnx': '', 'a/other.onnx': '' });
    expect(await resolveModel(access, 'a/tiny.onnx')).to.deep.equal({
      name: 'tiny',
      modelPath: 'a/tiny.onnx',
      encoderPath: undefined,
      embeddingPath: undefined,
      visionPath: undefined,
      tokenizerPath: undefined,
      config: {},
      tokenizerConfig: {},
      maskToken: undefined,
      sentenceConfig: undefined,
      chatTemplate: undefined,
      preprocessorConfig: undefined,
      generationConfig: {},
      notices: [],
    });
  });

  it('takes the tokenizer that was chosen, with the settings beside it, as long as it is there', async () => {
    const access = memoryAccess({
      'a/tiny.onnx': '',
      'b/tokenizer.json': '',
      'b/tokenizer_config.json': '{"model_max_length": 7}',
      'c/model.onnx': '',
      'c/tokenizer.json': '',
    });
    const chosen = await resolveModel(access, 'a/tiny.onnx', 'b/tokenizer.json');
    expect(chosen).to.deep.include({
      name: 'tiny',
      tokenizerPath: 'b/tokenizer.json',
      tokenizerConfig: { model_max_length: 7 },
    });
    expect((await resolveModel(access, 'c', 'b/tokenizer.json')).tokenizerPath).to.equal('b/tokenizer.json');
    expect((await resolveModel(access, 'c', 'gone/tokenizer.json')).tokenizerPath).to.equal('c/tokenizer.json');
  });

  it('prefers by convention, and asks where convention does not decide', async () => {
    const choose = async (names: string[]): Promise<string> => {
      try {
        return (await resolveModel(memoryAccess(Object.fromEntries(names.map((name) => [`m/${name}`, '']))), 'm'))
          .modelPath;
      } catch (error) {
        if (error instanceof ExplorerError) return error.message;
        throw error;
      }
    };
    expect(await choose(['model_q4.onnx', 'model.onnx'])).to.equal('m/model.onnx');
    expect(await choose(['only_this.onnx', 'notes.txt'])).to.equal('m/only_this.onnx');
    expect(await choose(['decoder_with_past_model.onnx', 'decoder_model.onnx', 'decoder_model_merged.onnx'])).to.equal(
      'm/decoder_model_merged.onnx',
    );
    expect(await choose(['b_fp16.onnx', 'a_int8.onnx'])).to.equal(
      'm holds several models (a_int8.onnx, b_fp16.onnx): choose one of the files.',
    );
  });

  it('takes an encoder and its decoder together, in the same variant where there is one', async () => {
    const pair = async (names: string[], path = 'm'): Promise<(string | undefined)[]> => {
      const { modelPath, encoderPath } = await resolveModel(
        memoryAccess(Object.fromEntries(names.map((name) => [`m/${name}`, '']))),
        path,
      );
      return [modelPath, encoderPath];
    };
    expect(await pair(['encoder_model.onnx', 'decoder_model.onnx', 'decoder_with_past_model.onnx'])).to.deep.equal([
      'm/decoder_model.onnx',
      'm/encoder_model.onnx',
    ]);
    const variants = [
      'onnx/encoder_model_int8.onnx',
      'onnx/decoder_model_int8.onnx',
      'onnx/decoder_model_merged_int8.onnx',
      'onnx/decoder_with_past_model_int8.onnx',
    ];
    expect(await pair(variants)).to.deep.equal([
      'm/onnx/decoder_model_merged_int8.onnx',
      'm/onnx/encoder_model_int8.onnx',
    ]);
    const all = [
      ...variants,
      'onnx/encoder_model.onnx',
      'onnx/decoder_model_merged.onnx',
      'onnx/decoder_model_merged_fp16.onnx',
    ];
    expect(await pair(all)).to.deep.equal(['m/onnx/decoder_model_merged.onnx', 'm/onnx/encoder_model.onnx']);
    expect(await pair(all, 'm/onnx/decoder_model_int8.onnx')).to.deep.equal([
      'm/onnx/decoder_model_int8.onnx',
      'm/onnx/encoder_model_int8.onnx',
    ]);
    expect(await pair(all, 'm/onnx/decoder_model_merged_fp16.onnx')).to.deep.equal([
      'm/onnx/decoder_model_merged_fp16.onnx',
      'm/onnx/encoder_model.onnx',
    ]);
    expect(await pair(all, 'm/onnx/encoder_model.onnx')).to.deep.equal(['m/onnx/encoder_model.onnx', undefined]);
    expect(await pair(['decoder_model.onnx'])).to.deep.equal(['m/decoder_model.onnx', undefined]);
  });

  it('takes the files that genai_config.json names, and its numbers where nothing else has any', async () => {
    const genai = (model: object): string => JSON.stringify({ model, search: {} });
    const files = {
      'm/phi.onnx': '',
      'm/other.onnx': '',
      'm/text.onnx': '',
      'm/emb.onnx': '',
      'm/vis.onnx': '',
      'm/tokenizer.json': '',
    };
    const one = await resolveModel(
      memoryAccess({
        ...files,
        'm/genai_config.json': genai({ context_length: 77, pad_token_id: 5, decoder: { filename: 'phi.onnx' } }),
      }),
      'm',
    );
    expect(one).to.deep.include({ name: 'm', modelPath: 'm/phi.onnx', tokenizerPath: 'm/tokenizer.json' });
    expect([configuredContextLength(one), configNumber(one.config, ['pad_token_id'])]).to.deep.equal([77, 5]);
    const parts = await resolveModel(
      memoryAccess({
        ...files,
        'm/genai_config.json': genai({
          decoder: { filename: 'text.onnx' },
          embedding: { filename: 'emb.onnx' },
          vision: { filename: 'vis.onnx' },
        }),
      }),
      'm',
    );
    expect(parts).to.deep.include({ modelPath: 'm/text.onnx', embeddingPath: 'm/emb.onnx', visionPath: 'm/vis.onnx' });
    // A file that the person names is the one, and what leads out of the folder is none.
    expect(
      (
        await resolveModel(
          memoryAccess({ ...files, 'm/genai_config.json': genai({ decoder: { filename: 'phi.onnx' } }) }),
          'm/other.onnx',
        )
      ).modelPath,
    ).to.equal('m/other.onnx');
    for (const name of ['../secret.onnx', '/etc/secret.onnx', 'c:\\secret.onnx', 'gone.onnx', 7]) {
      expect(
        (
          await resolveModel(
            memoryAccess({
              'secret.onnx': '',
              'm/model.onnx': '',
              'm/genai_config.json': genai({ decoder: { filename: name } }),
            }),
            'm',
          )
        ).modelPath,
        String(name),
      ).to.equal('m/model.onnx');
    }
  });

  it('finds models in folders of their own, with the tokenizer in any folder above', async () => {
    const deep = memoryAccess({
      'm/tokenizer.json': '',
      'm/config.json': '{}',
      'm/readme.md': '',
      'm/cpu/int4/model.onnx': '',
      'm/cpu/int4/model_q4.onnx': '',
    });
    for (const path of ['m', 'm/cpu', 'm/cpu/int4', 'm/cpu/int4/model.onnx'])
      expect(await resolveModel(deep, path), path).to.deep.include({
        name: 'm',
        modelPath: 'm/cpu/int4/model.onnx',
        tokenizerPath: 'm/tokenizer.json',
      });
    const own = memoryAccess({ 'm/tokenizer.json': '', 'm/a/model.onnx': '', 'm/a/config.json': '{}' });
    expect(await resolveModel(own, 'm')).to.deep.include({ name: 'a', tokenizerPath: 'm/tokenizer.json' });
    const others = memoryAccess({ 'm/config.json': '{"n_ctx": 3}', 'm/a/model.onnx': '', 'm/a/tokenizer.json': '' });
    expect((await resolveModel(others, 'm')).config).to.deep.equal({}); // a model that has a tokenizer needs nothing of the folder above
    const several = resolveModel(memoryAccess({ 'm/unet/model.onnx': '', 'm/text_encoder/model.onnx': '' }), 'm');
    expect(await codeOf(several)).to.equal('modelAmbiguous');
    expect(await several.catch((error: unknown) => String(error))).to.include(
      '(text_encoder/model.onnx, unet/model.onnx)',
    );
  });

  it('takes parts under their shorter names, and what makes embeddings for a decoder', async () => {
    const found = (names: readonly string[]): Promise<object> =>
      resolveModel(memoryAccess(Object.fromEntries(names.map((name) => [`m/${name}`, '']))), 'm');
    expect(await found(['encoder.onnx', 'decoder.onnx', 'decoder_with_past.onnx'])).to.deep.include({
      modelPath: 'm/decoder.onnx',
      encoderPath: 'm/encoder.onnx',
    });
    expect(await found(['encoder_int8.onnx', 'decoder_int8.onnx'])).to.deep.include({
      modelPath: 'm/decoder_int8.onnx',
      encoderPath: 'm/encoder_int8.onnx',
    });
    const exported = ['decoder_model_merged', 'embed_tokens', 'vision_encoder'].flatMap((name) => [
      `onnx/${name}.onnx`,
      `onnx/${name}_q4.onnx`,
    ]);
    expect(await found(exported)).to.deep.include({
      modelPath: 'm/onnx/decoder_model_merged.onnx',
      encoderPath: undefined,
      embeddingPath: 'm/onnx/embed_tokens.onnx',
      visionPath: 'm/onnx/vision_encoder.onnx',
    });
    const quantised = await resolveModel(
      memoryAccess(Object.fromEntries(exported.map((name) => [`m/${name}`, '']))),
      'm/onnx/decoder_model_merged_q4.onnx',
    );
    expect(quantised).to.deep.include({
      embeddingPath: 'm/onnx/embed_tokens_q4.onnx',
      visionPath: 'm/onnx/vision_encoder_q4.onnx',
    });
    // Without that of the same variant and the plain one the nearest to the plain one; pictures' part by its other name.
    const mixed = ['decoder_q4', 'embed_tokens_int8', 'embed_tokens_fp16', 'embed_images_q4', 'embed_images_fp16'];
    expect(await found(mixed.map((name) => `${name}.onnx`))).to.deep.include({
      modelPath: 'm/decoder_q4.onnx',
      embeddingPath: 'm/embed_tokens_fp16.onnx',
      visionPath: 'm/embed_images_q4.onnx',
    });
  });

  it('says what is missing', async () => {
    expect(await codeOf(resolveModel(memoryAccess({ 'm/readme.md': '' }), 'm'))).to.equal('modelNotFound');
    expect(await codeOf(resolveModel(memoryAccess({}), 'nowhere'))).to.equal('modelNotFound');
    expect(await codeOf(resolveModel(memoryAccess({ 'm/model.ort': '' }), 'm'))).to.equal('modelOrtFormat');
  });

  it('does without settings that are broken or too large, and says so', async () => {
    const large = new Uint8Array(fileLimits.settings.maxBytes + 1).fill(32);
    const cases: readonly (readonly [string | Uint8Array, string | undefined])[] = [
      ['{', 'it is not valid JSON'],
      ['[1]', 'it holds no settings'],
      ['null', 'it holds no settings'],
      [large, 'it is 16.1 MB large, more than the 16 MB that are read'],
      ['{"__proto__": {"n_ctx": 3}, "n_positions": "many"}', undefined],
    ];
    for (const name of [
      'config.json',
      'generation_config.json',
      'tokenizer_config.json',
      'preprocessor_config.json',
      'processor_config.json',
    ]) {
      for (const [config, reason] of cases) {
        const access = memoryAccess({ 'm/model.onnx': '', [`m/${name}`]: config });
        const resolved = await resolveModel(access, 'm');
        expect(configuredContextLength(resolved)).to.equal(undefined);
        expect(resolved.notices).to.deep.equal(
          reason === undefined ? [] : [{ code: 'settingsNotRead', args: [name, reason] }],
        );
        expect(access.wasRead).to.deep.equal(config === large ? [] : [`m/${name}`]);
      }
    }
  });

  it('takes the settings for a tokenizer that is made of no other file', async () => {
    const resolved = async (name: string): Promise<string | undefined> => {
      const files = { 'm/model.onnx': '', 'm/tokenizer_config.json': `{"tokenizer_class":"${name}"}` };
      return (await resolveModel(memoryAccess(files), 'm')).tokenizerPath;
    };
    expect(await resolved('ByT5Tokenizer')).to.equal('m/tokenizer_config.json');
    expect(await resolved('T5Tokenizer')).to.equal(undefined);
  });

  it('takes the rules of generation from config.json where they have no file of their own', async () => {
    const files = { 'm/model.onnx': '', 'm/config.json': '{"no_repeat_ngram_size": 3}' };
    expect((await resolveModel(memoryAccess(files), 'm')).generationConfig).to.deep.equal({ no_repeat_ngram_size: 3 });
    const own = { ...files, 'm/generation_config.json': '{}' };
    expect((await resolveModel(memoryAccess(own), 'm')).generationConfig).to.deep.equal({});
  });

  it('says that texts are not put into lower case as Sentence Transformers would', async () => {
    const files = { 'm/model.onnx': '', 'm/sentence_bert_config.json': '{"do_lower_case":true}' };
    expect((await resolveModel(memoryAccess(files), 'm')).notices).to.deep.equal([
      { code: 'sentenceNotLowered', args: [] },
    ]);
  });

  it('takes the limit of Sentence Transformers in the place of the tokenizer’s', async () => {
    const files = {
      'm/model.onnx': '',
      'm/tokenizer.json': '',
      'm/config.json': '{"max_position_embeddings":512}',
      'm/tokenizer_config.json': '{"model_max_length":128}',
    };
    const length = async (more: Record<string, string>): Promise<number | undefined> =>
      configuredContextLength(await resolveModel(memoryAccess({ ...files, ...more }), 'm'));
    expect(await length({})).to.equal(128);
    expect(await length({ 'm/sentence_bert_config.json': '{"max_seq_length":256,"do_lower_case":false}' })).to.equal(
      256,
    );
    expect(await length({ 'm/sentence_roberta_config.json': '{"max_seq_length":64}' })).to.equal(64);
    // More than the model has positions it cannot read.
    expect(await length({ 'm/sentence_bert_config.json': '{"max_seq_length":1024}' })).to.equal(512);
    expect(await length({ 'm/sentence_bert_config.json': '{"max_seq_length":null}' })).to.equal(128);
  });

  it('looks for settings inside others, but not for ever', () => {
    expect(configNumber({ text_config: { vocab_size: 7 } }, ['vocab_size'])).to.equal(7);
    expect(
      configNumber(JSON.parse(`${'{"decoder":'.repeat(200_000)}{}${'}'.repeat(200_000)}`) as Record<string, unknown>, [
        'vocab_size',
      ]),
    ).to.equal(undefined);
    expect(
      configuredContextLength({ config: { n_positions: 1024 }, tokenizerConfig: { model_max_length: 1e30 } }),
    ).to.equal(1024);
  });
});

describe('weights in other files', () => {
  it('lie in the folder of the model or below', () => {
    expect(externalDataPath('m/model.onnx', 'model.onnx_data')).to.equal('m/model.onnx_data');
    expect(externalDataPath('m/model.onnx', './parts/1.bin')).to.equal('m/parts/1.bin');
    expect(externalDataPath('/model.onnx', 'w')).to.equal('//w'.slice(1));
  });

  it('are told from what a download left in their place', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n';
    const files = new Map([
      ['m/model.onnx', await readFixture('zoo/gpt2.sdpa.legacy.external/model.onnx')],
      ['m/model.onnx_data', new TextEncoder().encode(pointer)],
    ]);
    const bytesOf = (path: string): Uint8Array => files.get(path) ?? new Uint8Array();
    const access: FileAccess = {
      read: async (path) => bytesOf(path),
      exists: async (path) => files.has(path),
      list: async () => [],
      open: async (path) => ({
        size: bytesOf(path).length,
        read: (offset, length) => bytesOf(path).slice(offset, offset + length),
        close: () => {},
      }),
    };
    const model = await readModelFiles(access, 'm/model.onnx');
    const opening = openExternalData(model, ['model.onnx_data']);
    expect(await codeOf(opening)).to.equal('externalDataInvalid');
    expect(await opening.catch((error: unknown) => String(error))).to.include('git lfs pull');
    files.set('m/model.onnx_data', await readFixture('zoo/gpt2.sdpa.legacy.external/model.onnx_data'));
    expect(await codeOf(openExternalData(model, ['model.onnx_data']))).to.equal('none');
    expect(
      await codeOf(
        ModelTokenizer.open({ path: 'm/tokenizer.json' }, memoryAccess({ 'm/tokenizer.json': pointer }), noDeadlines),
      ),
    ).to.equal('tokenizerInvalid');
  });

  it('cannot lead out of it', () => {
    for (const location of [
      '../secret',
      'a/../../secret',
      '/etc/passwd',
      '\\\\server\\share',
      'C:\\secret',
      'c:/x',
      'file:///etc/passwd',
      'https://example.org/w',
      '..',
      '.',
      '',
      'a\\..\\..\\x',
      'a\0b',
    ]) {
      expect(() => externalDataPath('m/model.onnx', location), location)
        .to.throw(ExplorerError)
        .with.property('code', 'externalDataOutside');
    }
  });
});
