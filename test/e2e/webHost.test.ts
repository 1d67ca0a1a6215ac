import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator, Locator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

interface Explained {
  readonly components: readonly {
    readonly component: string;
    readonly reads: readonly (readonly { readonly position: number; readonly weight: number }[])[];
  }[];
}

const date = '3rd of May 1979';

/** What the command line says that a method makes of the date and what is written for it. */
function explainByCommandLine(method: string): Explained {
  const file = join(temporaryFolder('date'), 'date.txt');
  writeFileSync(file, date);
  const model = join(root, 'media/models/date-transformer');
  return JSON.parse(
    execFileSync(
      process.execPath,
      [
        join(root, 'dist/cli.cjs'),
        'explain',
        file,
        ...[
          '--model',
          model,
          '--component',
          'cross',
          '--method',
          method,
          '--head',
          '2.0',
          '--backend',
          'wasm',
          '--json',
        ],
      ],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    ),
  ) as Explained; // our own output
}

// Other tests go through all of this in the Node host; in a worker the engine reads its files and grammars, and runs the model, in another way.
(VSCode.hostOfRun === 'web' ? describe : describe.skip)('Where numbers come from, in the web host', () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  const matrixTitle = (text: string | RegExp): Promise<void> =>
    panel.locator('.matrix-pane header', { hasText: text }).waitFor({ timeout: 60_000 });
  const legend = (text: string): Promise<void> =>
    panel.locator('.legend-method', { hasText: text }).waitFor({ timeout: 60_000 });
  const choose = async (list: RegExp, choice: string): Promise<void> => {
    await panel.getByRole('combobox', { name: list }).click();
    await panel.getByRole('option', { name: choice, exact: true }).click();
  };
  const alerts = (): Promise<string[]> => panel.locator('[role=alert]').allTextContents();
  /** What else is open may share its place. */
  const showList = async (): Promise<void> => {
    const tab = panel.getByRole('tab', { name: 'Strongest sources' });
    if ((await tab.count()) > 0) await tab.click();
  };
  const firstSource = async (): Promise<{ name: string; weight: number }> =>
    panel
      .getByRole('region', { name: 'Strongest sources' })
      .getByRole('listitem')
      .first()
      .evaluate((item) => ({
        name: item.querySelector('.link, .name')?.textContent ?? '',
        weight: Number(item.querySelector('.number')?.textContent),
      }));
  /** From the first step of how the strongest weight of the list came about to the last, each of them computed anew. */
  const walkThroughSteps = async (shot: string): Promise<string[]> => {
    await showList();
    await panel.locator('.list-pane .how-link').first().click();
    const heading: Locator = panel.locator('.how-pane h3');
    await panel.locator('.how-pane h3', { hasText: /^\d+ of \d+: / }).waitFor({ timeout: 60_000 });
    // It stands where it was left.
    for (let at = Number.parseInt((await heading.textContent()) ?? '', 10); at > 1; at--) {
      await panel.locator('.how-pane').press('ArrowLeft');
      await panel.locator('.how-pane h3', { hasText: new RegExp(`^${at - 1} of `) }).waitFor();
    }
    const count = Number(/of (\d+)/.exec((await heading.textContent()) ?? '')?.[1]);
    const titles: string[] = [];
    for (let at = 1; at <= count; at++) {
      await panel.locator('.how-pane h3', { hasText: new RegExp(`^${at} of `) }).waitFor();
      expect(await panel.locator('.how-pane [role=alert]').allTextContents()).to.deep.equal([]);
      titles.push((await heading.textContent())?.replace(/^.*?: /, '') ?? '');
      if (titles.at(-1) === 'Weight') await vscode.screenshot(shot);
      await panel.locator('.how-pane').press('ArrowRight');
    }
    return titles;
  };

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'web',
      files: {
        'fibonacci.py': readFileSync(join(root, 'media/sample/fibonacci.py')),
        'dates.txt': `${date}\n`,
      },
    });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('has methods, sinks, levels and relations of a program', async function () {
    this.timeout(240_000);
    await vscode.openFile('fibonacci.py');
    await vscode.selectLines(1, 22);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByRole('grid').first().waitFor({ timeout: 120_000 });
    await panel.locator('.stream [data-token]').nth(100).click();
    for (const [method, source] of [
      ['Norm-weighted', 'Kobayashi et al. 2020'],
      ['Norm-weighted, residual', 'Kobayashi et al. 2021'],
      ['Rollout', 'Abnar & Zuidema 2020'],
    ] as const) {
      await choose(/^Method: /, method);
      await legend(source);
      expect(await alerts()).to.deep.equal([]);
    }
    await vscode.screenshot('1-rollout');
    await choose(/^Method: /, 'Attention weight');
    // They are looked for, head by head: this model has none on this text, and none is made up.
    await choose(/^Sinks/, 'Sinks removed');
    await matrixTitle('no sinks to remove');
    await vscode.screenshot('2-sinks');
    await choose(/^Sinks/, 'Sinks shown');
    for (const [level, name] of [
      ['Words', 'words: sums over keys, means over queries'],
      // No language server is here: they are the grammar's.
      ['Symbols', 'symbols: sums over keys, means over queries'],
      ['Lines', 'lines: sums over keys, means over queries'],
    ] as const) {
      await choose(/^Level/, level);
      await matrixTitle(name);
    }
    await panel.locator('.source-scroll').press('c');
    await panel.locator('.relations-pane tbody tr').first().waitFor({ timeout: 60_000 });
    await panel.locator('.relations-pane .head-table-caption', { hasText: /\d+ pairs; the baseline/ }).waitFor();
    await panel.locator('.relations-pane thead', { hasText: 'ratio by norm' }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('3-relations-and-lines');
    expect(await alerts()).to.deep.equal([]);
    await vscode.reloadWindow();
    await panel.locator('.relations-pane tbody tr').first().waitFor({ timeout: 120_000 });
    await matrixTitle('lines: sums over keys, means over queries');
    await choose(/^Level/, 'Tokens');
    await panel.locator('.source-scroll').press('c');
  });

  it('has all of it of a model that writes: how, heads, methods, rollout through cross-attention, and levels', async function () {
    this.timeout(240_000);
    await vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': 'bundled:date-transformer' });
    await vscode.focusEditor();
    await vscode.openFile('dates.txt');
    await vscode.selectLines(1, 1);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByRole('heading', { name: 'Target, written by the model' }).waitFor({ timeout: 120_000 });
    await panel.getByRole('tab', { name: 'Cross-attention', selected: true }).waitFor();
    await panel.locator('.stream').nth(0).locator('[data-token="3"]').click();
    await panel.getByRole('heading', { name: '"7" (3) predicting "9" reads' }).waitFor();
    const steps = await walkThroughSteps('4-how-cross');
    expect(steps).to.include.members([
      'Query',
      'Key',
      'Raw score',
      'Weight',
      'Output of the head',
      'Strongest contributors',
    ]);
    await vscode.runCommand('Attention Explorer: Show Heads and Their Metrics');
    await panel.locator('.head-table tbody tr').first().waitFor({ timeout: 60_000 });
    await panel.locator('.head-table thead button', { hasText: 'share of norm' }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('5-heads-cross');
    for (const [method, source] of [
      ['Norm-weighted, summed', 'Kobayashi et al. 2020'],
      ['Norm-weighted, residual and norm', 'Kobayashi et al. 2021'],
      ['Rollout', 'Abnar & Zuidema 2020'],
    ] as const) {
      await choose(/^Method: /, method);
      await legend(source);
      expect(await alerts()).to.deep.equal([]);
    }
    // Heads that are joined are still those of this attention.
    await panel.getByRole('tab', { name: 'Cross-attention', selected: true }).waitFor();
    // The last layer is the one that is shown of what goes through all of them.
    await showList();
    const shown = await firstSource();
    await vscode.screenshot('6-rollout-cross');
    const [cross] = explainByCommandLine('rollout').components;
    const [strongest] = cross?.reads[3] ?? [];
    expect(shown.name).to.match(new RegExp(`\\(${strongest?.position}\\)$`));
    expect(shown.weight).to.be.closeTo(strongest?.weight ?? NaN, 6e-3);
    await choose(/^Method: /, 'Attention weight');
    await panel.locator('.legend-method').waitFor({ state: 'detached' });
    await choose(/^Level/, 'Words');
    await matrixTitle('words: sums over keys, means over queries');
    await vscode.screenshot('7-words-cross');
    await choose(/^Level/, 'Tokens');
    for (const [tab, stream] of [
      ['Encoder', 1],
      ['Decoder', 0],
    ] as const) {
      await panel.getByRole('tab', { name: tab }).click();
      await panel.locator('.stream').nth(stream).locator('[data-token="2"]').click();
      expect(await walkThroughSteps(`8-how-${tab.toLowerCase()}`)).to.include.members(['Position', 'Weight']);
    }
    await panel.getByRole('tab', { name: 'Encoder' }).click();
    await choose(/^Method: /, 'Flow');
    await legend('maximum flow');
    await vscode.screenshot('9-flow-encoder');
    expect(await alerts()).to.deep.equal([]);
  });
});
