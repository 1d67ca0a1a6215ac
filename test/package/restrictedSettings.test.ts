import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { restrictedSettings } from '../../src/host/settings';

interface Manifest {
  readonly extensionKind: readonly string[];
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] } };
  readonly contributes: {
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly scope?: string }>> };
  };
}

const { capabilities, contributes, extensionKind } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest; // our own manifest

describe('Settings that a workspace may not make before it is trusted', () => {
  it('are those that name the model or cost something, in the manifest as in the code; the others are looks, and whether a selection has its context', () => {
    const restricted = restrictedSettings.map((key) => `attentionExplorer.${key}`);
    expect(capabilities.untrustedWorkspaces.restrictedConfigurations).to.deep.equal(restricted);
    expect(Object.keys(contributes.configuration.properties).filter((key) => !restricted.includes(key))).to.deep.equal(
      ['highlightOnHover', 'colourMap', 'scale', 'selection'].map((key) => `attentionExplorer.${key}`),
    );
  });
});

describe('A remote machine', () => {
  it('has the extension where the files are, and settings of its own for the model, what it runs on and what is downloaded', () => {
    expect(extensionKind[0]).to.equal('workspace');
    const ofScope = (scope: string): readonly string[] =>
      Object.entries(contributes.configuration.properties).flatMap(([key, property]) =>
        property.scope === scope ? [key.replace('attentionExplorer.', '')] : [],
      );
    expect(ofScope('machine-overridable')).to.deep.equal(['modelPath', 'backend', 'threads']);
    expect(ofScope('machine')).to.deep.equal(['hubFolder', 'hubAddress']);
  });
});
