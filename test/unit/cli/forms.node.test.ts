import { expect } from 'chai';
import { noAttention } from '../../../src/onnx/find/definition';
import { expectExtracted, reportOf } from '../../harness/extractedFixture';

const tolerance = 2e-6;

const folderOf = (name: string): string => `test/fixtures/forms/${name}`;

// Models of test/fixtures/forms (scripts/fixtures/forms.py).
describe('attention in forms that home-made models have', () => {
  for (const [form, note] of [
    ['online', 'computed in parts, which are put together over its positions'],
    ['talking', 'heads are mixed with one another'],
    ['averaged', 'heads are mixed with one another'],
    ['logarithm', ''],
  ])
    for (const exporter of ['legacy', 'dynamo'])
      it(`gives what PyTorch weights its values with: ${form}, ${exporter}`, async () => {
        const folder = folderOf(`${form}.${exporter}`);
        await expectExtracted({ folder, names: ['attention.self.0', 'attention.self.1'], tolerance });
        const { sites, missed } = await reportOf(folder);
        expect(sites.map(({ path, notes }) => [path, notes])).to.deep.equal(
          [0, 1].map((layer) => [`layers.${layer}`, note === '' ? [] : [note]]),
        );
        expect(missed).to.deep.equal([]);
      });

  it('names what features read of features and draws nothing of it, also inside an operator', async () => {
    for (const [exporter, operator] of [
      ['legacy', 'Softmax'],
      ['dynamo', 'Attention'],
    ]) {
      const { sites, missed } = await reportOf(folderOf(`channels.${exporter}`));
      expect(sites).to.deep.equal([]);
      expect(missed.map(({ operator: own, reason }) => [own, reason])).to.deep.equal(
        [0, 1].map(() => [operator, noAttention.keysAreFeatures]),
      );
    }
  });
});
