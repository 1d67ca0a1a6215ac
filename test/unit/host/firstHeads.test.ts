import { expect } from 'chai';
import type { HeadSelection } from '../../../src/model/head';
import { initialView } from '../../../src/model/viewState';
import { FirstHeads } from '../../../src/host/model/firstHeads';

const one = (component: HeadSelection['component'], layer: number, head: number): HeadSelection => ({
  component,
  heads: [{ layer, head }],
  aggregation: 'mean',
});
const induction = one('self', 1, 4);
const aligning = one('cross', 2, 1);
const chosen = one('self', 3, 3);
const listed = new Map([
  ['/models/code', induction],
  ['C:\\models\\dates', aligning],
]);

describe('The heads that a model is shown with first', () => {
  let heads: FirstHeads;
  beforeEach(async () => {
    heads = new FirstHeads(() => Promise.resolve(listed));
    await heads.load();
  });

  it('are those that the model is listed with, whichever of its files is read', () => {
    expect(heads.next(undefined, '/models/code/model.onnx')).to.equal(induction);
    expect(heads.next(undefined, 'C:\\models\\dates\\onnx\\model.onnx')).to.equal(aligning);
    expect(heads.next(undefined, '/models/code2/model.onnx')).to.equal(initialView.selection);
  });

  it('stay what the person chose, also when the model is shown again after another', () => {
    expect(heads.next({ path: '/models/code/model.onnx', selection: chosen }, '/models/code/model.onnx')).to.equal(
      chosen,
    );
    expect(
      heads.next({ path: '/models/code/model.onnx', selection: chosen }, 'C:\\models\\dates\\model.onnx'),
    ).to.equal(aligning);
    expect(
      heads.next({ path: 'C:\\models\\dates\\model.onnx', selection: aligning }, '/models/code/model.onnx'),
    ).to.equal(chosen);
  });

  it('are looked for in a model that is not listed only where the person chose them', () => {
    expect(heads.next({ path: '/models/code/model.onnx', selection: chosen }, '/own/model.onnx')).to.equal(chosen);
    expect(heads.next({ path: '/models/code/model.onnx', selection: { ...induction } }, '/other/model.onnx')).to.equal(
      initialView.selection,
    );
  });

  it('are the first ones where the list cannot be read', async () => {
    const without = new FirstHeads(() => Promise.reject(new Error('not there')));
    await without.load();
    expect(without.next(undefined, '/models/code/model.onnx')).to.equal(initialView.selection);
  });
});
