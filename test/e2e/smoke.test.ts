import { expect } from 'chai';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

describe(`A real VS Code, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  keepEvidenceOfFailures(() => vscode);

  before(async () => {
    vscode = await VSCode.launch({ name: 'smoke' });
  });
  after(() => vscode?.close());

  it('opens a file of the workspace and selects lines', async () => {
    await vscode.openFile('fibonacci.py');
    await vscode.selectLines(6, 10);
  });

  it('offers the command and opens the panel', async () => {
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await vscode.waitForTab('Attention Explorer');
    await vscode.waitForStatusBar(/\d+ tokens/, 90_000);
    await vscode.panelFrame().locator('canvas').first().waitFor();
    await vscode.screenshot('panel');
  });

  it('shows a hover over the text', async () => {
    await vscode.goTo(6, 5);
    const hover = await vscode.hoverAt(6, 7);
    expect(await hover.innerText()).to.match(/head \d+\.\d+/i);
  });

  it('shows the panel again after a reload of the window', async () => {
    await vscode.reloadWindow();
    await vscode.waitForTab('Attention Explorer');
    await vscode.panelFrame().locator('canvas').first().waitFor({ timeout: 150_000 });
  });
});
