import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkNumbersOut } from '../../../src/cli/weightsFile';
import { errorOf } from '../../harness/codeOf';

const out = (name: string, precision?: string, threshold?: string): Parameters<typeof checkNumbersOut>[0] => ({
  path: join(tmpdir(), name),
  precision,
  threshold,
});

describe('where the command line writes numbers', () => {
  it('is told by the ending, with what is usual where nothing is said', async () => {
    expect(await checkNumbersOut(out('a.NPZ'))).to.deep.include({ format: 'npz', precision: 'float32' });
    expect(await checkNumbersOut(out('a.safetensors', 'float16'))).to.deep.include({ precision: 'float16' });
    expect(await checkNumbersOut(out('a.csv'))).to.deep.include({ format: 'csv', threshold: 0.01 });
    expect(await checkNumbersOut(out('a.csv', undefined, '0'))).to.deep.include({ threshold: 0 });
  });

  for (const [name, precision, threshold, option] of [
    ['a.txt', undefined, undefined, '--out'],
    ['npz', undefined, undefined, '--out'],
    ['a.npz', 'float64', undefined, '--dtype'],
    ['a.json', 'float16', undefined, '--dtype'],
    ['a.csv', undefined, '-1', '--threshold'],
    ['a.csv', undefined, 'few', '--threshold'],
    ['a.csv', undefined, ' ', '--threshold'],
    ['a.npz', undefined, '0.1', '--threshold'],
  ] as const)
    it(`is refused for ${name} with ${precision ?? '–'} and ${threshold ?? '–'}`, async () => {
      const { code, args } = await errorOf(checkNumbersOut(out(name, precision, threshold)));
      expect([code, args[0]]).to.deep.equal(['wrongUsage', option]);
    });
});
