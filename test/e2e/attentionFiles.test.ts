import type { FrameLocator } from 'playwright-core';
import { initialView } from '../../src/model/viewState';
import { safetensorsHeader } from '../../src/model/numbers/writtenArrays';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

/** Two tokens, of which the second reads the first. */
function attentionFile(): Uint8Array {
  const weights = Float32Array.of(1, 0, 1, 0);
  const names = new TextEncoder().encode('["The"," cat"]');
  const header = safetensorsHeader([
    { name: 'attention.self.0', type: 'F32', shape: [1, 2, 2] },
    { name: 'tokens', type: 'U8', shape: [names.length] },
  ]);
  return Buffer.concat([header, new Uint8Array(weights.buffer), names]);
}

const explanation = {
  format: 'attention-explorer explanation',
  version: 1,
  model: { path: 'bundled:thinking-machines', name: 'thinking-machines', sha256: '0'.repeat(64) },
  text: 'Thinking Machines',
  view: { ...initialView, pinned: [{ stream: 0, position: 1 }] },
};

// In the Node host `export.test.ts` opens what was written there. Here files come through the window, and each has an engine in a worker of its own.
(VSCode.hostOfRun === 'web' ? describe : describe.skip)('Files of attention in the web host', () => {
  let vscode: VSCode;
  keepEvidenceOfFailures(() => vscode);
  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'files',
      files: {
        'a.attention.safetensors': attentionFile(),
        'b.attention-explanation.json': JSON.stringify(explanation),
      },
    });
    // The extension is known, and runs.
    await vscode.runCommand('Attention Explorer: Show Log');
    await vscode.runCommand('View: Toggle Panel Visibility');
  });
  after(() => vscode?.close());

  /** The panel of a file. One that is opened before the window knows of our editors opens as text, also when it is opened again. */
  const opened = async (name: string, editor: string): Promise<FrameLocator> => {
    await vscode.openTab(name);
    return vscode.findPanel(20_000).catch(async () => {
      await vscode.runCommand('View: Reopen Editor With...');
      await vscode.quickPickRow(editor).click();
      return vscode.findPanel();
    });
  };

  it('open without a model, or run theirs again and say that it is another', async function () {
    this.timeout(180_000);
    const attention = await opened('a.attention.safetensors', 'Attention File');
    await attention.locator('.source-scroll', { hasText: 'cat' }).waitFor({ timeout: 60_000 });
    // What takes no model is about this file, and what takes one is refused in a sentence.
    await vscode.runCommand('Attention Explorer: Which Head Reads This?');
    await vscode.waitForNotification('Select two parts of the explained text');
    await attention.getByText('1 head, on this text').waitFor();
    await vscode.runCommand('Attention Explorer: Choose Profile of Heads…');
    await vscode.page.getByRole('dialog').getByText('a.attention.safetensors is an attention file').waitFor();
    await vscode.page.keyboard.press('Enter');
    await vscode.runCommand('View: Close All Editors');
    const again = await opened('b.attention-explanation.json', 'Saved Explanation');
    await again.locator('.token.pinned', { hasText: 'Machines' }).first().waitFor({ timeout: 90_000 });
    await again
      .getByText(/its hash differs/)
      .first()
      .waitFor();
    await vscode.screenshot('explanation');
  });
});
