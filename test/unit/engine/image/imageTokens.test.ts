import { expect } from 'chai';
import { fitGrid, gridCandidates, imageStream } from '../../../../src/engine/image/imageTokens';
import { readAnswers } from '../../../../src/engine/predict/labelAnswers';
import type { PatchEmbedding } from '../../../../src/onnx/inputs/patchEmbedding';

const size = { width: 32, height: 48 };
const conv: PatchEmbedding = { kernel: [16, 8], strides: [16, 8], pads: [0, 0, 0, 0], numChannels: 3, place: 'last' };

describe('the grid of patches', () => {
  it('comes from the convolution, else from config.json, and must fit the number of tokens', () => {
    expect(fitGrid(gridCandidates(conv, {}, size), 13)).to.deep.equal({
      rows: 3,
      columns: 4,
      first: 1,
      patchWidth: 8,
      patchHeight: 16,
    });
    expect(fitGrid(gridCandidates(undefined, { vision_config: { patch_size: 16 } }, size), 6)).to.deep.equal({
      rows: 3,
      columns: 2,
      first: 0,
      patchWidth: 16,
      patchHeight: 16,
    });
    expect(fitGrid(gridCandidates(conv, { patch_size: 8 }, size), 24 + 5)).to.deep.equal({
      rows: 6,
      columns: 4,
      first: 5,
      patchWidth: 8,
      patchHeight: 8,
    });
    expect(fitGrid(gridCandidates({ ...conv, place: 'first' }, {}, size), 14)).to.deep.equal({
      rows: 3,
      columns: 4,
      first: 0,
      patchWidth: 8,
      patchHeight: 16,
    });
    // Patches that overlap.
    expect(fitGrid(gridCandidates({ ...conv, kernel: [16, 16], strides: [8, 8] }, {}, size), 15)).to.deep.equal({
      rows: 5,
      columns: 3,
      first: 0,
      patchWidth: 8,
      patchHeight: 8,
    });
  });

  it('comes from all convolutions and poolings up to one, where several come first', () => {
    const half = { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } as const;
    const stem: PatchEmbedding = {
      ...half,
      numChannels: 3,
      place: 'unknown',
      later: [half, half, { kernel: [6, 1], strides: [6, 1], pads: [0, 0, 0, 0] }],
    };
    const line = { width: 160, height: 48 };
    expect(fitGrid(gridCandidates(stem, {}, line), 20)).to.deep.equal({
      rows: 1,
      columns: 20,
      first: 0,
      patchWidth: 8,
      patchHeight: 48,
    });
    expect(fitGrid(gridCandidates(stem, {}, line), 120)).to.deep.equal({
      rows: 6,
      columns: 20,
      first: 0,
      patchWidth: 8,
      patchHeight: 8,
    });
    expect(gridCandidates(stem, {}, line).map(({ numWindows }) => numWindows)).to.deep.equal([undefined, 2, 3, 4]);
    // Rows that are joined into columns, of a reader of lines alone.
    const joined: PatchEmbedding = { ...stem, later: [half, half] };
    expect(fitGrid(gridCandidates(joined, {}, line, true), 20)).to.deep.equal({
      rows: 1,
      columns: 20,
      first: 0,
      patchWidth: 8,
      patchHeight: 48,
    });
    expect(fitGrid(gridCandidates(joined, {}, line), 20)).to.be.a('string');
    expect(
      fitGrid(
        gridCandidates(
          { ...stem, later: [{ kernel: [Infinity, 1], strides: [Infinity, 1], pads: [0, 0, 0, 0] }] },
          {},
          line,
        ),
        80,
      ),
    ).to.deep.equal({ rows: 1, columns: 80, first: 0, patchWidth: 2, patchHeight: 48 });
  });

  it('is refused in words where it does not fit', () => {
    expect(fitGrid(gridCandidates(conv, {}, size), 11)).to.equal(
      'patches of 8 × 16 pixels give 3 × 4 patches, and its attention is over 11 tokens',
    );
    expect(fitGrid(gridCandidates(conv, {}, size), 12 + 100)).to.include('over 112 tokens');
    expect(fitGrid([], 5)).to.include('neither its graph nor its config.json');
  });

  it('names special tokens as their models do', () => {
    const names = (config: Record<string, unknown>, numTokens: number): string[] =>
      imageStream(
        { rows: 1, columns: 2, first: numTokens - 2, patchWidth: 8, patchHeight: 8 },
        numTokens,
        config,
      ).tokens.map(({ piece }) => piece);
    expect(names({}, 3)).to.deep.equal(['[CLS]', '1,1', '1,2']);
    expect(names({ model_type: 'deit' }, 4)).to.deep.equal(['[CLS]', '[DIST]', '1,1', '1,2']);
    expect(names({ num_register_tokens: 2 }, 5)).to.deep.equal(['[CLS]', '[REG1]', '[REG2]', '1,1', '1,2']);
    expect(
      imageStream({ rows: 1, columns: 2, first: 0, patchWidth: 8, patchHeight: 8 }, 3, {}).tokens.map(
        ({ piece }) => piece,
      ),
    ).to.deep.equal(['1,1', '1,2', '[CLS]']);
  });
});

describe("a classifier's answer", () => {
  it('is its most probable label with its probability', () => {
    const outputs = new Map([
      ['logits', { type: 'float32', dims: [1, 3], data: Float32Array.of(0, Math.log(6), Math.log(3)) }],
      ['last_hidden_state', { type: 'float32', dims: [1, 17, 3], data: new Float32Array(51) }],
    ]);
    const [answer, ...others] = readAnswers(outputs, { id2label: { 0: 'circle', 1: 'square', 2: 'star' } });
    expect(others).to.deep.equal([]);
    expect(answer.label).to.equal('square');
    expect(answer.probability).to.be.closeTo(0.6, 1e-6);
    expect(readAnswers(outputs, {})).to.deep.equal([]);
    expect(readAnswers(outputs, { id2label: { 0: 'a', 1: 'b' } })).to.deep.equal([]);
  });
});
