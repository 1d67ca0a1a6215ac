import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Locator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { expectEventually } from '../harness/eventually';
import { certificatePath, serveHub, type HubServer } from '../harness/hubServer';
import { serveProxy, type ProxyServer } from '../harness/proxyServer';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const model = readFileSync(join(root, 'test/fixtures/zoo/gpt2.sdpa.legacy/model.onnx'));
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('Models from the hub', () => {
  let vscode: VSCode;
  let server: HubServer;
  let proxy: ProxyServer;
  let folder: string;
  keepEvidenceOfFailures(() => vscode);

  const picker = (): Locator => vscode.page.locator('.quick-input-widget');
  const row = (words: string | RegExp): Locator =>
    picker().locator('.monaco-list-row').filter({ hasText: words }).first();
  const filter = (words: string): Promise<void> => picker().locator('input[type="text"]').first().fill(words);
  const selectModel = async (typed: string): Promise<void> => {
    await vscode.runCommand('Attention Explorer: Select Model');
    await row(/Code decoder/).waitFor();
    await filter(typed);
  };

  before(async function () {
    this.timeout(180_000);
    folder = temporaryFolder('hub');
    // The hub is to be had through the proxy alone.
    proxy = await serveProxy();
    const repositories = {
      'owner/tiny-gpt2': {
        revision: 'a1b2c3d4'.repeat(5),
        files: {
          'onnx/model.onnx': model,
          'onnx/model_int8.onnx': model,
          'config.json': text(JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 })),
          'tokenizer.json': text(tinyTokenizer()),
          'README.md': text('# Not needed'),
        },
        large: ['onnx/model.onnx', 'onnx/model_int8.onnx'],
        gated: 'auto',
        allowedToken: 'hf_right',
      },
      'other/$(zap) evil': { revision: 'b'.repeat(40), files: {}, large: [] },
      'owner/no-onnx': { revision: 'c'.repeat(40), files: { 'config.json': text('{}') }, large: [] },
    } as const;
    server = await serveHub(repositories, 3, true);
    vscode = await VSCode.launch({
      name: 'hub',
      machineSettings: {
        'attentionExplorer.hubAddress': server.address,
        'attentionExplorer.hubFolder': folder,
      },
      // With those of the system, VS Code trusts these and no others.
      settings: { 'http.proxy': proxy.address, 'http.systemCertificates': false },
      certificates: certificatePath,
      files: { 'code.py': 'def add(a, b):\n    return a + b\n' },
    });
    await vscode.openFile('code.py');
  });
  after(async () => {
    await vscode?.close();
    await proxy?.close();
    await server?.close();
  });

  it('are searched and listed with their sizes, once someone asks, and nothing is asked of the network before', async function () {
    this.timeout(120_000);
    await selectModel('Hugging');
    await row('From the Hugging Face Hub …').waitFor();
    expect([...server.requests, ...proxy.targets]).to.deep.equal([]);
    await vscode.page.keyboard.press('Enter');
    await row('owner/tiny-gpt2').waitFor();
    await vscode.screenshot('found');
    expect(await picker().innerText())
      .to.include('1234 downloads')
      .and.to.include('asks for its conditions')
      .and.not.include('evil');
    await filter('no-onnx');
    await expectEventually(async () => expect(await row('tiny-gpt2').count()).to.equal(0));
    await row('owner/no-onnx').click();
    await vscode.waitForNotification('has no ONNX file');
  });

  it('are downloaded with a token, paused, gone on with later, and run', async function () {
    this.timeout(240_000);
    server.mischief.pieceBytes = 2000;
    server.mischief.pauseMilliseconds = 100;
    await selectModel('Hugging');
    await row('From the Hugging Face Hub …').click();
    await row('owner/tiny-gpt2').click();
    await row('model_int8.onnx').waitFor();
    await vscode.screenshot('files');
    expect(await row('model.onnx').innerText()).to.match(/kB · as exported/);
    await row('model.onnx').click();
    await picker()
      .getByText(/only to those whom it knows/)
      .waitFor();
    await vscode.screenshot('token');
    await picker().locator('input[type="password"]').fill('hf_right');
    await vscode.page.keyboard.press('Enter');
    const progress = await vscode.waitForNotification(/Downloading owner\/tiny-gpt2 .*kB of/);
    await vscode.screenshot('progress');
    await progress.hover();
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await vscode.waitForNotification('is paused');
    const kept = join(folder, 'owner', 'tiny-gpt2@a1b2c3d4');
    expect(existsSync(join(kept, 'onnx/model.onnx'))).to.equal(false);
    expect(readdirSync(join(kept, 'onnx'))).to.deep.equal(['model.onnx.part']);

    server.mischief.pauseMilliseconds = 0;
    server.requests.length = 0;
    await selectModel('paused');
    await vscode.screenshot('paused');
    await row(/owner\/tiny-gpt2.*paused: .* of .* are here/).click();
    const whole = ['.attention-explorer.json', 'config.json', 'onnx', 'onnx/model.onnx', 'tokenizer.json'];
    await expectEventually(() => expect(readdirSync(kept, { recursive: true }).sort()).to.deep.equal(whole));
    expect(readFileSync(join(kept, 'onnx/model.onnx')).equals(model)).to.equal(true);
    expect(server.requests[0].range).to.match(/^bytes=[1-9]/);
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await vscode.waitForStatusBar(/tiny-gpt2@a1b2c3d4.*tokens/, 90_000);
    await vscode.screenshot('explained');
    expect(new Set(proxy.targets).size, 'hub and store, each through the proxy').to.equal(2);
  });

  it('are removed from the same list', async function () {
    this.timeout(120_000);
    await selectModel('tiny-gpt2');
    await row(/owner\/tiny-gpt2.*kB.*in use/).hover();
    await row('owner/tiny-gpt2').getByRole('button', { name: 'Remove This Download' }).click();
    const dialog = vscode.page.locator('.monaco-dialog-box');
    await dialog.getByText('Remove owner/tiny-gpt2 (onnx/model.onnx)').waitFor();
    await vscode.screenshot('remove');
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await row(/Code decoder/).waitFor();
    expect(readdirSync(folder)).to.deep.equal([]);
    await filter('tiny-gpt2');
    await expectEventually(async () => expect(await row('tiny-gpt2').count()).to.equal(0));
  });
});
