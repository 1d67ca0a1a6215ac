import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { restrictedSettings } from '../../src/host/settings';

interface Manifest {
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] } };
  readonly contributes: { readonly configuration: { readonly properties: Readonly<Record<string, unknown>> } };
}

describe('Settings that a workspace may not make before it is trusted', () => {
  const { capabilities, contributes } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest; // our own manifest

  it('are those that name the model or cost something, in the manifest as in the code; the others are looks, and whether a selection has its context', () => {
    const restricted = restrictedSettings.map((key) => `attentionExplorer.${key}`);
    expect(capabilities.untrustedWorkspaces.restrictedConfigurations).to.deep.equal(restricted);
    expect(Object.keys(contributes.configuration.properties).filter((key) => !restricted.includes(key))).to.deep.equal(
      ['highlightOnHover', 'colourMap', 'scale', 'selection'].map((key) => `attentionExplorer.${key}`),
    );
  });
});
