import { expect } from 'chai';
import * as vscode from 'vscode';
import { extension, testApi } from './support';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly default: unknown }>> };
  };
}

describe('Activation', () => {
  const manifest = (): Manifest => extension().packageJSON as Manifest; // our own manifest

  it('starts no engine and opens no panel', async () => {
    const api = await testApi();
    const { engine, enginePid, panel, run, status, hasSpare } = api.snapshot();
    expect({ engine, enginePid, panel, run, status, hasSpare }).to.deep.equal({
      engine: { kind: 'notStarted' },
      enginePid: undefined,
      panel: undefined,
      run: undefined,
      status: { kind: 'empty' },
      hasSpare: false,
    });
    console.log(`Activated in ${api.activationMilliseconds.toFixed(1)} ms`);
  });

  it('registers every command that the manifest contributes', async () => {
    await testApi();
    const contributed = manifest().contributes.commands.map(({ command }) => command);
    expect(contributed).to.not.have.length(0);
    expect(await vscode.commands.getCommands(true)).to.include.members(contributed);
  });

  it('has the settings with the defaults of the manifest', () => {
    const configuration = vscode.workspace.getConfiguration();
    const properties = Object.entries(manifest().contributes.configuration.properties);
    expect(properties).to.have.length(13);
    for (const [key, property] of properties)
      expect(configuration.inspect(key)?.defaultValue, key).to.equal(property.default);
  });
});
