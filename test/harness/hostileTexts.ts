/** Texts that a model's files may bring, each of which something would read as more than text. */
export const hostileTexts: Readonly<Record<string, string>> = {
  link: '[Update now](command:workbench.action.quickOpen?%22x%22)',
  titledLink: '[x](https://a.invalid/x "title")',
  brokenLink: '[x]\n(command:y)',
  picture: '![](https://a.invalid/x.png)',
  reference: '![x][r]\n\n[r]: https://a.invalid/r.png',
  html: '<img src="https://a.invalid/y.png" onerror=alert(1)><script>x</script><a href="command:y">z</a>',
  entity: '&lt;img src=x&gt; &#33;&#91;&#93;&#40;https://a.invalid&#41;',
  autolink: '<https://a.invalid/z> https://a.invalid/z www.a.invalid a@a.invalid //a.invalid mailto:a@a.invalid',
  table: 'a | b \\| c \\\\| d\n|---|---|\n| ![](https://a.invalid/t) | `x` |',
  code: '`` ` ``` ![](https://a.invalid/c) `',
  fence: '```\n~~~\n````\n# heading\n![](https://a.invalid/f)\n```mermaid\ngraph\n```',
  blocks: '# heading\n> quote\n- list\n1. first\n    code\n---\n===\n***',
  math: '$x$ $$\\href{https://a.invalid}{y}$$ ~~x~~ ==y== :smile: [^1]',
  icon: '$(trash) $(sync~spin) \\$(x)',
  argument: '{0} {1}',
  escapes: '\u001b]0;title\u0007\u001b[2J\u001b[31mred\u001b[0m \u009b31m \u0007\b\u007f',
  direction: '\u202egpj.exe\u202c \u2066x\u2069 \u200fy \u061cz',
  hidden: 'a\u200bb\ufeffc\u00add\u2060e\u180ef\u{e0061}\u{e0062}\ufff9g\u3164',
  halves: '\ud800 x \udc00',
  lines: 'one\r\ntwo\rthree\nfour\u2028five\u2029six\u0085seven\vEight\f',
  manyLines: 'line\n'.repeat(5000),
  long: 'x'.repeat(100_000),
  longLinks: '[x](command:y)'.repeat(10_000),
  marks: `a${'\u0301'.repeat(5000)}`,
  nul: '\0'.repeat(1000),
};

/** Whether a text holds what cannot be seen, or more than one line. */
export const unseenCharacters =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
