import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { JinjaTemplate } from '../../../../src/engine/jinja/template';
import { compareChatTemplates, type ChatTemplateFixture } from '../../../harness/chatTemplates';

const fixture = JSON.parse(readFileSync('test/fixtures/chatTemplates.json', 'utf8')) as ChatTemplateFixture;

describe(`chat templates of the reference (transformers ${fixture.transformers}, Jinja ${fixture.jinja2})`, () => {
  const outcomes = compareChatTemplates(fixture);

  it('are of many kinds, in several conversations each', () => {
    expect(fixture.templates.length).to.be.at.least(39);
    expect(outcomes.length).to.equal(fixture.templates.length * Object.keys(fixture.contexts).length);
  });

  it('say what they say there, or are refused, and none says anything else', () => {
    expect(
      outcomes
        .filter(({ outcome }) => outcome === 'wrong')
        .map(({ name, context, ours, theirs }) => ({ name, context, ours, theirs })),
    ).to.deep.equal([]);
  });

  it('are refused here alone in no case', () => {
    expect(
      outcomes
        .filter(({ outcome }) => outcome === 'told')
        .map(({ name, context, ours }) => `${name}, ${context}: ${ours}`),
    ).to.deep.equal([]);
  });
});

describe('templates that nobody honest writes', () => {
  const refused: Readonly<Record<string, string>> = {
    'a range without end': '{% for i in range(10000000000) %}x{% endfor %}',
    'a text of gigabytes': "{{ 'x' * 10000000000 }}",
    'a text that doubles':
      "{% set ns = namespace(x='xxxxxxxxxxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    'a list that doubles':
      '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
    'a macro that calls itself': '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
    'brackets within brackets': `{{ ${'['.repeat(20_000)} }}`,
    'the way to a constructor': "{{ ''.constructor.constructor('return 1')() }}",
  };
  for (const [name, text] of Object.entries(refused)) {
    it(`are refused: ${name}`, () => {
      expect(() => new JinjaTemplate(text).render({ messages: [] })).to.throw();
    });
  }

  it('find nothing by the names of JavaScript', () => {
    expect(
      new JinjaTemplate(
        "{{ constructor is defined }}{{ messages.__proto__ is defined }}{{ messages.constructor is defined }}{{ {}['toString'] is defined }}",
      ).render({ messages: [] }),
    ).to.equal('FalseFalseFalseFalse');
  });
});
