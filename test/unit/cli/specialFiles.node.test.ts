import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { explain } from '../../../src/cli/explanation/explain';
import { explainImage } from '../../../src/cli/explanation/explainImage';
import { extract } from '../../../src/cli/extract';
import { inspect } from '../../../src/cli/inspect';
import { tokenize } from '../../../src/cli/tokenize';
import { errorOf } from '../../harness/codeOf';

describe('the command line, given a pipe that nobody writes to', () => {
  let folder: string;
  let pipe: string;
  before(function () {
    if (process.platform === 'win32') this.skip();
    folder = mkdtempSync(join(tmpdir(), 'attention-pipes-'));
    pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const model = 'test/fixtures/zoo/bert.sdpa.legacy';
  const asked = { model, head: undefined, backend: 'wasm', isJson: false } as const;
  const ofText = { ...asked, target: undefined, tokenizer: undefined, isChatMessage: false, component: undefined };
  const cases: readonly (readonly [what: string, run: () => Promise<unknown>, code?: string])[] = [
    ['as a text', () => explain({ ...ofText, file: pipe })],
    ['as lines of a text', () => explain({ ...ofText, file: `${pipe}:1-2` })],
    ['as a picture', () => explainImage({ ...asked, file: pipe })],
    ['as feeds', () => extract({ model, feeds: pipe, out: join(folder, 'out'), backend: 'wasm' })],
    ['as a tokenizer', () => tokenize(pipe, 'text')],
    ['as the tokenizer of a model', () => explain({ ...ofText, file: 'package.json', tokenizer: pipe })],
    ['as a model to explain with', () => explain({ ...ofText, file: 'package.json', model: pipe }), 'modelNotFound'],
    ['as a model to inspect', () => inspect({ model: pipe, isJson: false }), 'modelNotFound'],
  ];
  for (const [what, run, code = 'fileUnreadable'] of cases) {
    it(`${what}, refuses it at once`, async () => {
      const error = await errorOf(run());
      expect(error.code).to.equal(code);
      if (code === 'fileUnreadable')
        expect(error.message).to.equal(
          `${pipe} cannot be read (it is a pipe, a socket or a device): check that it is a file that you may read.`,
        );
    });
  }
});
