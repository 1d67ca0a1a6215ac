import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { grammarOf, type Grammar } from '../../../../src/engine/syntax/grammars';
import { CodeParser } from '../../../../src/engine/syntax/parseCode';
import { relationPairs, type KnownDefinition } from '../../../../src/model/relations/relationPairs';
import type { RelationId } from '../../../../src/model/relations/relation';
import { SyntaxFacts } from '../../../../src/model/relations/syntaxTree';
import type { Token, TokenStream } from '../../../../src/model/token';
import { codeOf } from '../../../harness/codeOf';

const parser = new CodeParser({
  module: () => import('web-tree-sitter'),
  read: (name) =>
    readFile(
      name === 'web-tree-sitter.wasm'
        ? 'node_modules/web-tree-sitter/web-tree-sitter.wasm'
        : `node_modules/@vscode/tree-sitter-wasm/wasm/${name}`,
    ),
});

/** A text cut into words, marks and line breaks with the blanks after them; each token has the blank before it. */
function streamOf(text: string): TokenStream {
  const tokens: Token[] = [];
  for (const { 0: piece, index } of text.matchAll(/\n[ \t]*| ?\w+| ?[^\w\s]/g))
    tokens.push({ id: 0, piece, start: index, end: index + piece.length, isSpecial: false });
  return { role: 'source', text, tokens };
}

/** The pairs of a relation as `query→key key`, tokens by what they say and their position. */
async function pairsOf(
  text: string,
  grammar: Grammar,
  relation: RelationId,
  { isCausal = true, known = [] }: { isCausal?: boolean; known?: readonly KnownDefinition[] } = {},
): Promise<string[]> {
  const stream = streamOf(text);
  const tree = await parser.parse(text, grammar);
  const { queries, ends, keys } = relationPairs(stream, new SyntaxFacts(tree, text), isCausal, known)[relation];
  const name = (position: number): string =>
    `${stream.text.slice(stream.tokens[position].start, stream.tokens[position].end).trim()}${position}`;
  return [...queries].map(
    (query, at) => `${name(query)}→${[...keys.slice(at === 0 ? 0 : ends[at - 1], ends[at])].map(name).join(' ')}`,
  );
}

const python = 'def add(a, b):\n    c = a + b\n    return c\nadd(1, [2])\n';

