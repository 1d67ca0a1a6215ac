import { expect } from 'chai';
import type { Frame, Locator } from 'playwright-core';
import { safetensorsHeader } from '../../src/model/numbers/writtenArrays';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

/** An attention file of one head that reads the token before. */
function output(tokens: readonly string[]): string {
  const { length } = tokens;
  const weights = Float32Array.from({ length: length ** 2 }, (_, at) =>
    at % length === Math.max(0, Math.floor(at / length) - 1) ? 1 : 0,
  );
  const names = new TextEncoder().encode(JSON.stringify(tokens));
  const header = safetensorsHeader([
    { name: 'attention.self.0', type: 'F32', shape: [1, length, length] },
    { name: 'tokens', type: 'U8', shape: [names.length] },
  ]);
  return Buffer.concat([header, new Uint8Array(weights.buffer), names]).toString('base64');
}

const notebook = JSON.stringify({
  cells: [
    { cell_type: 'markdown', id: 'a', metadata: {}, source: ['Thinking Machines'] },
    {
      cell_type: 'code',
      id: 'b',
      metadata: {},
      execution_count: 1,
      source: ['Thinking Machines'],
      outputs: [
        {
          output_type: 'execute_result',
          execution_count: 1,
          metadata: {},
          data: {
            'application/vnd.attention-explorer.v1+json': { file: output(['The', ' cat', ' sat']) },
            'text/plain': ['Attention'],
          },
        },
      ],
    },
  ],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
});

describe(`A notebook, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'notebook',
      settings: { 'attentionExplorer.modelPath': 'bundled:thinking-machines', 'attentionExplorer.colourMap': 'orange' },
      files: { 'n.ipynb': notebook },
    });
    await vscode.openTab('n.ipynb');
  });
  after(() => vscode?.close());

  const cell = (index: number): Locator => vscode.page.locator('.notebookOverlay .monaco-list-row').nth(index);

  /** The panel's page within the page of the outputs. */
  async function outputPage(): Promise<Frame> {
    for (const end = Date.now() + 60_000; Date.now() < end; await vscode.page.waitForTimeout(200))
      for (const frame of vscode.page.frames())
        if (
          frame.url() === 'about:srcdoc' &&
          (await frame
            .locator('.source-scroll')
            .count()
            .catch(() => 0)) > 0
        )
          return frame;
    throw new Error('No output shows attention.');
  }

  it('shows an attention file in a cell’s output, in the person’s colours, with icons', async function () {
    this.timeout(120_000);
    const page = await outputPage();
    expect(await page.locator('.source-scroll').textContent()).to.include('cat');
    await page.waitForFunction(() => customElements.get('vscode-icon') !== undefined);
    await page.waitForFunction(() => document.fonts.check('16px codicon'));
    await vscode.screenshot('output');
  });

  it('explains a cell of code and one of Markdown, lit where they are', async function () {
    this.timeout(180_000);
    const { page } = vscode;
    await cell(1).locator('.view-lines').first().click();
    for (const [index, name] of [
      [1, 'cell 2'],
      [0, 'cell 1'],
    ] as const) {
      await cell(index).locator('.monaco-editor.focused').waitFor();
      await vscode.runCommand('Attention Explorer: Explain Attention');
      await vscode.waitForTab(`n.ipynb, ${name}`);
      // What the token that is first looked at reads is lit in the cell's own editor, and its numbers stand over it.
      await cell(index).locator('.view-overlays [class*="ced-"]').first().waitFor();
      await cell(index)
        .locator('.view-line')
        .first()
        .hover({ position: { x: 30, y: 8 } });
      await page.locator('.monaco-hover:visible', { hasText: 'reads' }).first().waitFor();
      await vscode.screenshot(`cell-${index}`);
      if (index === 0) return;
      // A cell of Markdown is drawn in the page of outputs until it is edited.
      await cell(1).locator('.view-lines').first().click();
      await page.keyboard.press('Escape');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
    }
  });
});
