// What is checked in as WebAssembly is what the compiler makes of its source.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { assemble, assembled } from '../../scripts/assemble.mjs';

describe('Kernels in WebAssembly', () => {
  for (const [name, file] of Object.entries(assembled) as [keyof typeof assembled, string][])
    it(`are what their source gives, and small: ${name}`, async () => {
      const binary = await assemble(name);
      expect(Buffer.from(binary).equals(readFileSync(file)), 'node scripts/assemble.mjs makes it anew').to.equal(true);
      expect(binary.length).to.be.lessThan(4000);
    });
});
