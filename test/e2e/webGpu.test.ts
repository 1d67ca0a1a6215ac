import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../../scripts/lib/paths.mjs';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

// The web host alone: on the desktop, WebGPU is part of the native runtime, which the package for every platform does not carry.
describe('WebGPU in a real VS Code, extension in the web host', () => {
  let vscode: VSCode;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    const files = {
      // In the workspace: a remote window does not take a model path from the person's own settings.
      '.vscode/settings.json': JSON.stringify({
        'attentionExplorer.backend': 'webgpu',
        'attentionExplorer.modelPath': 'models/tiny',
      }),
      'sum.py': 'def add(a, b):\n    return a + b\n',
      'models/tiny/model.onnx': readFileSync(join(root, 'test/fixtures/zoo/gpt2.sdpa.legacy/model.onnx')), // small, for a software adapter
      'models/tiny/tokenizer.json': tinyTokenizer(),
    };
    vscode = await VSCode.launch({ name: 'webgpu', host: 'web', hasWebGpu: true, files });
  });
  after(() => vscode?.close());

  it('reads a text on it, and the status bar says what it runs on and why', async function () {
    this.timeout(180_000);
    await vscode.openFile('sum.py');
    await vscode.selectLines(1, 2);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    const item = await vscode.waitForStatusBar(/ · webgpu · \d+ tokens/, 150_000);
    await vscode.panelFrame().locator('canvas').first().waitFor({ timeout: 60_000 });
    await item.hover();
    const hover = vscode.page.locator('.monaco-hover').filter({ hasText: 'Backend: webgpu' }).first();
    await hover.waitFor();
    expect(await hover.innerText()).to.include(
      'As the settings ask; the graphics adapter is a software one, which is slower than WebAssembly.',
    );
    await vscode.screenshot('1-status-bar');
  });
});
