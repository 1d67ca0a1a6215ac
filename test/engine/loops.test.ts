import { expect } from 'chai';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { describeReference } from './describeReference';
import { fixtureAccess } from './fixtureAccess';

// Models whose attention lies in the body of a Loop or Scan: scripts/fixtures/loops.py makes them.
const cases = [
  'bmm.scripted',
  'sum.scripted',
  'einsum.scripted',
  'products.scripted',
  'heads.scripted',
  'greedy.scripted',
  'scan.dynamo',
  'scan_reversed.dynamo',
  'layers.dynamo',
  'shared_layers.dynamo',
];

describe('attention in loops', () => {
  for (const name of cases) describeReference(`loops/${name}`);

  it('refuses loops whose iterations do not make a matrix, with the reason', async () => {
    const reasons = async (name: string): Promise<unknown> => {
      const { analysis } = await readModelFiles(fixtureAccess, `loops/${name}/model.onnx`);
      return [analysis.sites.length, ...analysis.missed.map((missed) => missed.reason)];
    };
    expect(await reasons('growing.scripted')).to.deep.equal([
      0,
      'it is inside a loop whose keys grow from one iteration to the next, so that the iterations make no single matrix',
    ]);
    expect(await reasons('backwards.scripted')).to.deep.equal([
      0,
      'it is inside a loop that does not read its positions in their order',
      'it is recurrent: what was read is carried on in a state, and no matrix of weights exists',
    ]);
  });
});
