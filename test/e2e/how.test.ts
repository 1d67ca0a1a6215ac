import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

// What is asked of the engine, and the panel itself, are the same code in both hosts.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('How a weight came about', () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'how',
      files: {
        '.vscode/settings.json': JSON.stringify({ 'attentionExplorer.modelPath': 'bundled:thinking-machines' }),
        'notes.txt': 'Thinking Machines\n',
        'blocks.txt': 'blocks and bands',
        'models/blocks/model.onnx': readFileSync(join(root, 'test/fixtures/blocks/longt5.legacy/model.onnx')),
        'models/blocks/tokenizer.json': tinyTokenizer(),
      },
    });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('walks through 112 and 96, 14 and 12, 0.88 and 0.12 of the sample, and keeps its place over a reload', async function () {
    this.timeout(240_000);
    await vscode.openFile('notes.txt');
    await vscode.runCommand('Attention Explorer: Explain a Sample');
    await panel.getByRole('grid').first().waitFor({ timeout: 120_000 });
    const heading = panel.locator('.how-pane h3');
    const rows = (array: string): Promise<string[]> =>
      panel.locator('.how-array', { hasText: array }).first().locator('td.number').allTextContents();
    await panel.locator('.list-pane .how-link').first().click();
    await heading.waitFor({ timeout: 60_000 });
    expect(await heading.textContent()).to.match(/^1 of \d+: Token embedding$/);
    const goTo = async (title: string): Promise<void> => {
      for (let i = 0; i < 20 && (await heading.textContent())?.endsWith(`: ${title}`) !== true; i++)
        await panel.locator('.how-pane').press('ArrowRight');
      expect(await heading.textContent()).to.include(title);
    };
    await goTo('Raw score');
    expect(['112', '96']).to.include((await rows('score'))[0]);
    await vscode.screenshot('how-score');
    await goTo('Scale');
    expect(await rows('before')).to.deep.equal(['112', '96']);
    expect(await rows('after')).to.deep.equal(['14', '12']);
    await goTo('Weight');
    expect((await rows('weights')).map((text) => Number(text).toFixed(2))).to.deep.equal(['0.88', '0.12']);
    await vscode.screenshot('how-weight');
    await goTo('Output projection');
    expect(await panel.locator('.how-pane [role=alert]').count()).to.equal(0);
    await vscode.screenshot('how-output');
    await vscode.reloadWindow();
    panel = vscode.panelFrame();
    await panel.locator('.how-pane h3', { hasText: 'Output projection' }).waitFor({ timeout: 120_000 });
  });

  it('follows attention that is computed in parts to the part that has the cell', async function () {
    this.timeout(240_000);
    await vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': 'models/blocks/model.onnx' });
    await vscode.openFile('blocks.txt');
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByText('16 tokens').first().waitFor({ timeout: 120_000 });
    await panel.getByRole('tab', { name: 'Strongest sources' }).click();
    await panel.locator('.list-pane .how-link').first().click();
    const heading = panel.locator('.how-pane h3');
    await heading.waitFor({ timeout: 60_000 });
    await panel.locator('.how-pane').press('End');
    const seen: string[] = [];
    for (let isFirst = false; !isFirst;) {
      const title = (await heading.textContent()) ?? '';
      isFirst = title.startsWith('1 of ');
      seen.unshift(title.replace(/^\d+ of \d+: /, ''));
      expect(await panel.locator('.how-pane [role=alert]').count(), title).to.equal(0);
      if (title.endsWith(': Part')) {
        expect(await panel.locator('.how-step').textContent()).to.match(
          /the queries from 12 to 15 and the keys from 8 to 15\.$/,
        );
        await vscode.screenshot('how-part');
      }
      if (title.endsWith(': Bias')) await vscode.screenshot('how-part-bias');
      await panel.locator('.how-pane').press('ArrowLeft');
    }
    expect(seen.slice(seen.indexOf('Part'))).to.deep.equal([
      ...['Part', 'Raw score', 'Bias', 'Maximum of the row', 'Exponentials', 'Sum of the row', 'Weight'],
      ...['Weight times value', 'Output of the head', 'Heads side by side', 'What the head writes'],
      ...['Strongest contributors', 'Output projection'],
    ]);
  });
});
