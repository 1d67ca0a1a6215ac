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
    // A file that is opened before the window knows of the extension opens as text.
    for (let i = 0; i < 30 && !(await vscode.hasCommand('Attention Explorer: Show Log')); i++)
      await vscode.page.waitForTimeout(1000);
  });
  after(() => vscode?.close());

  it('open without a model, or run theirs again and say that it is another', async function () {
    this.timeout(180_000);
    await vscode.openTab('a.attention.safetensors');
    const attention = await vscode.findPanel();
    await attention.locator('.source-scroll', { hasText: 'cat' }).waitFor({ timeout: 60_000 });
    await vscode.runCommand('View: Close All Editors');
    await vscode.openTab('b.attention-explanation.json');
    const again = await vscode.findPanel();
    await again.locator('.token.pinned', { hasText: 'Machines' }).first().waitFor({ timeout: 90_000 });
    await again
      .getByText(/its hash differs/)
      .first()
      .waitFor();
    await vscode.screenshot('explanation');
  });
});
