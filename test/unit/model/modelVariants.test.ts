import { expect } from 'chai';
import { modelFolderOf, modelVariants, precisionOf } from '../../../src/model/modelVariants';

const sized = (files: Readonly<Record<string, number>>): { name: string; size: number }[] =>
  Object.entries(files).map(([name, size]) => ({ name, size }));

describe('variants of a model in a folder of the Hugging Face hub', () => {
  it('are the .onnx files, full precision first, each with the size of its weights files', () => {
    const variants = modelVariants(
      sized({
        'config.json': 9,
        'onnx/model_q4.onnx': 30,
        'onnx/model.onnx': 1,
        'onnx/model.onnx_data': 100,
        'onnx/model.onnx_data_1': 50,
        'onnx/model_fp16.onnx': 2,
        'onnx/model_fp16.onnx_data': 70,
        'onnx/model_bnb4.onnx': 28,
        'onnx/model_quantized.onnx': 40,
        'onnx/model_q4f16.onnx': 20,
        'onnx/model_uint8.onnx': 41,
        'onnx/model_int8.onnx': 42,
      }),
    );
    expect(variants.map(({ name, precision, bytes }) => [name.slice(5), precision, bytes])).to.deep.equal([
      ['model.onnx', 'full', 151],
      ['model_fp16.onnx', 'half', 72],
      ['model_int8.onnx', 'int8', 42],
      ['model_uint8.onnx', 'int8', 41],
      ['model_quantized.onnx', 'int8', 40],
      ['model_q4f16.onnx', 'q4f16', 20],
      ['model_q4.onnx', 'q4', 30],
      ['model_bnb4.onnx', 'bnb4', 28],
    ]);
    expect(variants.some(({ isPair }) => isPair)).to.equal(false);
  });

  it('take torch’s one weights file, and not that of a longer name', () => {
    expect(
      modelVariants(sized({ 'model.onnx': 1, 'model.onnx.data': 10, 'model2.onnx': 2, 'model2.onnx.data': 20 })).map(
        ({ name, bytes }) => [name, bytes],
      ),
    ).to.deep.equal([
      ['model.onnx', 11],
      ['model2.onnx', 22],
    ]);
  });

  it('are pairs of encoder and decoder where there are two files, the merged decoder before the plain one', () => {
    const files = {
      'onnx/encoder_model.onnx': 10,
      'onnx/decoder_model.onnx': 20,
      'onnx/decoder_model_merged.onnx': 21,
      'onnx/decoder_with_past_model.onnx': 19,
      'onnx/encoder_model_int8.onnx': 3,
      'onnx/decoder_model_merged_int8.onnx': 6,
      'onnx/decoder_model_int8.onnx': 5,
    };
    expect(
      modelVariants(sized(files)).map(({ files: names, isPair, precision, bytes }) => ({
        names,
        isPair,
        precision,
        bytes,
      })),
    ).to.deep.equal([
      {
        names: ['onnx/decoder_model_merged.onnx', 'onnx/encoder_model.onnx'],
        isPair: true,
        precision: 'full',
        bytes: 31,
      },
      {
        names: ['onnx/decoder_model_merged_int8.onnx', 'onnx/encoder_model_int8.onnx'],
        isPair: true,
        precision: 'int8',
        bytes: 9,
      },
    ]);
  });

  it('pair files of the shorter names, and leave out what makes embeddings', () => {
    const names = (files: readonly string[]): readonly (readonly string[])[] =>
      modelVariants(files.map((name) => ({ name, size: 1 }))).map((variant) => variant.files);
    expect(names(['encoder.onnx', 'decoder.onnx', 'decoder_with_past.onnx'])).to.deep.equal([
      ['decoder.onnx', 'encoder.onnx'],
    ]);
    expect(
      names([
        'decoder_model_merged.onnx',
        'embed_tokens.onnx',
        'vision_encoder.onnx',
        'decoder_model_merged_q4.onnx',
        'embed_tokens_q4.onnx',
      ]),
    ).to.deep.equal([['decoder_model_merged.onnx'], ['decoder_model_merged_q4.onnx']]);
  });

  it('pair a decoder with the plain encoder where there is none of its precision', () => {
    expect(
      modelVariants(sized({ 'encoder_model.onnx': 10, 'decoder_model_merged_q4.onnx': 4 })).map(({ files }) => files),
    ).to.deep.equal([['decoder_model_merged_q4.onnx', 'encoder_model.onnx']]);
  });

  it('are the parts where nothing else is there', () => {
    expect(modelVariants(sized({ 'vision_encoder.onnx': 1 })).map(({ name }) => name)).to.deep.equal([
      'vision_encoder.onnx',
    ]);
    expect(modelVariants(sized({ 'decoder_model.onnx': 1 })).map(({ isPair }) => isPair)).to.deep.equal([false]);
    expect(modelVariants(sized({ 'encoder_model.onnx': 1 })).map(({ name }) => name)).to.deep.equal([
      'encoder_model.onnx',
    ]);
    expect(modelVariants([])).to.deep.equal([]);
  });

  it('claim no precision that the name does not tell', () => {
    expect(['tiny.onnx', 'tiny-fp16.onnx', 'model.onnx', 'Model_INT8.onnx'].map(precisionOf)).to.deep.equal([
      'unknown',
      'half',
      'full',
      'int8',
    ]);
  });

  it('lie in the folder above onnx/', () => {
    expect(['a/b/onnx/model.onnx', 'a/b/model.onnx', 'model.onnx', 'onnx/model.onnx'].map(modelFolderOf)).to.deep.equal(
      ['a/b', 'a/b', '', ''],
    );
  });
});
