import { renderChat } from '../../../src/engine/text/chatTemplate';
import { below, oneOf, type Chances, type FuzzTarget } from './fuzzTarget';
import { codeOfAny } from './codeOfAny';
import { mutateText } from './mutateJson';

/** As models' own templates are. */
const templates = [
  "{{ bos_token }}{% for message in messages %}{{ '[' + message['role'] + ']\\n' + message['content'] | trim + '[end]\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant]\\n' }}{% endif %}",
  "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% else %}{% set loop_messages = messages %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ message['content'].strip() + eos_token }}{% endfor %}",
  '{%- macro show(x) -%}{{ x | upper }}{%- endmacro -%}{% for m in messages %}{{ show(m.role) }}: {{ m.content }}{% endfor %}',
  "{% set ns = namespace(found=false) %}{% for m in messages if m.role == 'user' %}{% set ns.found = true %}{{ m.content | tojson }}{% endfor %}",
  "{{ messages | map(attribute='content') | join(', ') }}",
  "{% generation %}{{ messages[-1].content }}{% endgeneration %}{{ strftime_now('%d %b %Y') }}",
];
const atoms = [
  'messages',
  'messages[0]',
  'messages[0].content',
  'm',
  'm.content',
  "m['role']",
  'bos_token',
  'eos_token',
  'none',
  'undefined',
  'true',
  '0',
  '1',
  '-1',
  '3.5',
  "'a'",
  "''",
  '[]',
  '{}',
  '[1, 2]',
  "{'a': 1}",
  'loop',
  'loop.index',
  'range(3)',
  'namespace()',
  'self',
  '__proto__',
  "m['__proto__']",
  "messages['constructor']",
  'm.content.constructor',
  'raise_exception',
];
const binary = ['+', '-', '*', '/', '%', '~', '==', '!=', '<', '>', 'and', 'or', 'in', 'not in', 'is', 'is not'];
const filters = [
  'trim',
  'upper',
  'lower',
  'title',
  'length',
  'tojson',
  'join',
  'first',
  'last',
  'reverse',
  'sort',
  'list',
  'items',
  'string',
  'int',
  'float',
  'safe',
  'default(1)',
  "replace('a', 'b')",
  'indent',
  'unique',
  'abs',
  'nothing',
  "selectattr('role')",
  "map(attribute='role')",
  "split('a')",
  "startswith('a')",
];
const methods = [
  'strip()',
  'rstrip()',
  "split(' ')",
  'upper()',
  'items()',
  'get("a")',
  "startswith('x')",
  'keys()',
  'append(1)',
  'format(1)',
  "replace('a', '')",
];

function expression(random: Chances, depth: number): string {
  if (depth <= 0 || random() < 0.3) return oneOf(random, atoms);
  const inner = (): string => expression(random, depth - 1);
  switch (below(random, 8)) {
    case 0:
      return `${inner()} ${oneOf(random, binary)} ${inner()}`;
    case 1:
      return `${inner()} | ${oneOf(random, filters)}`;
    case 2:
      return `(${inner()}).${oneOf(random, methods)}`;
    case 3:
      return `${inner()}[${inner()}:${inner()}]`;
    case 4:
      return `${inner()}(${inner()}, x=${inner()})`;
    case 5:
      return `not (${inner()})`;
    case 6:
      return `(${inner()} if ${inner()} else ${inner()})`;
    default:
      return `${inner()}[${inner()}]`;
  }
}

function block(random: Chances, depth: number): string {
  const body = (): string => Array.from({ length: below(random, 3) + 1 }, () => block(random, depth - 1)).join('');
  if (depth <= 0)
    return random() < 0.5
      ? `{{ ${expression(random, 2)} }}`
      : oneOf(random, ['text', '\n', '{{ messages[0].content }}', '{# note #}', '{% raw %}{{{% endraw %}']);
  switch (below(random, 7)) {
    case 0:
      return `{% for ${oneOf(random, ['m', 'k, v', 'x'])} in ${expression(random, 2)} %}${body()}{% else %}${body()}{% endfor %}`;
    case 1:
      return `{% if ${expression(random, 2)} %}${body()}{% elif ${expression(random, 1)} %}${body()}{% endif %}`;
    case 2:
      return `{% set ${oneOf(random, ['x', 'm', 'x.y', 'a, b', 'messages'])} = ${expression(random, 2)} %}${body()}`;
    case 3:
      return `{% macro f(a, b=1) %}${body()}{% endmacro %}{{ f(${expression(random, 1)}) }}`;
    case 4:
      return `{% filter ${oneOf(random, filters)} %}${body()}{% endfilter %}`;
    case 5:
      return `{%- call(x) f(${expression(random, 1)}) -%}${body()}{%- endcall -%}`;
    default:
      return `{{- ${expression(random, depth)} -}}`;
  }
}

/** Chat templates: models' own with characters changed, and others made of the language's parts. */
export function templateTarget(): FuzzTarget {
  const specialTokens = { bos_token: '<s>', eos_token: '</s>' };
  return {
    allowed: new Set(['', 'chatTemplateFailed']),
    run(random) {
      const text =
        random() < 0.4
          ? mutateText(random, oneOf(random, templates), [
              '{',
              '}',
              '%',
              '{{',
              '}}',
              '{%',
              '%}',
              '-',
              "'",
              '(',
              ')',
              '[',
              ']',
              '|',
              ' ',
              '\\',
              '\u0000',
              '\ud800',
              '{#',
              'endfor',
              '~',
              '1',
              ':',
            ])
          : Array.from({ length: 1 + below(random, 3) }, () => block(random, 3)).join('') +
            (random() < 0.6 ? '{{ messages[0].content }}' : '');
      return codeOfAny(() => {
        renderChat(
          { fileName: 'chat_template.jinja', text, specialTokens },
          oneOf(random, ['hello', ' a ', '', '{{ x }}', '🦙\n']),
        );
      });
    },
  };
}
