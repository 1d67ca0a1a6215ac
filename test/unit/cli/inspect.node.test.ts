import { expect } from 'chai';
import { build } from 'esbuild';
import { inspect } from '../../../src/cli/inspect';
import type { ExtractionReport } from '../../../src/onnx/report/report';

describe('inspecting a model', () => {
  it('runs nothing: no runtime and no session is among what it imports', async () => {
    const { metafile } = await build({
      entryPoints: ['src/cli/inspect.ts'],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      packages: 'external',
      logLevel: 'silent',
    });
    const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    expect(imported).to.include('src/onnx/find/analyzeModel.ts');
    expect(
      imported.filter((path) =>
        /onnxruntime|src\/engine\/(?:session\/attentionSession|stages|runtime\/runtime)/.test(path),
      ),
    ).to.deep.equal([]);
  });

  it('says of an attention what the graph tells, and nothing of a proof', async () => {
    const output = await inspect({ model: 'test/fixtures/zoo/craft.mha_plain/model.onnx', isJson: true });
    const { sites } = JSON.parse(output) as ExtractionReport;
    expect(sites).to.have.length(1);
    expect(sites[0]).to.not.have.any.keys('proof', 'norms', 'checks');
  });
});
