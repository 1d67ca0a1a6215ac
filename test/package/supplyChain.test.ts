import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { dependencyProblems, type DependencyFacts } from '../../scripts/lib/dependencyProblems.mjs';
import { readZipEntry } from '../harness/zip';

interface Bill {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses?: readonly object[];
  }[];
}

const root = process.cwd();

describe('The bill of materials', () => {
  let text: string;
  let bill: Bill;

  before(() => {
    text = readZipEntry(
      readFileSync(process.env['AE_VSIX'] ?? join(root, 'attention-explorer.vsix')),
      'extension/sbom.cdx.json',
    );
    bill = JSON.parse(text) as Bill; // its members are looked at below
  });

  it('is CycloneDX and ships', () => {
    expect(bill).to.include({ bomFormat: 'CycloneDX', specVersion: '1.5' });
  });

  it('names every package of which something is bundled, and every runtime dependency, in the version that is installed', () => {
    const bundled = JSON.parse(readFileSync(join(root, 'dist/packages.json'), 'utf8')) as string[];
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(bundled.length).to.be.greaterThan(20);
    for (const name of new Set([...bundled, ...Object.keys(dependencies)])) {
      const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect(
        bill.components.filter((component) => component.name === name).map((component) => component.version),
        name,
      ).to.include(version);
    }
  });

  it('gives each its digest and its licence', () => {
    for (const { name, hashes, licenses } of bill.components) {
      expect(hashes?.[0]?.alg, name).to.equal('SHA-512');
      expect(licenses, name).to.not.equal(undefined);
    }
  });

  it('says nothing of the machine or the moment that made it', () => {
    expect(text).to.not.include(root);
    expect(text).to.not.match(/"timestamp"|"serialNumber"/);
  });
});

describe('The check of dependencies', () => {
  const sound = {
    manifest: { dependencies: { a: '1.0.0' }, devDependencies: { b: '2.0.0-beta.1' } },
    lock: {
      packages: {
        '': {},
        'node_modules/a': { version: '1.0.0', integrity: 'sha512-AA==' },
        'node_modules/b': { version: '2.0.0-beta.1', integrity: 'sha512-AA==', dev: true, deprecated: 'old' },
      },
    },
    guide: '| Package | Why |\n|---|---|\n| `a` | it is needed |\n',
  };

  it('finds nothing in what is sound', () => {
    expect(dependencyProblems(sound)).to.deep.equal([]);
  });

  it('finds what is not pinned, not explained, without a digest, locked to an address, or deprecated', () => {
    const problems = (change: Partial<DependencyFacts>): string[] => dependencyProblems({ ...sound, ...change });
    expect(problems({ manifest: { dependencies: { a: '^1.0.0' }, devDependencies: {} } })[0]).to.include('not pinned');
    const renamed = (version: string): string[] =>
      problems({ manifest: { dependencies: sound.manifest.dependencies, devDependencies: { b: version } } });
    expect(renamed('npm:c@1.0.0')).to.deep.equal([]);
    expect(renamed('npm:c@^1.0.0')[0]).to.include('not pinned');
    expect(problems({ guide: 'nothing about `a`' })[0]).to.include('no line in CONTRIBUTING.md');
    const locked = (entry: object): string =>
      problems({
        lock: { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-AA==', ...entry } } },
      })[0];
    expect(locked({ integrity: undefined })).to.include('no SHA-512 digest');
    expect(locked({ resolved: 'https://registry.invalid/a.tgz' })).to.include('locked to an address');
    expect(locked({ deprecated: 'use c' })).to.include('a 1.0.0 is deprecated: use c');
  });
});
