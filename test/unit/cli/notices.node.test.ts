import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { compare } from '../../../src/cli/compare';
import { effect, type EffectOptions } from '../../../src/cli/effect';
import { explain } from '../../../src/cli/explanation/explain';
import { heads } from '../../../src/cli/heads';
import { how, type HowOptions } from '../../../src/cli/how';
import { predict } from '../../../src/cli/predict';
import { writes } from '../../../src/cli/writes';
import { codeOf, errorOf } from '../../harness/codeOf';
import { tinyTokenizer } from '../../harness/tinyTokenizer';

describe('what a command says of a text that the model does not read to its end', function () {
  this.timeout(60_000);
  let folder: string;
  let figure: string;
  before(() => {
    // Figures tell their version, which the command line's bundle finds beside itself.
    Object.assign(globalThis, { __dirname: resolve('dist') });
    folder = mkdtempSync(join(tmpdir(), 'attention-notices-'));
    figure = join(folder, 'figure.svg');
    copyFileSync('test/fixtures/pasts/gpt2/model.onnx', join(folder, 'model.onnx'));
    writeFileSync(join(folder, 'tokenizer.json'), tinyTokenizer());
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'gpt2', n_positions: 8, vocab_size: 99 }));
    writeFileSync(join(folder, 'long.py'), 'def f(a):');
    writeFileSync(join(folder, 'short.py'), 'def f');
  });
  after(() => {
    Reflect.deleteProperty(globalThis, '__dirname');
    rmSync(folder, { recursive: true, force: true });
  });

  const asked = (isJson: boolean, name = 'long.py') => ({
    file: join(folder, name),
    model: folder,
    target: undefined,
    tokenizer: undefined,
    component: undefined,
    head: undefined,
    backend: 'wasm' as const,
    isJson,
  });
  const ofHow = (): HowOptions => ({ ...asked(false), isNumpy: false, head: '1.1', query: '2', key: '1' });
  const ofEffect = (isJson = false): EffectOptions => ({
    ...asked(isJson),
    at: '2',
    token: 'x',
    against: undefined,
    label: undefined,
    isLoss: false,
    isAll: false,
    by: undefined,
    path: undefined,
    block: undefined,
    swap: undefined,
    to: undefined,
    isRenormalized: false,
  });
  const ofHeads = { queries: undefined, keys: undefined, sort: undefined, isRandom: false };
  const ofCompare = (isJson: boolean) => ({
    ...asked(isJson),
    files: [join(folder, 'short.py'), join(folder, 'long.py')],
    withModel: undefined,
    withTokenizer: undefined,
    pairing: undefined,
    wantsPredictions: false,
  });
  const cut = 'Only the first 8 of 9 tokens are explained: this is all that ';

  const commands: Readonly<Record<string, (isJson: boolean) => Promise<string>>> = {
    explain: (isJson) => explain({ ...asked(isJson), isChatMessage: false }),
    heads: (isJson) => heads({ ...asked(isJson), ...ofHeads }),
    how: (isJson) => how({ ...ofHow(), isJson }),
    predict: (isJson) => predict({ ...asked(isJson), mask: undefined }),
    effect: (isJson) => effect({ ...ofEffect(isJson), head: '0.1' }),
    'effect of all heads': (isJson) => effect(ofEffect(isJson)),
    writes: (isJson) => writes({ ...asked(isJson), at: '2', token: 'x', against: undefined }),
    compare: (isJson) => compare(ofCompare(isJson)),
    'how --numpy': () => how({ ...ofHow(), isNumpy: true }),
    'how --figure': () => how({ ...ofHow(), figure: { path: figure, width: undefined, times: undefined } }),
    'heads --figure': () =>
      heads({ ...asked(false), ...ofHeads, figure: { path: figure, width: undefined, times: undefined } }),
    'compare --figure': () =>
      compare({ ...ofCompare(false), figure: { path: figure, width: undefined, times: undefined } }),
  };
  for (const [name, run] of Object.entries(commands))
    it(`is told by ${name}, as text and as JSON`, async () => {
      expect(await run(false)).to.include(cut);
      if (!name.includes('--')) expect(JSON.stringify(JSON.parse(await run(true)))).to.include(cut);
    });

  it('has no sign where an effect rounds to nothing', async () => {
    expect(await effect({ ...ofEffect(), head: '0.1', block: '0:3' })).to.match(/\neffect +0\.0000 nats\n/);
  });

  it('is told of the other text of swapped heads, too', async () => {
    const swapped = { ...ofEffect(), file: join(folder, 'eight.txt'), swap: 'b', to: 'bb' };
    writeFileSync(swapped.file, 'abcdefgh');
    expect(await effect(swapped)).to.include(`Of the other: ${cut}`);
  });

  it('is no reason to leave out what was asked and would change nothing', async () => {
    const refused = async (more: Partial<EffectOptions>): Promise<string> =>
      (await errorOf(effect({ ...ofEffect(), ...more }))).args.join(': ');
    expect(await codeOf(effect({ ...ofEffect(), against: '#87' })), 'a token against itself').to.equal('sameTwice');
    expect(await codeOf(writes({ ...asked(false), at: '2', token: 'x', against: 'x' }))).to.equal('sameTwice');
    expect(await refused({ isRenormalized: true })).to.equal('--renormalize: it goes with --block');
    expect(await refused({ by: 'mean', block: '3:1' })).to.equal(
      '--by: it is of silent heads: leave it out beside --block',
    );
    const written = { ...asked(false), at: '2', token: 'x', against: undefined };
    const ofNoHead = await errorOf(writes({ ...written, component: 'cross' }));
    expect(ofNoHead.args.join(': ')).to.equal('--component: it goes with --head');
    const ofNone = await errorOf(writes({ ...written, head: '0.1', component: 'cross' }));
    expect(ofNone.args.join(': ')).to.equal('--component: the model has self');
    expect(await refused({ file: 'picture.png' })).to.equal(
      '--label: it is missing: of a picture, labels are predicted',
    );
    const loss = { at: undefined, isLoss: true };
    expect(await refused(loss)).to.equal('--token: leave it out beside --loss');
    expect(await refused({ ...loss, token: undefined, against: 'x' })).to.equal(
      '--against: leave it out beside --loss',
    );
  });

  it('speaks of the token that is meant, as predict shows it or as the vocabulary spells it', async () => {
    for (const token of [' ', '·', 'Ġ']) expect(await effect({ ...ofEffect(), token, head: '0.1' })).to.include('"·" ');
    expect((await errorOf(effect({ ...ofEffect(), token: 'xy' }))).sentence).to.match(/it is 2 tokens: x · y\.$/);
  });
});
