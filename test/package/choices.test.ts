import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { backendChoices } from '../../src/model/modelInfo';
import { colourMaps, scales } from '../../src/model/viewState';

interface Manifest {
  readonly contributes: {
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>> };
  };
}

describe('What a setting can be', () => {
  const { contributes } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest; // our own manifest

  for (const [name, choices] of Object.entries({ backend: backendChoices, colourMap: colourMaps, scale: scales }))
    it(`is for "${name}" in the manifest what it is in the code, in its order`, () => {
      expect(contributes.configuration.properties[`attentionExplorer.${name}`].enum).to.deep.equal([...choices]);
    });
});
