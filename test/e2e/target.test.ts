import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator, Locator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { expectEventually } from '../harness/eventually';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

interface Explained {
  readonly target: { readonly text: string; readonly tokens: readonly unknown[] };
  readonly components: readonly {
    readonly component: string;
    readonly reads: readonly (readonly { readonly position: number; readonly weight: number }[])[];
  }[];
}

const date = '3rd of May 1979';
const head = '2.1';

/** What the command line says of the same text: the numbers that the panel must show. */
function explainByCommandLine(): Explained {
  const file = join(temporaryFolder('date'), 'date.txt');
  writeFileSync(file, date);
  const model = join(root, 'media/models/date-transformer');
  return JSON.parse(
    execFileSync(
      process.execPath,
      [join(root, 'dist/cli.cjs'), 'explain', file, '--model', model, '--component', 'cross', '--head', head, '--json'],
      { encoding: 'utf8' },
    ),
  ) as Explained; // our own output
}

describe(`A model that writes, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  const target = (): Locator => panel.locator('.stream').nth(0);
  const heading = (text: string): Locator => panel.getByRole('heading', { name: text });

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'target',
      files: {
        '.vscode/settings.json': JSON.stringify({ 'attentionExplorer.modelPath': 'bundled:date-transformer' }),
        'dates.txt': `${date}\n12 January 2003\n`,
      },
    });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('shows what it wrote, and which of the text it read for each token of that', async function () {
    this.timeout(180_000);
    const explained = explainByCommandLine();
    expect(explained.target.text).to.equal('1979-05-03');
    await vscode.openFile('dates.txt');
    await vscode.selectLines(1, 1);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await heading('Target, written by the model').waitFor({ timeout: 120_000 });
    expect((await target().locator('[data-token]:not(.chip)').allTextContents()).join('')).to.equal('1979-05-03');
    // How the two texts meet is shown first.
    expect(await panel.getByRole('tab', { name: 'Cross-attention' }).getAttribute('aria-selected')).to.equal('true');
    // The head that aligns them comes first, and the status bar counts what the panel counts.
    await panel
      .getByRole('region', { name: 'Matrix' })
      .getByRole('heading', { name: `Head ${head}` })
      .waitFor();
    const counted = /\d+ tokens/.exec(await panel.locator('.toolbar .model').innerText())?.[0];
    expect(counted).to.not.equal(undefined);
    await vscode.waitForStatusBar(new RegExp(`date-transformer.* ${counted}`));
    await target().locator('[data-token="3"]').click();
    const list = panel.getByRole('region', { name: 'Strongest sources' });
    await list.getByRole('heading', { name: '"7" (3) predicting "9" reads' }).waitFor();
    const [cross] = explained.components;
    const [strongest] = cross?.reads[3] ?? [];
    const first = await list
      .getByRole('listitem')
      .first()
      .evaluate((item) => ({
        name: item.querySelector('.link, .name')?.textContent ?? '',
        weight: Number(item.querySelector('.number')?.textContent),
      }));
    expect(first.name).to.match(new RegExp(`\\(${strongest?.position}\\)$`));
    expect(first.weight).to.be.closeTo(strongest?.weight ?? NaN, 6e-3);
    // What a token of the target reads stands in the editor.
    await expectEventually(
      async () => expect((await vscode.decorations()).filter(({ line }) => line === 1)).to.not.be.empty,
    );
    await vscode.screenshot('1-cross');
  });

  it('says over a token of the text which of the target read it', async () => {
    await panel.locator('.source-scroll').press('Escape');
    const card = await vscode.hoverAt(1, 12);
    await expectEventually(async () =>
      expect(await card.innerText()).to.match(/is read by[\s\S]*of the target, predicting/),
    );
    await vscode.screenshot('2-hover');
  });

  it('reads a target text of one’s own, also after a reload, until its own is wanted again', async function () {
    this.timeout(180_000);
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain with Target Text…');
    const box = vscode.page.locator('.quick-input-widget input');
    await expectEventually(async () => expect(await box.inputValue()).to.equal('1979-05-03'));
    await box.fill('2003-01-12');
    await vscode.page.keyboard.press('Enter');
    await heading('Target, a text of your own').waitFor({ timeout: 60_000 });
    expect((await target().locator('[data-token]:not(.chip)').allTextContents()).join('')).to.equal('2003-01-12');
    await vscode.screenshot('3-own-target');
    await vscode.reloadWindow();
    await heading('Target, a text of your own').waitFor({ timeout: 120_000 });
    expect((await target().locator('[data-token]:not(.chip)').allTextContents()).join('')).to.equal('2003-01-12');
    await panel.getByRole('button', { name: 'Use the model’s own' }).click();
    await heading('Target, written by the model').waitFor({ timeout: 60_000 });
    expect((await target().locator('[data-token]:not(.chip)').allTextContents()).join('')).to.equal('1979-05-03');
  });
});
