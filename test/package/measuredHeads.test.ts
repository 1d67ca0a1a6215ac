import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.cwd();
const file = join(root, 'media/sample/fibonacci.py');
const part = `${file}:6-22`;

/** What the command line prints as JSON. */
function run(...args: readonly string[]): unknown {
  const printed = execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(printed);
}

interface Written {
  readonly streams: readonly { readonly tokens: readonly Token[] }[];
  readonly heads: readonly { readonly head: string; readonly weights: readonly number[][] }[];
}

interface Token {
  readonly start: number;
  readonly end: number;
}

interface Measured {
  readonly components: readonly {
    readonly heads: readonly (Readonly<Record<string, number | null>> & { readonly head: string })[];
  }[];
}

interface Related {
  readonly language: string;
  readonly relations: readonly {
    readonly id: string;
    readonly numPairs: number;
    readonly heads: readonly (Readonly<Record<string, number | null>> & {
      readonly head: string;
      readonly norm?: Readonly<Record<string, number | null>>;
    })[];
  }[];
}

// The numbers of each are tested where they are made: here, that what is printed is of this text's own weights.
describe('What heads do, by the command line', function () {
  this.timeout(120_000);
  let folder: string;
  let written: Written;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-heads-'));
    const out = join(folder, 'weights.json');
    execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), 'explain', part, '--out', out]);
    written = JSON.parse(readFileSync(out, 'utf8')) as Written; // our own output
  });
  after(() => rmSync(folder, { recursive: true }));

  const weightsOf = (name: string): readonly number[][] => {
    const found = written.heads.find(({ head }) => head === name);
    if (found === undefined) throw new Error(`no head ${name}`);
    return found.weights;
  };
  const meanOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

  it('are its metrics, sorted by one', () => {
    const [{ heads }] = (run('heads', part, '--sort', 'previousToken', '--json') as Measured).components;
    expect(heads).to.have.length(32);
    const sorted = heads.map(({ previousToken }) => previousToken ?? NaN);
    expect(sorted).to.deep.equal([...sorted].sort((a, b) => b - a));
    for (const { head, previousToken, self } of heads) {
      const weights = weightsOf(head);
      expect(previousToken).to.be.closeTo(meanOf(weights.slice(1).map((row, i) => row[i])), 1e-5);
      expect(self).to.be.closeTo(meanOf(weights.map((row, i) => row[i])), 1e-5);
    }
  });

  it('are what they read from one part of the file to another', () => {
    const [{ heads }] = (
      run('heads', part, '--queries', '10:12-10:25', '--keys', '6:5-6:18', '--sort', 'readsRatio', '--json') as Measured
    ).components;
    const [{ tokens }] = written.streams;
    const lines = readFileSync(file, 'utf8').split('\n').slice(5);
    const startOf = (line: number): number => lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
    const within = (start: number, end: number): number[] =>
      tokens.flatMap((token, i) => (token.end > start && token.start < end ? [i] : []));
    const queries = within(startOf(4) + 11, startOf(4) + 25);
    const keys = within(4, 18);
    for (const { head, reads } of heads)
      expect(reads).to.be.closeTo(
        meanOf(queries.flatMap((query) => keys.map((key) => weightsOf(head)[query][key]))),
        1e-5,
      );
  });

  it('are what they read along the relations of a program, by weight and by norm', () => {
    const { language, relations } = run('relations', part, '--json') as Related;
    expect(language).to.equal('python');
    expect(relations.map(({ id }) => id)).to.deep.equal([
      'matchingBracket',
      'previousOccurrence',
      'definition',
      'blockHeader',
      'sameStatement',
      'sameLine',
      'indentationAbove',
    ]);
    const [brackets] = relations;
    expect(brackets.numPairs).to.be.at.least(10);
    expect(brackets.heads).to.have.length(32);
    for (const { share, baseline, ratio, low, high, norm } of brackets.heads) {
      expect(share).to.be.within(0, 1);
      expect(ratio).to.be.closeTo((share ?? NaN) / (baseline ?? NaN), 1e-4 * (ratio ?? NaN));
      expect(ratio).to.be.within(low ?? NaN, high ?? NaN);
      expect(norm?.['ratio']).to.be.a('number');
    }
    // The bundled decoder has heads of brackets.
    expect(Math.max(...brackets.heads.map(({ low }) => low ?? 0))).to.be.greaterThan(1);
  });
});
