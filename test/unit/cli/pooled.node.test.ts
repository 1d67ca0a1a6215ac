import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { extract } from '../../../src/cli/extract';
import { inspect } from '../../../src/cli/inspect';
import { readSafetensors, type StoredTensor } from '../../../src/cli/safetensors';
import type { ExtractionReport } from '../../../src/onnx/report/report';

const tolerance = 1e-5;

// Models of test/fixtures/pooled (scripts/fixtures/pooled.py).
describe('values that are pooled by a product and a sum', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-pooled-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const fileOf = (name: string, file: string): string => `test/fixtures/pooled/${name}/${file}`;
  const reportOf = async (name: string): Promise<ExtractionReport> =>
    JSON.parse(await inspect({ model: fileOf(name, 'model.onnx'), isJson: true })) as ExtractionReport;
  const drawn = (tensors: ReadonlyMap<string, StoredTensor>): string[] =>
    [...tensors.keys()].filter((key) => key.startsWith('attention.'));

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
        const name = `${kind}.${exporter}`;
        const [feeds, out] = [fileOf(name, 'expected.safetensors'), join(folder, 'out.safetensors')];
        await extract({ model: fileOf(name, 'model.onnx'), feeds, out, backend: 'wasm' });
        const [own, expected] = [out, feeds].map((file) => readSafetensors(readFileSync(file), file));
        expect(drawn(own)).to.deep.equal([tensor]).and.deep.equal(drawn(expected));
        const [a, b] = [own, expected].map(
          (tensors) => new Float32Array(Uint8Array.from(tensors.get(tensor)?.data ?? []).buffer),
        );
        expect(own.get(tensor)?.shape).to.deep.equal(expected.get(tensor)?.shape);
        expect(a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at])), 0)).to.be.at.most(
          tolerance,
        );
        const { sites, missed } = await reportOf(name);
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
        const { sites, missed } = await reportOf(`${kind}.${exporter}`);
        expect(sites).to.deep.equal([]);
        const reasons = missed.map((each) => each.reason);
        expect(reasons).to.have.length(reason === undefined ? 0 : 1);
        if (reason !== undefined) expect(reasons[0]).to.match(reason);
      }
    });
});
