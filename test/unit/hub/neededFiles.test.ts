import { expect } from 'chai';
import type { HubFile } from '../../../src/hub/hub';
import { neededFiles } from '../../../src/hub/neededFiles';
import { modelVariants } from '../../../src/model/modelVariants';

/** What is needed of a repository with such files for one of its models. */
function needed(paths: readonly string[], model: string): string[] {
  const files = paths.map((path): HubFile => ({ path, size: 1, hash: { kind: 'gitBlob', digits: '0'.repeat(40) } }));
  const variant = modelVariants(files.map(({ path, size }) => ({ name: path, size }))).find(
    ({ name }) => name === model,
  );
  if (variant === undefined) throw new Error(`${model} is no variant.`);
  return neededFiles(variant, files).map(({ path }) => path);
}

const others = ['README.md', 'pytorch_model.bin', 'model.safetensors', 'tf_model.h5', 'quantize_config.json', 'x.py'];
const settings = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'];

describe('What a model of the hub needs', () => {
  it('is its own file with its weights, tokenizer and settings, and nothing of other models or frameworks', () => {
    const onnx = ['model.onnx', 'model.onnx_data', 'model.onnx_data_1', 'model_fp16.onnx', 'model_fp16.onnx_data'];
    const paths = [...others, ...settings, ...onnx.map((name) => `onnx/${name}`)];
    expect(needed(paths, 'onnx/model.onnx')).to.deep.equal([
      ...['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model.onnx_data_1'],
      ...settings,
    ]);
    expect(needed(paths, 'onnx/model_fp16.onnx').slice(0, 2)).to.deep.equal([
      'onnx/model_fp16.onnx',
      'onnx/model_fp16.onnx_data',
    ]);
  });

  it('is both files of an encoder and a decoder, and not the repeated ones', () => {
    const onnx = [
      'encoder_model',
      'decoder_model',
      'decoder_model_merged',
      'decoder_with_past_model',
      'encoder_model_int8',
    ];
    const paths = [...settings, 'generation_config.json', ...onnx.map((name) => `onnx/${name}.onnx`)];
    expect(needed(paths, 'onnx/decoder_model_merged.onnx')).to.deep.equal([
      'onnx/decoder_model_merged.onnx',
      'onnx/encoder_model.onnx',
      ...[...settings, 'generation_config.json'].sort(),
    ]);
  });

  it('is the parts that make embeddings, in the decoder’s precision where there are such', () => {
    const onnx = [
      'decoder_model_merged_q4',
      'decoder_model_merged',
      'embed_tokens',
      'embed_tokens_q4',
      'vision_encoder',
    ];
    const paths = ['preprocessor_config.json', 'chat_template.jinja', ...onnx.map((name) => `onnx/${name}.onnx`)];
    expect(needed(paths, 'onnx/decoder_model_merged_q4.onnx')).to.deep.equal([
      ...['onnx/decoder_model_merged_q4.onnx', 'onnx/embed_tokens_q4.onnx', 'onnx/vision_encoder.onnx'],
      ...['chat_template.jinja', 'preprocessor_config.json'],
    ]);
  });

  it('stands in the model’s own folder, else above it', () => {
    const genai = ['genai_config.json', 'model.onnx', 'model.onnx.data', 'tokenizer.json'];
    const paths = [
      ...genai.map((name) => `cpu/int4/${name}`),
      ...genai.map((name) => `cuda/fp16/${name}`),
      'config.json',
    ];
    expect(needed(paths, 'cpu/int4/model.onnx')).to.deep.equal(
      ['model.onnx', 'model.onnx.data', 'genai_config.json', 'tokenizer.json'].map((name) => `cpu/int4/${name}`),
    );
    expect(needed(['a/b/model.onnx', 'tokenizer.json', 'a/config.json'], 'a/b/model.onnx')).to.deep.equal([
      'a/b/model.onnx',
      'a/config.json',
      'tokenizer.json',
    ]);
  });
});
