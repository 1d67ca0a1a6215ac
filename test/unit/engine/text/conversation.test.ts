import { expect } from 'chai';
import type { ChatTemplate } from '../../../../src/engine/text/chatTemplate';
import { readConversation } from '../../../../src/engine/text/conversation';
import { ConversationEncoder, renderConversation } from '../../../../src/engine/text/conversationEncoder';
import { tokenizeText } from '../../../../src/engine/text/tokenizeText';
import { visibleText } from '../../../../src/model/token';
import { Tokenizer } from '../../../../src/tokenizer/tokenizer';
import { tinyTokenizer } from '../../../harness/tinyTokenizer';
import { wideLimits as limits } from './wideLimits';

const template: ChatTemplate = {
  fileName: 'chat_template.jinja',
  text: '{% if tools %}[tools]{{ tools | tojson }}\n{% endif %}{% for m in messages %}[{{ m.role }}]\n{{ m.content | trim }}[end]\n{% endfor %}{% if add_generation_prompt %}[assistant]\n{% endif %}',
  specialTokens: {},
};

/** What the document says at the place of each text. */
function spelled(document: string): (readonly string[])[] {
  return (readConversation(document)?.texts ?? []).map(({ text, starts, ends }) =>
    Array.from(text, (_, unit) => document.slice(starts[unit], ends[unit])),
  );
}

