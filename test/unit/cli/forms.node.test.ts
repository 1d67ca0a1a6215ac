import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { extract } from '../../../src/cli/extract';
import { inspect } from '../../../src/cli/inspect';
import { readSafetensors, type StoredTensor } from '../../../src/cli/safetensors';
import { noAttention } from '../../../src/onnx/find/definition';
import type { ExtractionReport } from '../../../src/onnx/report/report';

const tolerance = 2e-6;

// Models of test/fixtures/forms (scripts/fixtures/forms.py).
describe('attention in forms that home-made models have', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-forms-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const modelOf = (name: string): string => `test/fixtures/forms/${name}/model.onnx`;
  const reportOf = async (name: string): Promise<ExtractionReport> =>
    JSON.parse(await inspect({ model: modelOf(name), isJson: true })) as ExtractionReport;

  for (const [form, note] of [
    ['online', 'computed in parts, which are put together over its positions'],
    ['talking', 'heads are mixed with one another'],
    ['averaged', 'heads are mixed with one another'],
    ['logarithm', ''],
  ])
    for (const exporter of ['legacy', 'dynamo'])
      it(`gives what PyTorch weights its values with: ${form}, ${exporter}`, async () => {
        const name = `${form}.${exporter}`;
        const [feeds, out] = [`test/fixtures/forms/${name}/expected.safetensors`, join(folder, 'out.safetensors')];
        await extract({ model: modelOf(name), feeds, out, backend: 'wasm' });
        const [own, expected] = [out, feeds].map((file) => readSafetensors(readFileSync(file), file));
        const drawn = (tensors: ReadonlyMap<string, StoredTensor>): string[] =>
          [...tensors.keys()].filter((key) => key.startsWith('attention.'));
        expect(drawn(own)).to.deep.equal(['attention.self.0', 'attention.self.1']).and.deep.equal(drawn(expected));
        for (const key of drawn(own)) {
          const [a, b] = [own, expected].map(
            (tensors) => new Float32Array(Uint8Array.from(tensors.get(key)?.data ?? []).buffer),
          );
          expect(own.get(key)?.shape).to.deep.equal(expected.get(key)?.shape);
          expect(a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at])), 0)).to.be.at.most(
            tolerance,
          );
        }
        const { sites, missed } = await reportOf(name);
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
      const { sites, missed } = await reportOf(`channels.${exporter}`);
      expect(sites).to.deep.equal([]);
      expect(missed.map(({ operator: own, reason }) => [own, reason])).to.deep.equal(
        [0, 1].map(() => [operator, noAttention.keysAreFeatures]),
      );
    }
  });
});
