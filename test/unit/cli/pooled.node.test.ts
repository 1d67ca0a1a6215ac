import { expect } from 'chai';
import { expectExtracted, reportOf } from '../../harness/extractedFixture';

const tolerance = 1e-5;

const folderOf = (name: string): string => `test/fixtures/pooled/${name}`;

// Models of test/fixtures/pooled (scripts/fixtures/pooled.py).
describe('values that are pooled by a product and a sum', () => {
  const learned = 'queries that the model has learned';
  for (const [kind, tensor, notes] of [
    ['learned', 'attention.self.0', [learned]],
    ['flat', 'attention.self.0', [learned, 'soft-capped scores']],
    ['repeated', 'attention.self.0', [learned]],
    ['several', 'attention.self.0', [learned]],
    ['asked', 'attention.self.0', []],
    ['dotted', 'attention.self.0', []],
    ['additive', 'attention.cross.0', ['additive scores']],
  ] as const)
    for (const exporter of ['legacy', 'dynamo'])
      it(`gives what PyTorch weights them with: ${kind}, ${exporter}`, async () => {
        const folder = folderOf(`${kind}.${exporter}`);
        await expectExtracted({ folder, names: [tensor], tolerance });
        const { sites, missed } = await reportOf(folder);
        expect(sites.map((site) => site.notes)).to.deep.equal([notes]);
        expect(missed).to.deep.equal([]);
      });

  const notKnown = /^the way from its result to a product with values is not one that is known$/;
  const alternatives = /^it weighs alternatives that a weight scores/;
  for (const [kind, reason] of [
    ['gated', undefined],
    ['channels', notKnown],
    ['neighbours', notKnown],
    ['experts', alternatives],
    ['routed', alternatives],
    ['excited', alternatives],
    ['expected', alternatives],
  ] as const)
    it(`and draws nothing of what is summed so and is none: ${kind}`, async () => {
      for (const exporter of ['legacy', 'dynamo']) {
        const { sites, missed } = await reportOf(folderOf(`${kind}.${exporter}`));
        expect(sites).to.deep.equal([]);
        const reasons = missed.map((each) => each.reason);
        expect(reasons).to.have.length(reason === undefined ? 0 : 1);
        if (reason !== undefined) expect(reasons[0]).to.match(reason);
      }
    });
});
