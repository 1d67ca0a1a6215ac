import { expect } from 'chai';
import { ChatEncoder, maxTemplateUnits, renderChat, type ChatTemplate } from '../../../../src/engine/text/chatTemplate';
import { Deadlines } from '../../../../src/engine/limits/deadlines';
import { interrupt } from '../../../../src/engine/serve/interrupt.node';
import { ModelTokenizer } from '../../../../src/engine/text/modelTokenizer';
import { showChatTemplate } from '../../../../src/engine/serve/showChatTemplate';
import { mostSeconds, timeLimits, type TimedStep } from '../../../../src/engine/limits/timeLimits';
import { memoryAccess } from '../../../engine/fixtureAccess';
import { codeOf, codeOfCall } from '../../../harness/codeOf';
import { tinyTokenizer } from '../../../harness/tinyTokenizer';

const short = { ...timeLimits };
for (const step of Object.keys(short) as TimedStep[] /* its own keys */)
  short[step] = { ...short[step], seconds: 0.2, perMillion: 0 };
const quick = new Deadlines({ interrupt, limits: short });

/** A tokenizer whose words are found by an expression. */
function tokenizerOf(expression: string): string {
  return JSON.stringify({
    ...JSON.parse(tinyTokenizer()),
    pre_tokenizer: { type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated' },
  });
}

const template = (text: string): ChatTemplate => ({ fileName: 'chat_template.jinja', text, specialTokens: {} });
const endless = '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}';

async function inTime<T>(work: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    expect(performance.now() - started, 'milliseconds').to.be.below(5000);
  }
}

describe('Deadlines in Node', () => {
  it('end loops, regular expressions and WebAssembly, whatever these catch', async () => {
    const spin = Uint8Array.of(
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      96,
      0,
      0,
      3,
      2,
      1,
      0,
      7,
      5,
      1,
      1,
      102,
      0,
      0,
      10,
      9,
      1,
      7,
      0,
      3,
      64,
      12,
      0,
      11,
      11,
    );
    const { instance } = await WebAssembly.instantiate(spin);
    const slow: (() => unknown)[] = [
      () => {
        for (;;) {
          try {
            for (;;);
          } catch {
            continue;
          }
        }
      },
      () => /^(?:a+)+$/u.test(`${'a'.repeat(40)}b`),
      () => (instance.exports['f'] as () => void)() /* the module's one function */,
    ];
    for (const work of slow)
      await inTime(() => expect(codeOfCall(() => quick.run('tokenize', 0, work))).to.equal('tookTooLong'));
  });

  it('pass on what work gives and throws, also one inside another', () => {
    expect(quick.run('tokenize', 0, () => quick.run('chatTemplate', 0, () => 7))).to.equal(7);
    expect(() =>
      quick.run('tokenize', 0, () => {
        throw new RangeError('mine');
      }),
    ).to.throw(RangeError, 'mine');
    expect(
      codeOfCall(() =>
        new Deadlines({ interrupt }).run('tokenize', 0, () =>
          quick.run('tokenize', 0, () => {
            for (;;);
          }),
        ),
      ),
    ).to.equal('tookTooLong');
    expect(
      codeOfCall(() =>
        quick.run('tokenize', 0, () =>
          new Deadlines({ interrupt }).run('tokenize', 0, () => {
            for (;;);
          }),
        ),
      ),
    ).to.equal('tookTooLong');
    expect(quick.run('tokenize', 0, () => 8)).to.equal(8);
  });

  it('tell who watches where the host cannot interrupt itself', () => {
    const told: unknown[] = [];
    const watched = new Deadlines({ announce: (busy) => told.push(busy) });
    expect(watched.run('chatTemplate', 0, () => told.length)).to.equal(1);
    expect(() =>
      watched.run('tokenize', 1_000_000, () => {
        throw new Error('mine');
      }),
    ).to.throw('mine');
    expect(told).to.deep.equal([
      { title: 'The chat template', seconds: 5 },
      null,
      { title: 'The tokenizer', seconds: 110 },
      null,
    ]);
  });

  it('leave long honest texts ten times the time that they take on a slow machine', () => {
    // 100 kB of the hardest text for the hardest tokenizer take 1.2 s there.
    expect(mostSeconds(timeLimits.tokenize, 100_000)).to.be.at.least(12);
  });
});

