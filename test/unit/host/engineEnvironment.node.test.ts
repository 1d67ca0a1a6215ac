import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { engineEnvironment } from '../../../src/host/engine/engineEnvironment';

describe('the engine’s environment', () => {
  const ours = 'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=134217728:glibc.malloc.trim_threshold=134217728';

  it('asks for large pages and for memory that is kept, and leaves the last word to a person’s own', () => {
    expect(engineEnvironment({})).to.deep.equal({ GLIBC_TUNABLES: ours });
    expect(engineEnvironment({ GLIBC_TUNABLES: '' })).to.deep.equal({ GLIBC_TUNABLES: ours });
    expect(engineEnvironment({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' })).to.deep.equal({
      GLIBC_TUNABLES: `${ours}:glibc.malloc.hugetlb=0`,
    });
  });

  it('lets a process take memory again that it has given back', function () {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }; // as Node documents it
    if (header.glibcVersionRuntime === undefined) this.skip();
    // As long as the scores of a layer for 1024 tokens, one after the other; the process counts the pages that it is given.
    const script =
      'const next = () => { const bytes = Buffer.allocUnsafeSlow(50e6); for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1; };' +
      'const six = () => { for (let i = 0; i < 6; i++) { next(); gc(); } return process.resourceUsage().minorPageFault; };' +
      'const before = six(); console.log(six() - before)';
    const numPages = (environment: Readonly<Record<string, string>>): number =>
      Number(
        execFileSync(process.execPath, ['--expose-gc', '-e', script], {
          encoding: 'utf8',
          env: { ...process.env, GLIBC_TUNABLES: '', ...environment },
        }),
      );
    expect(numPages({})).to.be.greaterThan(20_000);
    expect(numPages(engineEnvironment({}))).to.be.lessThan(1_000);
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
