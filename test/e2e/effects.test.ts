import { expect } from 'chai';
import type { FrameLocator } from 'playwright-core';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

// What is asked of the engine, and the panel itself, are the same code in both hosts.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('What heads do to a prediction', () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({ name: 'effects' });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('is measured for all heads of the bundled decoder on its sample, whose strongest is 0.1, and stands before and after', async function () {
    this.timeout(240_000);
    await vscode.runCommand('Attention Explorer: Explain a Sample');
    await panel.getByRole('grid').first().waitFor({ timeout: 120_000 });
    await vscode.runCommand('Attention Explorer: Show Effects');
    const pane = panel.locator('.effects-pane');
    await pane.getByRole('button', { name: 'Mean Loss' }).click({ timeout: 60_000 });
    await pane.getByText('mean loss over the text’s own tokens').waitFor({ timeout: 60_000 });
    await pane.getByRole('button', { name: 'Silence Each of the 32 Heads in Turn' }).click();
    await pane.getByRole('button', { name: 'Measure Again' }).waitFor({ timeout: 120_000 });
    const rows = pane.locator('.effect-table tbody tr');
    expect(await rows.count()).to.equal(32);
    expect(await rows.locator('th').first().textContent()).to.equal('0.1');
    const effect = Number((await rows.first().locator('td').nth(1).textContent())?.replace('−', '-'));
    expect(effect).to.be.greaterThan(0.3);
    await vscode.screenshot('effects-heads');
    // What they add to the final sum alone stands beside it.
    await pane.getByRole('button', { name: 'direct', exact: true }).click();
    await pane.getByRole('button', { name: 'Silence Each of the 32 Heads in Turn' }).click();
    await pane.locator('.effect-table thead th', { hasText: 'direct, zeros (nats)' }).waitFor();
    await pane.getByRole('button', { name: 'Measure Again' }).waitFor({ timeout: 120_000 });
    expect(await rows.count()).to.equal(32);
    await pane.getByRole('button', { name: 'total', exact: true }).click();
    await pane.locator('.effect-table tbody th', { hasText: '0.1' }).waitFor();
    // The same head, switched off by itself, does the same.
    await rows.first().getByRole('button', { name: 'Silence head 0.1' }).click();
    await panel.locator('.notice.intervened', { hasText: 'head 0.1 silenced (zeros)' }).waitFor({ timeout: 60_000 });
    const after = pane.locator('.effect-value', { hasText: /\d nats/ });
    await after.waitFor({ timeout: 60_000 });
    expect(Number(/[\d.]+/.exec((await after.textContent()) ?? '')?.[0])).to.be.closeTo(effect, 0.002);
    // What heads behind it read is another pattern now, and said to be.
    await panel.locator('.legend-title', { hasText: 'attention weight of the intervened run' }).waitFor();
    await panel.locator('.matrix-pane .matrix-base').waitFor();
    expect(await panel.locator('.matrix-pane [role=alert]').count()).to.equal(0);
    // What is lit in the editor is of that run, too, which is said where the panel is out of sight.
    await vscode.page.locator('.statusbar-item', { hasText: 'Intervened run' }).waitFor({ timeout: 30_000 });
    await vscode.screenshot('effects-intervened');
    await vscode.reloadWindow();
    panel = vscode.panelFrame();
    await panel.locator('.notice.intervened', { hasText: 'head 0.1 silenced (zeros)' }).waitFor({ timeout: 120_000 });
  });
});
