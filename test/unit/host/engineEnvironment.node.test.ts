import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { engineEnvironment } from '../../../src/host/engine/engineEnvironment';

describe('the engine’s environment', () => {
  it('asks for large pages, and leaves the last word to a person’s own', () => {
    expect(engineEnvironment({})).to.deep.equal({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' });
    expect(engineEnvironment({ GLIBC_TUNABLES: '' })).to.deep.equal({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' });
    expect(engineEnvironment({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' })).to.deep.equal({
      GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1:glibc.malloc.hugetlb=0',
    });
  });

  it('gives a process large pages where the system has them for who asks', function () {
    const setting = '/sys/kernel/mm/transparent_hugepage/enabled';
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }; // as Node documents it
    const [major = 0, minor = 0] = (header.glibcVersionRuntime ?? '').split('.').map(Number);
    let enabled = '';
    try {
      enabled = readFileSync(setting, 'utf8');
    } catch {
      // No Linux, or one without such pages.
    }
    if (major < 2 || minor < 35 || !enabled.includes('[madvise]')) this.skip();
    // A large array that is written is memory of malloc; the process says how much of its memory lies in large pages.
    const script =
      "const array = new Uint8Array(2 ** 28).fill(1); const kilobytes = Number(/AnonHugePages:\\s+(\\d+)/.exec(require('fs').readFileSync('/proc/self/smaps_rollup', 'utf8'))[1]); console.log(array.length > 0 && kilobytes)";
    const hugeKilobytes = (environment: Readonly<Record<string, string>>): number =>
      Number(
        execFileSync(process.execPath, ['-e', script], {
          encoding: 'utf8',
          env: { ...process.env, GLIBC_TUNABLES: '', ...environment },
        }),
      );
    expect(hugeKilobytes({})).to.be.lessThan(50_000);
    expect(hugeKilobytes(engineEnvironment({}))).to.be.greaterThan(50_000);
    expect(hugeKilobytes(engineEnvironment({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' }))).to.be.lessThan(50_000);
  });
});
