import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { noDeadlines } from '../../../../src/engine/limits/deadlines';
import { ModelTokenizer } from '../../../../src/engine/text/modelTokenizer';
import { findTokenizer } from '../../../../src/engine/files/tokenizerFiles';
import { memoryAccess } from '../../../engine/fixtureAccess';
import { codeOf } from '../../../harness/codeOf';
import { tinyTokenizer } from '../../../harness/tinyTokenizer';
import { readCases } from '../../tokenizer/compareFolder';

interface SettingsCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly text: string;
  readonly ids: readonly number[];
}

const settings = JSON.parse(readFileSync('test/fixtures/tokenizers/settings.json', 'utf8')) as {
  versions: { transformers: string };
  blobs: Record<string, string>;
  cases: SettingsCase[];
};
const cases = readCases(gunzipSync(readFileSync('test/fixtures/tokenizers/cases.jsonl.gz')).toString('utf8'));

/** A folder `m` with these files. */
const folderWith = (files: Readonly<Record<string, string | Uint8Array>>): ReturnType<typeof memoryAccess> =>
  memoryAccess(Object.fromEntries(Object.entries(files).map(([file, content]) => [`m/${file}`, content])));

/** The files of a folder of the fixture. */
function filesOf(name: string): Record<string, Uint8Array> {
  const folder = cases.folders.find((each) => each.name === name);
  if (folder === undefined) throw new Error(`The fixture has no ${name}`);
  return Object.fromEntries(
    Object.entries(folder.files).map(([file, key]) => [file, cases.blobs.get(key) ?? new Uint8Array()]),
  );
}

