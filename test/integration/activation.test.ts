import { expect } from 'chai';
import * as vscode from 'vscode';

const id = 'attention-explorer.attention-explorer';

describe('Activation', () => {
  it('finds the extension in the host', () => {
    expect(vscode.extensions.getExtension(id)).to.not.equal(undefined);
  });

  it('registers every command that the manifest contributes', async () => {
    const extension = vscode.extensions.getExtension(id);
    await extension?.activate();
    const contributed = (extension?.packageJSON as { contributes: { commands: { command: string }[] } } /* our own manifest */).contributes.commands.map(({ command }) => command);
    expect(contributed).to.not.have.length(0);
    const registered = await vscode.commands.getCommands(true);
    expect(registered).to.include.members(contributed);
  });
});
