import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { indexResults, resultsPath } from '../../../src/cli/profile/results';

describe('Results of a profile', () => {
  it('are known by where they stand, without being held', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-results-'));
    try {
      const settings = {
        format: 1,
        model: 'm',
        modelHash: '',
        backend: 'wasm',
        length: 8,
        overlapLines: 0,
        texts: false,
      };
      const keys = Array.from({ length: 300 }, (_, i) => String(i).padStart(64, 'a'));
      const lines = keys.map((key) => `{"key":"${key}",${' '.repeat(200_000)}}`);
      writeFileSync(resultsPath(folder), `${[JSON.stringify(settings), ...lines].join('\n')}\n`);
      lines.length = 0;
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      collect();
      const before = process.memoryUsage();
      const { records } = await indexResults([folder]);
      collect();
      const after = process.memoryUsage();
      expect([...records.keys()]).to.deep.equal(keys);
      expect(records.get(keys[1])?.[0].length).to.equal(200_000 + 75);
      // 60 MB stand in the file.
      expect(after.heapUsed + after.external - before.heapUsed - before.external).to.be.below(10e6);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
