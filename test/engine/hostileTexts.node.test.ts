import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { compare } from '../../src/cli/compare';
import { effect } from '../../src/cli/effect';
import { explain } from '../../src/cli/explanation/explain';
import { generate } from '../../src/cli/generate';
import { heads } from '../../src/cli/heads';
import { how } from '../../src/cli/how';
import { inspect } from '../../src/cli/inspect';
import { predict } from '../../src/cli/predict';
import { tokenize } from '../../src/cli/tokenize';
import { writes } from '../../src/cli/writes';
import { readFixture } from '../harness/fixtures';
import { hostileModel } from '../harness/hostileModel';
import { hostileTexts, unseenCharacters } from '../harness/hostileTexts';
import { readers } from '../harness/readMarkdown';
import { tinyTokenizer, tinyVocabulary } from '../harness/tinyTokenizer';

/** The producer's name holds it twice, and a longer one than 64 KB is refused. */
const longestText = 30_000;

// What the command line prints of files that are made to be obeyed.
describe('the command line on hostile files', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hostile-'));
  });
  after(() => rm(folder, { recursive: true }));

  const expectHarmless = (output: string, name: string): void => {
    expect(output.replaceAll('\n', ''), name).to.not.match(unseenCharacters);
    expect(output.length, name).to.be.lessThan(200_000);
  };

  it('inspects a model without a control character, and its JSON is the whole of it', async () => {
    for (const name of ['escapes', 'direction', 'lines', 'picture', 'html', 'long']) {
      const model = join(folder, `${name}.onnx`);
      const text = hostileTexts[name].slice(0, longestText);
      await writeFile(model, hostileModel(text));
      const markdown = await inspect({ model, isJson: false });
      expectHarmless(markdown, name);
      expect(readers.preview(markdown).addresses, name).to.deep.equal([]);
      const json = await inspect({ model, isJson: true });
      expect(json.replaceAll('\n', ''), name).to.not.match(unseenCharacters);
      expect(JSON.parse(json), name).to.have.nested.property('model.producer', `producer ${text} ${text}`.trim());
    }
  });

  /** A tokenizer whose last words are special tokens: sequences, and lines. */
  const special = [`<|${hostileTexts['escapes']}|>`, `<|${hostileTexts['lines']}${hostileTexts['direction']}|>`];
  const hostileTokenizer = (): string => {
    const tokenizer = JSON.parse(tinyTokenizer([...tinyVocabulary, ...special])) as { added_tokens: unknown[] }; // made by us
    tokenizer.added_tokens = special.map((content, i) => ({
      id: tinyVocabulary.length + i,
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    }));
    return JSON.stringify(tokenizer);
  };

  it('explains with a tokenizer and a template whose words are sequences', async function () {
    this.timeout(60_000);
    // A template is a prefix of special tokens.
    await writeFile(join(folder, 'model.onnx'), await readFixture('zoo/gpt2.sdpa.legacy/model.onnx'));
    await writeFile(join(folder, 'tokenizer.json'), hostileTokenizer());
    await writeFile(
      join(folder, 'config.json'),
      JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 }),
    );
    await writeFile(join(folder, 'text.txt'), `a ${special[0]} b`);
    await writeFile(join(folder, 'chat_template.jinja'), `${special[1]}{{ messages[0].content }}`);
    const options = {
      file: join(folder, 'text.txt'),
      model: join(folder, 'model.onnx'),
      target: undefined,
      tokenizer: undefined,
      isChatMessage: true,
      component: undefined,
      head: undefined,
      backend: 'wasm',
      isJson: false,
    } as const;
    const output = await explain(options);
    expect(output).to.include('␛]0;title');
    expectHarmless(output, 'text');
    expectHarmless(await explain({ ...options, isJson: true }), 'JSON');
    const tokens = await tokenize(join(folder, 'tokenizer.json'), special.join(''));
    expectHarmless(tokens, 'tokens');
    expect(JSON.parse(tokens)).to.have.property('tokens').that.deep.equals(special);

    await writeFile(
      join(folder, 'chat_template.jinja'),
      `{{ raise_exception(${JSON.stringify(hostileTexts['link'] + hostileTexts['escapes'] + hostileTexts['manyLines'])}) }}`,
    );
    const error: unknown = await explain(options).catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'chatTemplateFailed');
    expect(error)
      .to.have.property('message')
      .that.satisfies((message: string) => !unseenCharacters.test(message) && message.length < 500);
  });

  it('asks a model whose words are sequences whatever it can be asked', async function () {
    this.timeout(60_000);
    const name = `predicts ${hostileTexts['escapes'].replaceAll('\0', '')}`;
    const model = join(folder, name);
    await mkdir(model);
    await writeFile(join(model, 'model.onnx'), await readFixture('pasts/gpt2/model.onnx'));
    await writeFile(join(model, 'tokenizer.json'), hostileTokenizer());
    await writeFile(
      join(model, 'config.json'),
      JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 }),
    );
    const file = join(model, `${name}.txt`);
    await writeFile(file, `a ${special[0]} b ${special[1]} c`);
    const asked = {
      file,
      model,
      target: undefined,
      tokenizer: undefined,
      component: undefined,
      head: undefined,
      backend: 'wasm',
    } as const;
    const token = `#${tinyVocabulary.length}`;
    const ofEffects = {
      against: undefined,
      label: undefined,
      isLoss: false,
      by: undefined,
      path: undefined,
      block: undefined,
      swap: undefined,
      to: undefined,
      isRenormalized: false,
    } as const;
    const commands: Readonly<Record<string, (isJson: boolean) => Promise<string>>> = {
      heads: (isJson) =>
        heads({ ...asked, isJson, queries: undefined, keys: undefined, sort: undefined, isRandom: false }),
      how: (isJson) => how({ ...asked, isJson, isNumpy: !isJson, head: '1.1', query: '2', key: '1' }),
      'how, as text': () => how({ ...asked, isJson: false, isNumpy: false, head: '1.1', query: '2', key: '1' }),
      predict: (isJson) => predict({ ...asked, isJson, mask: undefined }),
      effect: (isJson) => effect({ ...asked, ...ofEffects, isJson, isAll: true, at: '2', token }),
      writes: (isJson) => writes({ ...asked, isJson, at: '2', token, against: undefined }),
      generate: (isJson) =>
        generate({ ...asked, isJson, tokens: '2', temperature: undefined, topP: undefined, seed: undefined }),
      compare: (isJson) =>
        compare({
          ...asked,
          isJson,
          files: [file, file],
          withModel: undefined,
          withTokenizer: undefined,
          pairing: undefined,
          wantsPredictions: true,
        }),
    };
    for (const [what, run] of Object.entries(commands))
      for (const isJson of [false, true]) {
        const output = await run(isJson);
        expectHarmless(output, what);
        if (isJson && !what.includes(',')) JSON.parse(output);
      }
  });
});