describe('Files of a tokenizer', () => {
  for (const { name, files, text, ids } of settings.cases) {
    it(`${name}: ids as of transformers ${settings.versions.transformers}`, async () => {
      const access = memoryAccess(
        Object.fromEntries(Object.entries(files).map(([file, key]) => [`m/${file}`, settings.blobs[key]])),
      );
      const tokenizer = await ModelTokenizer.open(
        {
          path: 'm/tokenizer.json',
          config: JSON.parse(settings.blobs[files['config.json']]) as Record<string, unknown>,
        },
        access,
        noDeadlines,
      );
      expect([...tokenizer.encode(text).ids]).to.deep.equal(ids);
      expect(tokenizer.notices).to.deep.equal([]);
    });
  }

  for (const [name, main] of [
    ['BertTokenizer, vocab.txt, plain', 'vocab.txt'],
    ['GPT2Tokenizer, files 0, plain', 'vocab.json'],
    ['LlamaTokenizer, bpe identity, plain', 'tokenizer.model'],
    ['T5Tokenizer, unigram nmt_nfkc, plain', 'spiece.model'],
    ['LlamaTokenizer, tiktoken, plain', 'tokenizer.model'],
    ['MarianTokenizer, files 1, plain', 'vocab.json'],
    ['M2M100Tokenizer, files 0, plain', 'vocab.json'],
    ['EsmTokenizer, vocab.txt, plain', 'vocab.txt'],
  ] as const) {
    it(`are found and read without a tokenizer.json: ${name}`, async () => {
      const access = folderWith(filesOf(name));
      expect(await findTokenizer(access, ['nowhere', 'm'])).to.equal(`m/${main}`);
      const tokenizer = await ModelTokenizer.open({ path: `m/${main}` }, access, noDeadlines);
      const folder = cases.folders.find((each) => each.name === name);
      folder?.texts.forEach((place, i) =>
        expect([...tokenizer.encode(cases.texts[place]).ids]).to.deep.equal(folder.cases?.[i].ids),
      );
      expect(tokenizer.notices).to.deep.equal([]);
    });
  }

  it('say what is assumed, not known or a program of its own', async () => {
    const codes = async (
      files: Record<string, string | Uint8Array>,
      path = 'tokenizer.json',
    ): Promise<readonly string[]> =>
      (await ModelTokenizer.open({ path: `m/${path}` }, folderWith(files), noDeadlines)).notices.map(
        ({ code }) => code,
      );
    const json = tinyTokenizer();
    expect(await codes({ 'tokenizer.json': json })).to.deep.equal([]);
    expect(
      await codes({ 'tokenizer.json': json, 'tokenizer_config.json': '{"tokenizer_class":"MarianTokenizer"}' }),
    ).to.deep.equal(['tokenizerIsProgram']);
    expect(
      await codes({ 'tokenizer.json': json, 'tokenizer_config.json': '{"tokenizer_class":"T5Tokenizer"}' }),
    ).to.deep.equal(['tokenizerNotAsClass']);
    expect(await codes({ 'tokenizer.json': json, 'tokenizer_config.json': '{"quantum":1}' })).to.deep.equal([
      'tokenizerSettingsUnknown',
    ]);
    expect(await codes({ 'tokenizer.json': json, 'tokenizer_config.json': '{"pad_token":7}' })).to.deep.equal([
      'tokenizerNotAsClass',
    ]);
    const added = (content: string, id: number, normalized: boolean): object => ({
      id,
      content,
      normalized,
      special: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    });
    const lowered = (normalized: boolean): string =>
      JSON.stringify({
        ...(JSON.parse(json) as object), // made by the test
        normalizer: { type: 'Lowercase' },
        added_tokens: [added('<New>', 97, normalized), added('<NEW>', 98, normalized)],
      });
    expect(await codes({ 'tokenizer.json': lowered(true) })).to.deep.equal(['tokenizerTokensAlike']);
    expect(await codes({ 'tokenizer.json': lowered(false) })).to.deep.equal([]);
    expect(await codes({ 'tokenizer.json': json, 'added_tokens.json': '[' })).to.deep.equal(['settingsNotRead']);
    expect(await codes({ 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n' }, 'vocab.txt')).to.deep.equal([
      'tokenizerClassAssumed',
    ]);
  });

  it('are read in a time that grows with them, also where lines are blanks', async () => {
    const started = performance.now();
    const vocabulary = `[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n${' '.repeat(500_000)}a\nb\u0085 \n`;
    const tokenizer = await ModelTokenizer.open(
      { path: 'm/vocab.txt' },
      folderWith({ 'vocab.txt': vocabulary }),
      noDeadlines,
    );
    expect([...tokenizer.encode('b', { addSpecialTokens: false }).ids]).to.deep.equal([6]);
    // Where each blank is taken for the first of the last ones, it takes minutes.
    expect(performance.now() - started).to.be.below(20_000);
  });

  it('that are damaged, or missing, are refused', async () => {
    const t5 = filesOf('T5Tokenizer, unigram nmt_nfkc, plain');
    const gpt2 = filesOf('GPT2Tokenizer, files 0, plain');
    const refused = async (files: Record<string, string | Uint8Array>, path: string): Promise<string> =>
      codeOf(ModelTokenizer.open({ path: `m/${path}` }, folderWith(files), noDeadlines));
    expect(await refused({ ...t5, 'spiece.model': t5['spiece.model'].subarray(0, 1001) }, 'spiece.model')).to.equal(
      'tokenizerInvalid',
    );
    expect(
      await refused({ ...t5, 'spiece.model': 'version https://git-lfs.github.com/spec/v1\n' }, 'spiece.model'),
    ).to.equal('tokenizerInvalid');
    expect(await refused({ ...gpt2, 'merges.txt': 'a b c\n' }, 'vocab.json')).to.equal('tokenizerInvalid');
    expect(await refused({ ...gpt2, 'merges.txt': 'qq qq\n' }, 'vocab.json')).to.equal('tokenizerInvalid');
    expect(
      await refused(
        { 'vocab.json': gpt2['vocab.json'], 'tokenizer_config.json': gpt2['tokenizer_config.json'] },
        'vocab.json',
      ),
    ).to.equal('tokenizerInvalid');
    expect(await refused({ ...gpt2, 'vocab.json': '{"a": -1}' }, 'vocab.json')).to.equal('tokenizerInvalid');
    expect(
      await refused(
        { 'vocab.txt': 'a\n', 'tokenizer_config.json': '{"tokenizer_class":"BertJapaneseTokenizer"}' },
        'vocab.txt',
      ),
    ).to.equal('tokenizerUnsupported');
    expect(await refused({ ...gpt2, 'merges.txt': '\n'.repeat(2 ** 22 + 1) }, 'vocab.json')).to.equal(
      'tokenizerInvalid',
    );
    expect(await refused({ 'tiktoken.model': '\n'.repeat(2 ** 22 + 1) }, 'tiktoken.model')).to.equal(
      'tokenizerInvalid',
    );
    expect(
      await refused(
        { 'tokenizer.model': `${'A'.repeat(2 ** 20)} 0\n`, 'tokenizer_config.json': '{}' },
        'tokenizer.model',
      ),
    ).to.equal('tokenizerTooCostly');
  });
});
