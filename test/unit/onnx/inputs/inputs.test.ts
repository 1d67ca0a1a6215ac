import { expect } from 'chai';
import { ExplorerError } from '../../../../src/base/errors';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { allocate, planInputs, type MadeInputs } from '../../../../src/onnx/inputs/inputs';
import { modelFacts } from '../../../../src/onnx/inputs/modelFacts';
import { readModel } from '../../../../src/onnx/file/readModel';
import { codeOfCall } from '../../../harness/codeOf';
import { readFixture } from '../../../harness/fixtures';
import { plainAttention, smallModel } from '../smallModel';

const int32 = 6;
const int64 = 7;
const bool = 9;
const half = 10;

type Signature = Readonly<Record<string, readonly [type: number, dims: readonly (number | string)[]]>>;

function plan(signature: Signature, given?: ReadonlySet<string>): ReturnType<typeof planInputs> {
  const inputs = Object.fromEntries(Object.entries(signature).map(([name, [, dims]]) => [name, dims]));
  const types = Object.fromEntries(Object.entries(signature).map(([name, [type]]) => [name, type]));
  const bytes = smallModel({ ...plainAttention, inputs: { ...plainAttention.inputs, ...inputs }, types });
  return planInputs(analyzeModel(readModel(bytes, 'model.onnx')).index, Object.keys(signature), given);
}

const show = ({ inputs }: MadeInputs): Record<string, string> =>
  Object.fromEntries(
    inputs.map(({ name, type, dims, data }) => [name, `${type} [${dims.join(',')}] ${[...data].join(' ')}`]),
  );

