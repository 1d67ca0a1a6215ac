import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { IgnoredFiles } from '../../../src/host/profiles/ignoredFiles';

describe('files that .gitignore leaves out', () => {
  const rules = {
    '.gitignore': '# build\nout/\n*.log\n!keep.log\n/only.ts\ndocs/**/draft.*\n\\#odd.ts\nlib\n!lib/kept.ts\n',
    'a/.gitignore': '!debug.log\n*.py\n!b/good.py\n',
    'a/b/.gitignore': 'good.py\nx?.ts\n',
  };
  const paths = [
    ...['x.ts', 'only.ts', 'a/only.ts', 'out/x.ts', 'a/out/x.ts', 'outer/x.ts', 'b.log', 'keep.log', 'a/debug.log'],
    ...['a/c.log', 'a/x.py', 'a/b/good.py', 'a/b/other.py', 'a/b/x1.ts', 'a/b/x12.ts', 'docs/draft.md'],
    ...['docs/c/d/draft.ts', 'docs/c/draft', '#odd.ts', 'lib/kept.ts', 'a/lib/x.ts', 'OUT/x.ts', 'a/Good.PY'],
  ];

  it('are those that git itself leaves out', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-ignore-'));
    try {
      const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
      git('init', '-q');
      for (const [name, text] of [...Object.entries(rules), ...paths.map((path) => [path, 'x'] as const)]) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      for (const isCaseIgnored of ['false', 'true']) {
        git('config', 'core.ignorecase', isCaseIgnored);
        const left = new Set(git('ls-files', '--others', '--exclude-standard').split('\n'));
        const ignored = new IgnoredFiles(
          Object.entries(rules).map(([name, text]) => ({ folder: dirname(name) === '.' ? '' : dirname(name), text })),
          readFileSync(join(folder, '.git', 'config'), 'utf8'),
        );
        for (const path of paths) expect(ignored.has(path), path).to.equal(!left.has(path));
        expect(ignored.has('OUT/x.ts')).to.equal(isCaseIgnored === 'true');
        expect(ignored.has('.git/config')).to.equal(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('take no time that is worth the name, whatever the patterns are', () => {
    const started = performance.now();
    const ignored = new IgnoredFiles([
      { folder: '', text: `${'*a'.repeat(40)}b\n${'**/'.repeat(60)}c\nnode_modules\n` },
    ]);
    expect(ignored.has(`${'a'.repeat(200)}/x.ts`)).to.equal(false);
    expect(ignored.has('node_modules/x.ts')).to.equal(true);
    expect(performance.now() - started).to.be.lessThan(2000);
  });
});
