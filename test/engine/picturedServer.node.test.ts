import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import 'vscode-jsonrpc/node';
import { codeOf } from '../harness/codeOf';
import { picturedTokenizer } from '../harness/tinyTokenizer';
import { serveEngine } from './servedEngine.node';

describe('a picture within a text, from the engine', () => {
  it('is shown as a picture, with what of the text is read beside it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attention-pictured-'));
    cpSync('test/fixtures/pictured/llava', folder, { recursive: true });
    // In a folder there is one of the two.
    rmSync(join(folder, 'embedding.onnx'));
    writeFileSync(join(folder, 'tokenizer.json'), picturedTokenizer());
    const { connection, end } = serveEngine();
    const engine = connection.remote;
    const path = join(folder, 'picture.png');
    const asked = { model: { path: folder, backend: 'auto', threads: 1 }, path } as const;
    try {
      // Without a text it is refused, whether the model is held or not.
      expect(await codeOf(engine.explainImage(asked))).to.equal('pictureBesideText');
      const { runId, streams, components, notices } = await engine.explainImage({ ...asked, text: '(J' });
      expect(await codeOf(engine.explainImage(asked))).to.equal('pictureBesideText');
      const [{ role, tokens, grid }] = streams;
      expect([streams.length, role, tokens.length, grid?.first]).to.deep.equal([1, 'image', 11, 0]);
      expect(components[0]).to.include({ queryStream: 0, keyStream: 0 });
      expect(notices.map(({ code }) => code)).to.deep.equal(['pictureCut', 'pictureBefore']);
      const { width, height, source } = await engine.picture({ runId });
      expect([width, height, source]).to.deep.equal([24, 24, { width: 40, height: 30 }]);
      const heads = [{ layer: 0, head: 1 }];
      const selection = { component: components[0].component, heads, aggregation: 'mean' } as const;
      const row = await engine.row({ runId, selection, direction: 'reads', position: 10 });
      expect(row.weights.reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(1, 1e-5);
      // The model that read it tells how a weight came about.
      const cell = { component: components[0].component, layer: 0, head: 1, query: 10, key: 4 };
      expect((await engine.how({ runId, cell })).weight).to.be.closeTo(row.weights[4], 1e-6);
      const bytes = new Uint8Array(readFileSync(path));
      const given = await engine.explainImage({ ...asked, path: 'elsewhere.png', bytes, text: '(J<image>' });
      expect(given.streams[0].grid?.first).to.equal(2);
    } finally {
      end();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
