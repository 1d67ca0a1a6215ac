import { expect } from 'chai';
import { ChatEncoder, renderChat, renderMessages, type ChatTemplate } from '../../../../src/engine/text/chatTemplate';
import { readChatTemplate } from '../../../../src/engine/text/chatTemplateFiles';
import { ModelTokenizer } from '../../../../src/engine/text/modelTokenizer';
import { noDeadlines } from '../../../../src/engine/limits/deadlines';
import { tokenizeSource } from '../../../../src/engine/text/tokenizeSource';
import { tokenizeText } from '../../../../src/engine/text/tokenizeText';
import { fileLimits } from '../../../../src/model/fileLimits';
import { visibleText } from '../../../../src/model/token';
import { Tokenizer } from '../../../../src/tokenizer/tokenizer';
import { memoryAccess } from '../../../engine/fixtureAccess';
import { codeOfCall, errorOfCall } from '../../../harness/codeOf';
import { tinyTokenizer } from '../../../harness/tinyTokenizer';
import { wideLimits as free } from './wideLimits';

const template = (text: string): ChatTemplate => ({
  fileName: 'chat_template.jinja',
  text,
  specialTokens: { bos_token: '<s>', eos_token: '</s>' },
});
/** As most models of chats have it. */
const chatMl = template(
  "{{ bos_token }}{% for message in messages %}{{ '[' + message['role'] + ']\\n' + message['content'] | trim + '[end]\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant]\\n' }}{% endif %}",
);
const files = {
  jinjaPath: undefined,
  namedPaths: new Map<string, string>(),
  jsonPath: undefined,
  hasProcessor: false,
  processorConfig: {},
  tokenizerConfig: {},
  specialTokensMap: {},
  genaiConfig: {},
};