describe('making inputs from the signature', () => {
  it('makes what a decoder with a cache wants', () => {
    const made = plan({
      input_ids: [int64, ['batch_size', 'sequence_length']],
      attention_mask: [int64, ['batch_size', 'total_sequence_length']],
      position_ids: [int64, ['batch_size', 'sequence_length']],
      'past_key_values.0.key': [half, ['batch_size', 2, 'past_sequence_length', 8]],
      'past_key_values.0.value': [1, ['batch_size', 2, 'past_sequence_length', 8]],
      past_1: [1, [2, 'batch', 4, 'past_seq_len', 8]],
      use_cache_branch: [bool, [1]],
      cache_position: [int64, ['sequence_length']],
      num_logits_to_keep: [int64, []],
    }).make({ ids: [5, 6, 7] });
    expect(show(made)).to.deep.equal({
      input_ids: 'int64 [1,3] 5 6 7',
      attention_mask: 'int64 [1,3] 1 1 1',
      position_ids: 'int64 [1,3] 0 1 2',
      'past_key_values.0.key': 'float16 [1,2,0,8] ',
      'past_key_values.0.value': 'float32 [1,2,0,8] ',
      past_1: 'float32 [2,1,4,0,8] ',
      use_cache_branch: 'bool [1] 0',
      cache_position: 'int64 [3] 0 1 2',
      num_logits_to_keep: 'int64 [] 0',
    });
  });

  it('makes positions as they are given, for each axis that they are counted along', () => {
    const make = (dims: readonly (number | string)[], positionIds: readonly (readonly number[])[]) =>
      show(plan({ position_ids: [int64, dims] }).make({ ids: [5, 6, 7], positionIds, numPositions: 4 }))[
        'position_ids'
      ];
    expect(make(['batch', 'sequence'], [[1, 2, 3]])).to.equal('int64 [1,4] 1 2 3 3');
    const axes = [
      [0, 1, 1],
      [0, 1, 2],
      [0, 1, 3],
    ];
    expect(make([3, 'batch', 'sequence'], axes)).to.equal('int64 [3,1,4] 0 1 1 3 0 1 2 3 0 1 3 3');
    expect(make(['axes', 2, 'sequence'], axes)).to.equal(
      'int64 [3,2,4] 0 1 1 3 0 1 1 3 0 1 2 3 0 1 2 3 0 1 3 3 0 1 3 3',
    );
  });

  it('makes empty caches of every naming', () => {
    const made = plan(
      {
        input_ids: [int32, ['batch_size', 'sequence_length']],
        encoder_attention_mask: [int64, ['batch_size', 'encoder_sequence_length']],
        'past_key_values.0.decoder.key': [1, ['batch_size', 4, 'past_decoder_sequence_length', 8]],
        'past_key_values.0.encoder.value': [half, ['batch_size', 4, 'encoder_sequence_length_out', 8]],
        past_key_self_0: [half, ['batch_size', 4, 'past_sequence_length', 8]],
        pkv_flat: [bool, [1]],
        'past_conv.0': [1, ['batch_size', 32, 3]],
        'past_ssm.0': [1, ['batch_size', 4, 8, 16]],
        num_logits_to_keep: [int32, [1]],
        past_sequence_length: [int32, [1]],
        total_sequence_length: [int32, []],
        seqlens_k: [int32, ['batch_size']],
      },
      new Set(['pkv_flat']),
    ).make({ ids: [5, 6] });
    expect(show(made)).to.deep.equal({
      input_ids: 'int32 [1,2] 5 6',
      encoder_attention_mask: 'int64 [1,2] 1 1',
      'past_key_values.0.decoder.key': 'float32 [1,4,0,8] ',
      'past_key_values.0.encoder.value': 'float16 [1,4,0,8] ',
      past_key_self_0: 'float16 [1,4,0,8] ',
      'past_conv.0': `float32 [1,32,3] ${new Array(96).fill('0').join(' ')}`,
      'past_ssm.0': `float32 [1,4,8,16] ${new Array(512).fill('0').join(' ')}`,
      num_logits_to_keep: 'int32 [1] 0',
      past_sequence_length: 'int32 [1] 0',
      total_sequence_length: 'int32 [] 2',
      seqlens_k: 'int32 [1] 1',
    });
  });

  it('makes what an encoder with 32-bit inputs wants', () => {
    const made = plan({
      input_ids: [int32, ['b', 's']],
      attention_mask: [int32, ['b', 's']],
      token_type_ids: [int32, ['b', 's']],
    }).make({ ids: [9, 8] });
    expect(show(made)).to.deep.equal({
      input_ids: 'int32 [1,2] 9 8',
      attention_mask: 'int32 [1,2] 1 1',
      token_type_ids: 'int32 [1,2] 0 0',
    });
    const typed = plan({ input_ids: [int32, ['b', 4]], token_type_ids: [int32, ['b', 4]] }).make({
      ids: [9, 8, 7],
      typeIds: [0, 1, 1],
    });
    expect(show(typed)).to.deep.equal({ input_ids: 'int32 [1,4] 9 8 7 0', token_type_ids: 'int32 [1,4] 0 1 1 0' });
  });

  it('tells masks of positions from those of heads, and from those that mark padding', () => {
    const masks = plan({
      input_ids: [int64, ['b', 's']],
      head_mask: [1, [3, 2]],
      decoder_head_mask: [half, ['layers', 2]],
      global_attention_mask: [int64, ['b', 's']],
      src_key_padding_mask: [bool, ['b', 's']],
      position_ids: [int64, [3, 'b', 's']],
    });
    expect(masks.numItems).to.equal(1);
    expect(show(masks.make({ ids: [7, 8] }))).to.deep.equal({
      input_ids: 'int64 [1,2] 7 8',
      head_mask: 'float32 [3,2] 1 1 1 1 1 1',
      decoder_head_mask: `float16 [1,2] ${0x3c00} ${0x3c00}`,
      global_attention_mask: 'int64 [1,2] 0 0',
      src_key_padding_mask: 'bool [1,2] 0 0',
      position_ids: 'int64 [3,1,2] 0 1 0 1 0 1',
    });
    const padded = plan({ input_ids: [int64, [1, 3]], key_padding_mask: [bool, [1, 3]] }).make({ ids: [7, 8] });
    expect(show(padded)).to.deep.equal({ input_ids: 'int64 [1,3] 7 8 0', key_padding_mask: 'bool [1,3] 0 0 1' });
  });

  it('gives the first token global attention where the file looks for tokens that have', () => {
    const names = ['input_ids', 'global_attention_mask'];
    const bytes = smallModel({
      ...plainAttention,
      nodes: [
        ...plainAttention.nodes,
        { operator: 'Cast', inputs: ['global_attention_mask'], outputs: ['is'], attributes: { to: { integer: bool } } },
        { operator: 'NonZero', inputs: ['is'], outputs: ['places'] },
      ],
      inputs: { ...plainAttention.inputs, ...Object.fromEntries(names.map((name) => [name, ['b', 's']])) },
      types: Object.fromEntries([...names, 'places'].map((name) => [name, int64])),
      outputs: ['y', 'places'],
    });
    const made = planInputs(analyzeModel(readModel(bytes, 'model.onnx')).index, names).make({ ids: [7, 8, 9] });
    expect(show(made)['global_attention_mask']).to.equal('int64 [1,3] 1 0 0');
  });

  it('makes a half-precision mask', () => {
    const [, mask] = plan({ input_ids: [int64, ['b', 's']], attention_mask: [half, ['b', 's']] }).make({
      ids: [1, 2],
    }).inputs;
    expect([...(mask?.data ?? [])]).to.deep.equal([0x3c00, 0x3c00]);
  });

  it('pads to a fixed length, and cuts to it', () => {
    const fixed = plan({ input_ids: [int64, [1, 4]], attention_mask: [int64, [1, 4]] });
    expect(fixed.fixedLength).to.equal(4);
    const padded = fixed.make({ ids: [5, 6], padId: 99 });
    expect(padded).to.include({ numTokens: 2, numPositions: 4 });
    expect(show(padded)).to.deep.equal({ input_ids: 'int64 [1,4] 5 6 99 99', attention_mask: 'int64 [1,4] 1 1 0 0' });
    const cut = fixed.make({ ids: [1, 2, 3, 4, 5, 6] });
    expect(cut).to.include({ numTokens: 4, numPositions: 4 });
    expect(show(cut)['input_ids']).to.equal('int64 [1,4] 1 2 3 4');
  });

  it('gives a decoder its target', () => {
    const made = plan({
      input_ids: [int64, ['b', 's']],
      decoder_input_ids: [int64, ['b', 't']],
      decoder_attention_mask: [int64, ['b', 't']],
    }).make({ ids: [1], targetIds: [0, 7] });
    expect(show(made)).to.include({ decoder_input_ids: 'int64 [1,2] 0 7', decoder_attention_mask: 'int64 [1,2] 1 1' });
  });

  it('names the input that text does not give', () => {
    const cases: [Signature, string][] = [
      [{ pixel_values: [1, [1, 3, 224, 224]] }, 'an image'],
      [{ input_features: [1, ['b', 80, 3000]] }, 'sound'],
      [{ encoder_hidden_states: [1, ['b', 's', 64]] }, 'the result of an encoder'],
      [{ something: [1, ['b', 'x']] }, 'float32 [b, x]'],
      [{ 'past_key_values.0.key': [1, [1, 2, 128, 8]] }, 'a cache that cannot be empty'],
    ];
    for (const [signature, reason] of cases) {
      try {
        plan(signature).make({ ids: [1] });
        expect.fail(reason);
      } catch (error) {
        if (!(error instanceof ExplorerError)) throw error;
        expect(error.code).to.equal('inputNotMade');
        expect(error.args).to.deep.equal([Object.keys(signature)[0], reason]);
      }
    }
  });

  it('reads the size of the vocabulary and of the table of positions', async () => {
    const facts = async (name: string): Promise<unknown> => {
      const { index } = analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), name));
      const names = index.inputs.map((input) => input.name);
      return modelFacts(index, planInputs(index, names, new Set(names)).roles);
    };
    expect(await facts('gpt2.sdpa.legacy')).to.deep.equal({ vocabularySize: 99, contextLength: 64, numTypes: 0 });
    // Its positions begin behind the padding id.
    expect(await facts('roberta_mlm.sdpa.legacy')).to.deep.equal({
      vocabularySize: 99,
      contextLength: 62,
      numTypes: 0,
    });
    expect(await facts('llama.sdpa.dynamo')).to.deep.equal({
      vocabularySize: 99,
      contextLength: undefined,
      numTypes: 0,
    });
  });

  it('gives all inputs together no more than a text needs, and says how many items a file takes', () => {
    const wide = plan(
      {
        input_ids: [int64, ['n']],
        flags: [int32, [2 ** 24]],
        more_flags: [int32, [2 ** 24]],
        token_type_ids: [int64, [4, 'n']],
      },
      new Set(['flags', 'more_flags']),
    );
    expect(wide.numItems).to.equal(4);
    expect(codeOfCall(() => wide.make({ ids: [1, 2, 3] }))).to.equal('none');
    expect(plan({ input_ids: [int64, ['batch', 'n']] }).numItems).to.equal(1);
    const batch = plan({ input_ids: [int64, [5, 'n']], attention_mask: [half, [3, 4]] }).make({ ids: [7, 8, 9] });
    expect(show(batch)).to.deep.equal({
      input_ids: 'int64 [5,3] 7 8 9 7 8 9 7 8 9 7 8 9 7 8 9',
      attention_mask: `float16 [3,3] ${Array(9).fill(0x3c00).join(' ')}`,
    });
    const large = plan({ input_ids: [int64, [2 ** 22, 'n']], attention_mask: [int64, [2 ** 22, 'n']] });
    expect(codeOfCall(() => large.make({ ids: [1, 2, 3] }))).to.equal('inputNotMade'); // the first would do by itself
  });

  it('makes no array that there cannot be', () => {
    for (const count of [2 ** 40, 2 ** 54, NaN, -1])
      expect(
        codeOfCall(() => allocate('float32', count)),
        String(count),
      ).to.equal(Number.isNaN(count) ? 'none' : 'outOfMemory');
    expect(ExplorerError.from(new RangeError('Invalid typed array length: 1099511627776')).code).to.equal(
      'outOfMemory',
    );
    expect(ExplorerError.from(new RangeError('Maximum call stack size exceeded')).code).to.equal('internal');
  });
});
