import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';

interface TableScript {
  withTable(readme: string): Promise<string>;
}

describe('The table of metrics in README.md', () => {
  it('is that of the registry: node scripts/metrics.mjs writes it', async () => {
    const { withTable } = (await import(resolve('scripts/metrics.mjs'))) as TableScript;
    const readme = readFileSync('README.md', 'utf8');
    expect(await withTable(readme)).to.equal(readme);
    expect(
      await withTable(readme.replace('| itself (`self`)', '| x')),
      'what is changed by hand is put right',
    ).to.equal(readme);
  });
});