describe('chat templates', () => {
  it('are found in a file of their own, else in the tokenizer’s settings, with the special tokens', async () => {
    const access = memoryAccess({ 'm/chat_template.jinja': 'from the file' });
    const settings = {
      chat_template: 'from the settings',
      bos_token: { content: '<s>' },
      eos_token: '</s>',
      pad_token: null,
      model_max_length: 5,
    };
    expect(
      await readChatTemplate(access, { ...files, jinjaPath: 'm/chat_template.jinja', tokenizerConfig: settings }),
    ).to.deep.equal({
      fileName: 'chat_template.jinja',
      text: 'from the file',
      specialTokens: { bos_token: '<s>', eos_token: '</s>' },
    });
    expect((await readChatTemplate(access, { ...files, tokenizerConfig: settings }))?.text).to.equal(
      'from the settings',
    );
    expect(
      (
        await readChatTemplate(access, {
          ...files,
          tokenizerConfig: {
            chat_template: [
              { name: 'tool_use', template: 'a' },
              { name: 'default', template: 'b' },
            ],
          },
        })
      )?.text,
    ).to.equal('b');
    expect(await readChatTemplate(access, { ...files, tokenizerConfig: { chat_template: 7 } })).to.equal(undefined);
  });

  it('know the special tokens of all files, and of several templates with names the one called default', async () => {
    const access = memoryAccess({ 'm/x.jinja': 'the default' });
    const told = await readChatTemplate(access, {
      ...files,
      tokenizerConfig: { chat_template: 'x', eos_token: '[e]' },
      specialTokensMap: { bos_token: '<s>', eos_token: { content: '</s>' } },
    });
    // As transformers 5.18: the map counts more, unless the settings list the added tokens, and then not at all.
    expect(told?.specialTokens).to.deep.equal({ bos_token: '<s>', eos_token: '</s>' });
    const listed = await readChatTemplate(access, {
      ...files,
      tokenizerConfig: { chat_template: 'x', eos_token: '[e]', added_tokens_decoder: {} },
      specialTokensMap: { bos_token: '<s>', eos_token: '</s>' },
    });
    expect(listed?.specialTokens).to.deep.equal({ eos_token: '[e]' });
    expect(
      (
        await readChatTemplate(access, {
          ...files,
          namedPaths: new Map([
            ['default', 'm/x.jinja'],
            ['rag', 'm/y.jinja'],
          ]),
        })
      )?.text,
    ).to.equal('the default');
    const nameless = await readChatTemplate(access, {
      ...files,
      tokenizerConfig: {
        chat_template: [
          { name: 'tool_use', template: 'a' },
          { name: 'rag', template: 'b' },
        ],
      },
    });
    expect(errorOfCall(() => nameless && renderChat(nameless, 'x'))?.args[0]).to.equal(
      'tokenizer_config.json: it has templates named tool_use, rag, and none named default',
    );
  });

  it('are those called tool_use where tools are given', async () => {
    const access = memoryAccess({ 'm/x.jinja': 'the default', 'm/y.jinja': 'with {{ tools | length }} tools' });
    const named = [
      { name: 'tool_use', template: 'tools: {{ tools }}' },
      { name: 'rag', template: 'b' },
    ];
    const [ofFiles, ofSettings] = await Promise.all([
      readChatTemplate(access, {
        ...files,
        namedPaths: new Map([
          ['default', 'm/x.jinja'],
          ['tool_use', 'm/y.jinja'],
        ]),
      }),
      readChatTemplate(access, { ...files, tokenizerConfig: { chat_template: named } }),
    ]);
    const messages = [{ role: 'user', content: 'x' }];
    expect(ofFiles && renderMessages(ofFiles, { messages, tools: [{}] })).to.equal('with 1 tools');
    // An empty list is a list.
    expect(ofFiles && renderMessages(ofFiles, { messages, tools: [] })).to.equal('with 0 tools');
    expect(ofFiles && renderMessages(ofFiles, { messages })).to.equal('the default');
    expect(ofSettings && renderMessages(ofSettings, { messages, tools: [] })).to.equal('tools: []');
    expect(codeOfCall(() => ofSettings && renderMessages(ofSettings, { messages }))).to.equal('chatTemplateFailed');
  });

  it('are made of the prompt templates of genai_config.json where there is no other', async () => {
    const genaiConfig = {
      model: {
        prompt_templates: {
          system: '<|system|>\n{Content}<|end|>\n',
          user: '<|user|>{Content}',
          assistant: '{Content}<|end|>',
          prompt: '<|user|>\n"{Content}"<|end|>\n<|assistant|>\n',
        },
      },
    };
    const made = await readChatTemplate(memoryAccess({}), { ...files, genaiConfig });
    expect(made?.fileName).to.equal('genai_config.json');
    expect(made && renderChat(made, 'Hello')).to.deep.equal({
      prefix: '<|user|>\n"',
      suffix: '"<|end|>\n<|assistant|>\n',
      start: 0,
      end: 5,
    });
    expect(
      made &&
        renderMessages(made, {
          messages: [
            { role: 'system', content: 'S' },
            { role: 'user', content: 'a' },
            { role: 'assistant', content: 'b' },
            { role: 'user', content: 'c' },
          ],
        }),
    ).to.equal('<|system|>\nS<|end|>\n<|user|>ab<|end|><|user|>\n"c"<|end|>\n<|assistant|>\n');
  });

  it('are given the message in parts where they go through parts, and find nothing in a text', () => {
    const parts = template(
      "{% for m in messages %}[{{ m.role }}]{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %}",
    );
    expect(renderMessages(parts, { messages: [{ role: 'user', content: 'Hello' }] })).to.equal('[user]');
    expect(renderChat(parts, 'Hello')).to.deep.equal({ prefix: '[user]', suffix: '', start: 0, end: 5 });
  });

  it('that are not read keep nobody from the model, and say why when they are asked for', async () => {
    const large = 'x'.repeat(fileLimits.template.maxBytes + 1);
    const cases: readonly (readonly [ChatTemplate | undefined, string])[] = [
      [
        await readChatTemplate(memoryAccess({ 'm/chat_template.jinja': large }), {
          ...files,
          jinjaPath: 'm/chat_template.jinja',
        }),
        'chat_template.jinja was not read: it is 1.1 MB large, more than the 1 MB that are read',
      ],
      [
        await readChatTemplate(memoryAccess({}), { ...files, tokenizerConfig: { chat_template: large } }),
        'tokenizer_config.json was not read: it is 1.1 MB large, more than the 1 MB that are read',
      ],
      [
        await readChatTemplate(memoryAccess({}), { ...files, jinjaPath: 'm/gone.jinja' }),
        'gone.jinja was not read: m/gone.jinja does not exist: check the path.',
      ],
      [
        await readChatTemplate(memoryAccess({ 'm/latin.jinja': Uint8Array.of(0x61, 0xe9) }), {
          ...files,
          jinjaPath: 'm/latin.jinja',
        }),
        'latin.jinja was not read: it is not UTF-8',
      ],
    ];
    for (const [unread, reason] of cases) {
      expect(unread?.text).to.equal('');
      const error = errorOfCall(() => unread && renderChat(unread, 'Hello'));
      expect([error?.code, error?.args[0]]).to.deep.equal(['chatTemplateFailed', reason]);
    }
  });

  it('say what stands before and after the message, and what they cut of it', () => {
    expect(renderChat(chatMl, 'Hello')).to.deep.equal({
      prefix: '<s>[user]\n',
      suffix: '[end]\n[assistant]\n',
      start: 0,
      end: 5,
    });
    expect(renderChat(chatMl, '\n  Hello \n')).to.deep.include({ start: 3, end: 8 });
    expect(renderChat(template('{{ messages[0].content }}'), '  x ')).to.deep.equal({
      prefix: '',
      suffix: '',
      start: 0,
      end: 4,
    });
    expect(renderChat(chatMl, '{{ bos_token }} {% raw %}')).to.deep.include({ start: 0, end: 25 });
  });

  it('are refused where they do more than that', () => {
    for (const text of [
      '{{ messages[0].content | upper }}',
      'no message',
      '{{ messages[0].content }}{{ messages[0].content }}',
      "{{ raise_exception('roles must alternate') }}",
      '{% for %}',
      '{{ messages[0].content[:3] }}',
    ]) {
      expect(
        codeOfCall(() => renderChat(template(text), 'some text')),
        text,
      ).to.equal('chatTemplateFailed');
    }
  });

  it('are refused where a step makes more than any honest one, before that is made', () => {
    const doubled = "{% set n = namespace(x='a') %}{% for i in range(25) %}{% set n.x = n.x ~ n.x %}{% endfor %}";
    const long = "{% set x = 'a' * 10000000 %}";
    for (const text of [
      `${doubled}{{ n.x | length }}`,
      `${long}{{ [x, x] | join | length }}`,
      `${long}{{ ''.join([x, x]) | length }}`,
      "{{ 'a' | indent(20000000, true) | length }}",
      "{{ ['a'] | map('indent', 20000000, true) | list | length }}",
      `${long}{% macro f() %}{{ x }}{{ x }}{% endmacro %}{{ f() | length }}`,
    ]) {
      const error = errorOfCall(() => renderChat(template(`${text}{{ messages[0].content }}`), 'some text'));
      expect([error?.code, error?.cause instanceof RangeError], text).to.deep.equal(['chatTemplateFailed', true]);
    }
  });

  it('give tokens whose offsets are those of the text, the template’s own standing for none of it', () => {
    const tokenizer = Tokenizer.fromJson(tinyTokenizer());
    const text = ' ab\ncd ';
    const { stream } = tokenizeText(new ChatEncoder(tokenizer, chatMl), text, free);
    expect(stream.text).to.equal(text);
    const own = stream.tokens.filter((token) => token.template === undefined);
    expect(own.map(({ start, end }) => text.slice(start, end))).to.deep.equal(['a', 'b', '\n', 'c', 'd']);
    expect(own.every(({ isSpecial }) => !isSpecial)).to.equal(true);
    const others = stream.tokens.filter((token) => token.template !== undefined);
    expect(others.map((token) => token.template).join('')).to.equal('<s>[user]\n[end]\n[assistant]\n');
    expect(others.every(({ start, end, isSpecial }) => start === end && isSpecial)).to.equal(true);
    // The ids are those of the whole.
    expect(stream.tokens.map(({ id }) => id)).to.deep.equal([
      ...tokenizer.encode('<s>[user]\nab\ncd[end]\n[assistant]\n').ids,
    ]);
    const newline = stream.tokens.findIndex((token) => token.template === '\n');
    expect(visibleText(stream, newline)).to.equal('↵');
  });

  it('give a token that reaches into the template the part of it that is text', () => {
    // One token for two letters, across the border.
    const pairs = {
      encode: (text: string) => ({
        ids: Int32Array.from([1, 2]),
        tokens: ['xa', 'b'],
        starts: Int32Array.from([0, 2]),
        ends: Int32Array.from([2, text.length]),
        isSpecial: new Uint8Array(2),
        typeIds: new Int32Array(2),
      }),
      specialOf: () => undefined,
    };
    const { starts, ends, templates } = new ChatEncoder(pairs, template('x{{ messages[0].content }}')).encode('ab');
    expect([[...starts], [...ends], [...templates]]).to.deep.equal([
      [0, 1],
      [1, 2],
      [undefined, undefined],
    ]);
  });

  it('know the special tokens that the tokenizer has by its class, and the model’s own', async () => {
    const settings = {
      tokenizer_class: 'Qwen2Tokenizer',
      pad_token: '<pad>',
      image_token: '<image>',
      model_specific_special_tokens: { audio_token: '<audio>' },
    };
    const access = memoryAccess({
      'm/tokenizer.json': tinyTokenizer(),
      'm/tokenizer_config.json': JSON.stringify(settings),
    });
    const tokenizer = await ModelTokenizer.open({ path: 'm/tokenizer.json' }, access, noDeadlines);
    const asked = ['bos_token', 'eos_token', 'pad_token', 'unk_token', 'image_token', 'audio_token'];
    const chatTemplate = template(
      `${asked.map((name) => `{{ ${name} if ${name} is defined else '-' }}`).join(' ')}{{ messages[0].content }}`,
    );
    const { stream } = await tokenizeSource(
      { tokenizer, chatTemplate, deadlines: noDeadlines, givesTypes: false },
      { text: 'a', isChatMessage: true },
      free,
    );
    // The tokenizer of transformers 5.18: another name for tokens of the model's own takes the place of the list.
    expect(stream.tokens.map((token) => token.template ?? '').join('')).to.equal(
      '- <|endoftext|> <pad> <|endoftext|> <image> -',
    );
  });

  it('keep what closes the chat where the text is cut', () => {
    const { stream, notices } = tokenizeText(
      new ChatEncoder(Tokenizer.fromJson(tinyTokenizer()), chatMl),
      'abcdefghij'.repeat(10),
      { ...free, tokenLimit: 40 },
    );
    expect(stream.tokens).to.have.length(40);
    expect(
      stream.tokens
        .filter((token) => token.template !== undefined)
        .map((token) => token.template)
        .join(''),
    ).to.equal('<s>[user]\n[end]\n[assistant]\n');
    expect(notices.map(({ code }) => code)).to.deep.equal(['cutToLimit']);
    expect(stream.text).to.equal('abcdefghij'.repeat(10).slice(0, stream.text.length));
  });
});
