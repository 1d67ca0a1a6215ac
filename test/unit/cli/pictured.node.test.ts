import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { explain, type ExplainOptions } from '../../../src/cli/explanation/explain';
import { errorOf } from '../../harness/codeOf';
import { picturedTokenizer } from '../../harness/tinyTokenizer';

describe('a picture within a text, on the command line', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-pictured-'));
    cpSync('test/fixtures/pictured/llava', folder, { recursive: true });
    // In a folder there is one of the two.
    rmSync(join(folder, 'embedding.onnx'));
    writeFileSync(join(folder, 'tokenizer.json'), picturedTokenizer());
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const asked = (): ExplainOptions => ({
    file: join(folder, 'picture.png'),
    isPicture: true,
    text: '(J',
    model: folder,
    head: undefined,
    backend: 'wasm',
    isJson: true,
    target: undefined,
    tokenizer: undefined,
    isChatMessage: false,
    component: undefined,
  });

  it('tells what of the picture each of its tokens shows', async () => {
    const told = JSON.parse(await explain(asked())) as {
      tokens: { piece: string }[];
      grid: unknown;
      areas: (Record<string, number> | null)[];
      picture: { source: unknown };
    };
    expect(told.tokens.map(({ piece }) => piece).slice(7)).to.deep.equal(['3,2', '3,3', '(', 'J']);
    expect(told.grid).to.deep.equal({ rows: 3, columns: 3, first: 0, patchWidth: 8, patchHeight: 8 });
    expect(told.picture.source).to.deep.equal({ width: 40, height: 30 });
    // 40 × 30 pixels were scaled to 32 × 24, and the middle is read: a patch of 8 × 8 is 10 × 10 of them.
    expect(told.areas[4]).to.deep.equal({ left: 15, top: 10, width: 10, height: 10 });
    expect(told.areas.slice(-2)).to.deep.equal([null, null]);
  });

  it('names patches among what is read', async () => {
    expect(await explain({ ...asked(), isJson: false, head: '1.0' })).to.match(
      /"J" \(10\) reads .*row \d, column \d \(\d\): \d\.\d{3}/,
    );
  });

  it('is refused by a model that reads one of both alone, which is said', async () => {
    for (const [model, alone] of [
      ['shapes-vit', 'pictures'],
      ['code-decoder', 'texts'],
    ]) {
      const { code, args } = await errorOf(explain({ ...asked(), model: `media/models/${model}` }));
      expect([code, args[0]]).to.deep.equal(['wrongUsage', '--text']);
      expect(args[1]).to.match(new RegExp(`^${model} reads ${alone} alone, and no picture within a text`));
    }
  });
});
