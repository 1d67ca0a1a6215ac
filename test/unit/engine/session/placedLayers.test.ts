import { expect } from 'chai';
import type { LayerWeights } from '../../../../src/engine/session/attentionSession';
import { placeLayers, type PlacedLayers } from '../../../../src/engine/image/placedLayers';
import { placeBlocks } from '../../../../src/engine/session/placedText';
import { ownToken } from '../../../../src/onnx/rewrite/positionNodes';

/** A layer of windows of two rows and columns; weights count up. */
const layer = (batch: number, numHeads: number, numQueries = 2, numKeys = 2): LayerWeights => ({
  component: 'self',
  layer: 0,
  modelLayer: undefined,
  path: 'attention',
  rowSum: 'any',
  method: 'exposed',
  isCausal: false,
  numKeyValueHeads: numHeads,
  batch,
  numHeads,
  numQueries,
  numKeys,
  weights: Float32Array.from({ length: batch * numHeads * numQueries * numKeys }, (_, i) => i + 1),
});
const place = (
  of: LayerWeights,
  rows: readonly number[],
  columns = rows,
  size = { width: 4, height: 4 },
): PlacedLayers =>
  placeLayers(
    [of],
    () => ({ rows: Float32Array.from(rows), columns: Float32Array.from(columns), numMatrices: of.batch }),
    size,
    {},
  );
/** The numbers of the first pixels of a picture of 4 × 4 that is cut into 2 × 2 patches. */
const [topLeft, topRight, bottomLeft, bottomRight] = [1, 3, 9, 11];

describe('windows', () => {
  it('are put where their patches are, head by head, and what lies between them is zero', async () => {
    const {
      layers: [made],
      streams,
      failed,
    } = place(layer(2, 2), [topLeft, bottomRight, bottomLeft, topRight]);
    expect(failed).to.deep.equal([]);
    expect(streams[0].grid).to.deep.equal({ rows: 2, columns: 2, first: 0, patchWidth: 2, patchHeight: 2 });
    expect([...((await made.inParts?.rows(1, 0, 4)) ?? [])]).to.deep.equal([
      5, 0, 0, 6, 0, 16, 15, 0, 0, 14, 13, 0, 7, 0, 0, 8,
    ]);
    expect([...((await made.inParts?.column(0, 2)) ?? [])]).to.deep.equal([0, 11, 9, 0]);
  });

  it('leave their padding out, and say how much is there', () => {
    const {
      layers: [made],
      paddingShare,
    } = place(layer(2, 1), [topLeft, topRight, bottomLeft, 0]);
    expect([made, paddingShare]).to.deep.equal([undefined, 0]);
    const whole = place(layer(2, 1, 3, 3), [topLeft, topRight, 0, bottomLeft, bottomRight, 0]);
    expect([whole.layers[0].numQueries, whole.paddingShare]).to.deep.equal([4, 15]);
  });

  it('have tokens of the model’s own before the patches where there is one window', () => {
    const {
      layers: [made],
      streams,
    } = place(layer(1, 1, 5, 5), [ownToken, topLeft, topRight, bottomLeft, bottomRight]);
    expect(streams[0].grid).to.include({ first: 1 });
    expect([made.inParts, made.weights.length]).to.deep.equal([undefined, 25]);
  });

  it('are refused where they are of no regular grid', () => {
    const reasonOf = (...given: Parameters<typeof place>): string | undefined => place(...given).failed[0]?.reason;
    expect(reasonOf(layer(2, 1), [topLeft, topRight, topLeft, bottomLeft])).to.equal(
      'some of its windows have queries in common',
    );
    expect(reasonOf(layer(2, 1), [topLeft, topRight, bottomLeft, topRight])).to.include('not those of a regular grid');
    expect(reasonOf(layer(2, 1), [topLeft, topRight, bottomLeft, -1])).to.include('several patches each');
    expect(reasonOf(layer(4, 1, 1, 1), [topLeft, topRight, bottomLeft, bottomRight])).to.include('items of a batch');
    expect(reasonOf(layer(1, 1, 3, 3), [1, 2, 4])).to.include('not those of a regular grid');
    expect(reasonOf(layer(2, 1), [topLeft, topRight, bottomLeft])).to.include('laid out');
    expect(
      reasonOf(layer(2, 1), [topLeft, topRight, bottomLeft, bottomRight], [topLeft, topLeft, bottomLeft, bottomRight]),
    ).to.be.a('string');
  });
});

describe('blocks of a text', () => {
  const placed = (rows: readonly number[], columns: readonly number[], numTokens: number): LayerWeights | string =>
    placeBlocks(
      layer(2, 1),
      { rows: Float32Array.from(rows), columns: Float32Array.from(columns), numMatrices: 2 },
      numTokens,
    );

  it('are one pattern over its tokens, what fills up the last of them left out', async () => {
    const made = placed([1, 2, 3, 0], [1, 2, 2, 3], 3);
    if (typeof made === 'string') throw new Error(made);
    expect([...((await made.inParts?.rows(0, 0, 3)) ?? [])]).to.deep.equal([1, 2, 0, 3, 4, 0, 0, 5, 6]);
  });

  it('are refused where a query or key is not one token', () => {
    expect(placed([1, 3, 5, 7], [1, 3, 5, 7], 8)).to.equal(
      'its queries or keys are not the tokens of the text, one by one',
    );
    expect(placed([1, 2, 3, 4], [1, 2, 3, ownToken], 4)).to.include('tokens of the model’s own');
  });
});