describe('A model’s tokenizer', () => {
  const nested = tokenizerOf('(?:(?:x+)+y|.)');
  const hostile = 'x'.repeat(60);

  it('is ended where its expressions take too long, and read anew for the next text', async () => {
    const access = memoryAccess({ 't.json': nested });
    const tokenizer = await ModelTokenizer.open({ path: 't.json' }, access, quick);
    const expected = [...tokenizer.encode('ab').ids];
    await inTime(() => expect(codeOfCall(() => tokenizer.encode(hostile))).to.equal('tookTooLong'));
    await tokenizer.ready();
    expect([...tokenizer.encode('ab').ids]).to.deep.equal(expected);
    expect(access.wasRead).to.deep.equal(['t.json', 't.json']);
    await tokenizer.ready();
    expect(access.wasRead).to.have.length(2);
  });

  it('is ended while it is read', async () => {
    // Added tokens go through the normalizer as the file is read.
    const json = JSON.stringify({
      ...JSON.parse(nested),
      normalizer: { type: 'Replace', pattern: { Regex: '(?:x+)+y' }, content: 'z' },
      added_tokens: [{ id: 0, content: hostile, normalized: true, special: false }],
    });
    await inTime(async () =>
      expect(await codeOf(ModelTokenizer.open({ path: 't.json' }, memoryAccess({ 't.json': json }), quick))).to.equal(
        'tookTooLong',
      ),
    );
  });

  it('lets a template’s text through the same bounds', async () => {
    const tokenizer = await ModelTokenizer.open({ path: 't.json' }, memoryAccess({ 't.json': nested }), quick);
    await inTime(() =>
      expect(
        codeOfCall(() =>
          new ChatEncoder(tokenizer, template(`${hostile}{{ messages[0].content }}`), quick).encode('a'),
        ),
      ).to.equal('tookTooLong'),
    );
  });
});

describe('Bounds of chat templates', () => {
  it('end one that goes on and on', async () => {
    const doubled = '{% set ns = namespace(x=[1]) %}{% for i in range(30) %}{% set ns.x = ns.x + ns.x %}{% endfor %}';
    for (const [text, code, deadlines] of [
      [endless, 'tookTooLong', quick],
      [`${' '.repeat(100_000)}{{ 1 }}`, 'chatTemplateFailed', quick],
      [doubled, 'chatTemplateFailed', new Deadlines({ interrupt })], // for its size, whatever time that takes here
    ] as const) {
      await inTime(() =>
        expect(
          codeOfCall(() => renderChat(template(text), 'hello', deadlines)),
          text.slice(0, 40),
        ).to.equal(code),
      );
    }
  });

  it('refuse one that is too long, too deep or says too much', () => {
    const nestedDeep = `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`;
    const loud = `{{ messages[0].content }}{% for i in range(30) %}${'x'.repeat(40_000)}{% endfor %}`;
    const doubled =
      '{% set ns = namespace(x="ab") %}{% for i in range(40) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}';
    for (const text of ['x'.repeat(maxTemplateUnits + 1), nestedDeep, loud, doubled]) {
      expect(
        codeOfCall(() => renderChat(template(text), 'hello', new Deadlines({ interrupt }))),
        text.slice(0, 40),
      ).to.equal('chatTemplateFailed');
    }
  });

  it('are said in the document about the template, which shows nothing of one that is too long', async () => {
    const view = await showChatTemplate(
      memoryAccess({ 'm/model.onnx': '', 'm/chat_template.jinja': endless }),
      { path: 'm', backend: 'wasm', threads: 1 },
      quick,
    );
    expect(view).to.deep.include({ text: endless, prefix: undefined });
    expect(view.error?.code).to.equal('tookTooLong');
    const long = JSON.stringify({ chat_template: 'x'.repeat(2 * maxTemplateUnits) });
    const cut = await showChatTemplate(
      memoryAccess({ 'm/model.onnx': '', 'm/tokenizer_config.json': long }),
      { path: 'm', backend: 'wasm', threads: 1 },
      quick,
    );
    expect([cut.text, cut.error?.code]).to.deep.equal(['', 'chatTemplateFailed']);
  });
});