describe('relations between the tokens of a program', () => {
  it('join brackets: the closing one with its opening one, and both ways where a model reads both ways', async () => {
    expect(await pairsOf(python, 'python', 'matchingBracket')).to.deep.equal([')6→(2', ']24→[22', ')25→(19']);
    expect(await pairsOf('f(x)', 'python', 'matchingBracket', { isCausal: false })).to.deep.equal(['(1→)3', ')3→(1']);
  });

  it('join names with where they stood last, and with their definition by the scopes of the grammar', async () => {
    expect(await pairsOf(python, 'python', 'previousOccurrence')).to.deep.equal([
      'a11→a3',
      'b13→b5',
      'c16→c9',
      'add18→add1',
    ]);
    expect(await pairsOf(python, 'python', 'definition')).to.deep.equal(['a11→a3', 'b13→b5', 'c16→c9', 'add18→add1']);
    // Of the same name in two functions each has its own; the attribute of something is no variable.
    const twice = 'x = 1\ndef f(x):\n    return x\ndef g(y):\n    return x.x\n';
    expect(await pairsOf(twice, 'python', 'definition')).to.deep.equal(['x12→x7', 'x22→x0']);
  });

  it('are beside its symbols of more than a line, by the grammar: functions, classes and what is in them', async () => {
    const symbolsOf = async (text: string, grammar: Grammar): Promise<readonly (readonly [string, string])[]> =>
      new SyntaxFacts(await parser.parse(text, grammar), text)
        .symbols()
        .map(({ start, end, name }) => [name, text.slice(start, end).replaceAll(/\s+/g, ' ')] as const);
    expect(await symbolsOf('class A:\n    def f(self):\n        return 1\n\nx = 2\n', 'python')).to.deep.equal([
      ['A', 'class A: def f(self): return 1'],
      ['f', 'def f(self): return 1'],
    ]);
    expect(
      await symbolsOf('export class B {\n  g(): void {\n  }\n}\nfunction h() {\n}\nfunction one() {}\n', 'typescript'),
    ).to.deep.equal([
      ['B', 'class B { g(): void { } }'],
      ['g', 'g(): void { }'],
      ['h', 'function h() { }'],
    ]);
    expect(await symbolsOf('int add(int a) {\n  return a;\n}\n', 'cpp')).to.deep.equal([
      ['add', 'int add(int a) { return a; }'],
    ]);
  });

  it('take the definitions that a language server knows before those of the grammar', async () => {
    const at = python.lastIndexOf('add');
    const known: KnownDefinition = { at, definition: [python.indexOf('a, b'), python.indexOf('a, b') + 1] };
    expect(await pairsOf(python, 'python', 'definition', { known: [known] })).to.include('add18→a3');
  });

  it('join what is in a block with its header', async () => {
    const found = await pairsOf(python, 'python', 'blockHeader');
    expect(found[0]).to.equal('c9→def0 add1 (2 a3 ,4 b5 )6 :7');
    expect(found.at(-1)).to.equal('c16→def0 add1 (2 a3 ,4 b5 )6 :7');
    const inner = await pairsOf('function f(a) {\n  if (a) {\n    g(a);\n  }\n}\n', 'javascript', 'blockHeader');
    expect(inner.find((pair) => pair.startsWith('g'))).to.match(/^g\d+→if\d+ \(\d+ a\d+ \)\d+$/);
  });

  it('join the tokens of the innermost statement, and of the line', async () => {
    expect(await pairsOf(python, 'python', 'sameStatement')).to.include('b13→c9 =10 a11 +12');
    expect(await pairsOf('a = (1,\n  2)\nb = 3\n', 'python', 'sameStatement')).to.include('26→a0 =1 (2 13 ,4');
    expect(await pairsOf('a = (1,\n  2)\nb = 3\n', 'python', 'sameLine')).to.include(')7→26');
  });

  it('join the blanks that lines begin with; a line without any is between them', async () => {
    expect(await pairsOf('if a:\n  b\n\n  c\nd\n  e\n', 'python', 'indentationAbove')).to.have.length(1);
  });

  it('are found in every language that ships, also in a program with errors', async () => {
    const programs: Readonly<Record<string, string>> = {
      typescript: 'function f(a: number) { const b = a; return b; }',
      tsx: 'const f = (a: number) => { const b = a; return <p>{b}</p>; };',
      javascript: 'function f(a) { const b = a; return b; }',
      java: 'class A { int f(int a) { int b = a; return b; } }',
      cpp: 'int f(int a) { int b = a; return b; }',
      csharp: 'class A { int F(int a) { int b = a; return b; } }',
      go: 'package p\nfunc f(a int) int { b := a; return b }',
      rust: 'fn f(a: i32) -> i32 { let b = a; return b; }',
      ruby: 'def f(a)\n  b = a\n  return b\nend',
      php: '<?php function f($a) { $b = $a; return $b; }',
      python: 'def f(a):\n  b = a\n  return b',
    };
    for (const [language, text] of Object.entries(programs)) {
      const grammar = grammarOf(language);
      if (grammar === undefined) throw new Error(language);
      const found = await pairsOf(text, grammar, 'definition');
      expect(found.length, `${language}: ${found.join('; ')}`).to.be.greaterThanOrEqual(2);
      expect(await pairsOf(text, grammar, 'matchingBracket'), language).not.to.deep.equal([]);
      expect(await pairsOf(text, grammar, 'blockHeader'), language).not.to.deep.equal([]);
      await pairsOf(`${text} ) ]] }`, grammar, 'sameStatement');
    }
    expect(grammarOf('cobol')).to.equal(undefined);
    expect(grammarOf('__proto__')).to.equal(undefined);
  });

  it('are bounded: a program that is too long is refused, one that is nested deeply is not followed by recursion', async () => {
    expect(await codeOf(parser.parse('a'.repeat(1_000_001), 'python'))).to.equal('codeNotParsed');
    const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`;
    const outcome = await parser.parse(deep, 'javascript').then(
      (tree) => new SyntaxFacts(tree, deep).brackets().length,
      (error: unknown) => String(error),
    );
    expect(outcome).not.to.equal(undefined);
    const line = 'x '.repeat(3000);
    const stream = streamOf(line);
    const { keys } = relationPairs(stream, new SyntaxFacts(await parser.parse(line, 'python'), line), true).sameLine;
    expect(keys.length).to.be.lessThan(3000 * 257);
  });
});