describe('conversations', () => {
  it('are lists of messages in JSON or YAML, alone or beside tools', () => {
    expect(readConversation('[{"role": "user", "content": "Hi"}]')?.messages()).to.deep.equal([
      { role: 'user', content: 'Hi' },
    ]);
    const conversation = readConversation(
      'tools:\n- type: function\nmessages:\n- role: system\n  content: Be kind.\n- {role: user, content: [{type: text, text: Hi}]}\n',
    );
    expect(conversation?.messages()).to.deep.equal([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    ]);
    expect(conversation?.messages(['a', 'b'])).to.deep.equal([
      { role: 'system', content: 'a' },
      { role: 'user', content: [{ type: 'text', text: 'b' }] },
    ]);
    expect([conversation?.tools, conversation?.documents, conversation?.lastRole]).to.deep.equal([
      [{ type: 'function' }],
      null,
      'user',
    ]);
  });

  it('are no other texts', () => {
    const alias = '- &a {role: user, content: x}\n- *a\n';
    for (const text of [
      'Hello',
      'role: user',
      '[]',
      '[{"role": "user"}]',
      '- role: user\n- x',
      '{"role": "user", "content": "x"}',
      '[{"role": "user", "content": ',
      '[{"role": "user", "role": "assistant", "content": "x"}]',
      '{"messages": [{"role": "user", "content": "x"}], "tools": [{"a": 1, "a": 2}]}',
      alias,
      '- role: user\n  content: a\n  ? {toString: 1}\n  : x\n',
      `- role: user\n  content: ${'['.repeat(50_000)}`,
    ]) {
      expect(readConversation(text), text.slice(0, 40)).to.equal(undefined);
    }
  });

  it('are told from maps of very many names, which take a moment and no minutes', function () {
    this.timeout(20_000);
    const names = Array.from({ length: 60_000 }, (_, i) => `${i.toString(36)}:`).join('\n');
    expect(readConversation(`role: user\n${names}\n`)).to.equal(undefined);
  });

  it('know where each unit of a text stands, in all ways of spelling it', () => {
    expect(spelled('[{"role": "user", "content": "a\\n\\u00e9\\"b"}]')).to.deep.equal([
      ['a', '\\n', '\\u00e9', '\\"', 'b'],
    ]);
    expect(spelled("- role: user\n  content: 'it''s'\n")).to.deep.equal([['i', 't', "''", 's']]);
    expect(spelled('- role: user\n  content: |\n    a\n      b\n\n    c\n')).to.deep.equal([
      ['a', '\n', ' ', ' ', 'b', '\n', '\n', 'c', '\n'],
    ]);
    expect(spelled('- role: user\n  content: a b\n')).to.deep.equal([['a', ' ', 'b']]);
    expect(spelled('- role: user\n  content: a\n   b\n')[0].filter((part) => part.trim() !== '')).to.deep.equal([
      'a',
      'b',
    ]);
  });

  it('are rendered as a whole, the answer asked for where the last word is not the assistant’s', () => {
    const asked = readConversation(
      'messages:\n- role: system\n  content: S\n- role: user\n  content: " Hi "\ntools: [{n: 1.0}]\n',
    );
    const answered = readConversation('- {role: user, content: a}\n- {role: assistant, content: b}\n');
    expect(asked && renderConversation(template, asked).rendered).to.equal(
      '[tools][{"n": 1.0}]\n[system]\nS[end]\n[user]\nHi[end]\n[assistant]\n',
    );
    expect(answered && renderConversation(template, answered).rendered).to.equal(
      '[user]\na[end]\n[assistant]\nb[end]\n',
    );
  });

  it('give tokens that stand in the document, and those of the template for none of it', () => {
    const document = '- role: user\n  content: |\n    ab\n    cd\n- {role: assistant, content: "e\\nf"}\n';
    const tokenizer = Tokenizer.fromJson(tinyTokenizer());
    const conversation = readConversation(document);
    if (conversation === undefined) throw new Error('no conversation');
    const { stream } = tokenizeText(new ConversationEncoder(tokenizer, template, conversation), document, limits);
    const own = stream.tokens.filter((token) => token.template === undefined);
    expect(own.map(({ start, end }) => document.slice(start, end))).to.deep.equal([
      'a',
      'b',
      '\n',
      'c',
      'd',
      'e',
      '\\n',
      'f',
    ]);
    expect(
      stream.tokens
        .filter((token) => token.template !== undefined)
        .map((token) => token.template)
        .join(''),
    ).to.equal('[user]\n[end]\n[assistant]\n[end]\n');
    expect(stream.tokens.map(({ id }) => id)).to.deep.equal([
      ...tokenizer.encode('[user]\nab\ncd[end]\n[assistant]\ne\nf[end]\n').ids,
    ]);
  });

  it('say the role of a message where the template does not spell it', () => {
    const instructing: ChatTemplate = {
      ...template,
      text: "{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }};{% elif m.role == 'system' %}system {{ m.content }};{% else %}[I]{{ m.content }}[/I]{% endif %}{% endfor %}",
    };
    const document =
      '- {role: system, content: a}\n- {role: user, content: [{type: text, text: b}]}\n- {role: assistant, content: c}\n- {role: user, content: d}\n';
    const joined: ChatTemplate = {
      ...instructing,
      text: instructing.text.replace(
        '[I]{{ m.content }}',
        '[I]{{ m.content if m.content is string else m.content[0].text }}',
      ),
    };
    const conversation = readConversation(document) ?? expect.fail('no conversation');
    const encoder = new ConversationEncoder(Tokenizer.fromJson(tinyTokenizer()), joined, conversation);
    const { stream } = tokenizeText(encoder, document, limits);
    expect(
      stream.tokens.flatMap(({ role, template: said }, i) =>
        role === undefined
          ? []
          : [
              [
                role,
                said,
                visibleText(stream, i),
                document.slice(stream.tokens[i + 1].start, stream.tokens[i + 1].end),
              ],
            ],
      ),
    ).to.deep.equal([
      ['user', ']', 'user: ]', 'b'],
      ['assistant', ']', 'assistant: ]', 'c'],
      ['user', ']', 'user: ]', 'd'],
    ]);
  });

  it('are rendered also where the template looks into a text, which then stands where it stands once', () => {
    const looking: ChatTemplate = {
      ...template,
      text: "{% for m in messages %}{% if 'think' in m.content %}({{ m.content }}){% else %}[{{ m.content | upper }}]{% endif %}{% endfor %}",
    };
    const conversation = readConversation('- {role: user, content: ab}\n- {role: assistant, content: think it}\n');
    const { rendered, placed } = renderConversation(looking, conversation ?? expect.fail('no conversation'));
    expect(rendered).to.equal('[AB](think it)');
    expect(placed.map(({ text, start, end }) => [text.text, rendered.slice(start, end)])).to.deep.equal([
      ['think it', 'think it'],
    ]);
  });
});
