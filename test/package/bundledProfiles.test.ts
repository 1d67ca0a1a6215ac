// The profiles that ship with bundled models are what these models give over the sample texts.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bundledProfiles, makeProfiles } from '../../scripts/profiles.mjs';
import { readProfile } from '../../src/engine/profile/readProfile';
import { headNames } from '../../src/model/profile/headNames';
import { profileFileNames, type HeadProfile } from '../../src/model/profile/headProfile';

const read = (folder: string, name: string): HeadProfile =>
  readProfile(
    profileFileNames.map((file) => ({ name: file, bytes: readFileSync(join(folder, name, file)) })),
    name,
  );

describe('The bundled profiles', function () {
  this.timeout(120_000);

  it('are those that the shipped models give, to 1e-5, and weigh less than 250 kB', () => {
    const made = mkdtempSync(join(tmpdir(), 'ae-bundled-'));
    try {
      makeProfiles(made);
      let size = 0;
      for (const name of Object.keys(bundledProfiles)) {
        const [shipped, own] = [read('media/profiles', name), read(made, name)];
        expect(own.about).to.deep.equal(shipped.about);
        expect(own.texts).to.deep.equal(shipped.texts);
        expect(own.metrics).to.have.length(shipped.metrics.length);
        own.metrics.forEach(({ mean, ...head }, at) => {
          const { mean: wanted, ...known } = shipped.metrics[at];
          expect([head.layer, head.head, head.metric, head.count]).to.deep.equal([
            known.layer,
            known.head,
            known.metric,
            known.count,
          ]);
          // Where the most read token is, is a matter of rounding where two are alike.
          if (head.metric !== 'sinkKey')
            expect(mean, `${name} ${head.layer}.${head.head} ${head.metric}`).to.be.closeTo(
              wanted,
              1e-5 * Math.max(1, Math.abs(wanted)),
            );
        });
        for (const file of profileFileNames) size += statSync(join('media/profiles', name, file)).size;
      }
      expect(size).to.be.lessThan(250_000);
      expect(readdirSync('media/profiles').sort()).to.deep.equal(Object.keys(bundledProfiles).sort());
    } finally {
      rmSync(made, { recursive: true });
    }
  });

  it('name the heads of the decoder that its card has measured', () => {
    const { metrics, relations } = read('media/profiles', 'code-decoder');
    const names = headNames(metrics, relations);
    const of = (layer: number, head: number): string[] =>
      names.filter((name) => name.layer === layer && name.head === head).map(({ name }) => name);
    expect(of(0, 1)).to.include('previous token');
    expect(of(1, 4)).to.include('induction (repeated tokens)');
    for (const { value, ratio, leastValue, leastRatio } of names) {
      expect(value).to.be.at.least(leastValue);
      expect(ratio).to.be.at.least(leastRatio);
    }
  });
});
