import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi } from '../../src/host/testApi';
import {
  closeAll,
  configure,
  expectFailure,
  expectReady,
  explain,
  openText,
  select,
  slowDown,
  testApi,
  until,
  writeTinyModel,
} from './support';

describe('The engine', () => {
  let api: TestApi;
  const run = (): Thenable<unknown> => vscode.commands.executeCommand('attentionExplorer.explainAttention');

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
  });
  afterEach(async () => {
    await closeAll();
    await configure({ modelPath: 'models/tiny' });
  });

  it('has a spare after the first run', async () => {
    await openText('some text');
    await explain(api);
    await until(api, 'the spare', (state) => state.hasSpare);
  });

  it('is said to have stopped when it dies, and the next run works', async () => {
    await openText('some text');
    const before = await explain(api);
    expect(before.engine.kind).to.equal('idle');
    api.crashEngine();
    const { status, highlights, statusBar } = await until(
      api,
      'it is stopped',
      (state) => state.status.kind === 'engineStopped',
    );
    expectFailure(status, 'engineStopped');
    expect(highlights).to.deep.equal([]);
    expect(statusBar).to.include('stopped');
    const after = await explain(api);
    expect(after.status.kind).to.equal('ready');
    expect(after.run?.runId).to.not.equal(before.run?.runId);
    if (before.enginePid !== undefined) expect(after.enginePid).to.not.equal(before.enginePid);
  });

  it('is said to have stopped when it dies in mid-run, and the next run works', async () => {
    await openText('x = 1\n'.repeat(200));
    await slowDown();
    const running = run();
    // One that is gone before it began has another do its work.
    await until(api, 'it has begun', ({ status }) => status.kind === 'busy' && status.stage !== 'startEngine');
    api.crashEngine();
    await running;
    expectFailure(api.snapshot().status, 'engineStopped');
    expectReady(await explain(api));
  });

  it('lets a run be cancelled in its midst, says so in the panel, and the next run works', async () => {
    await openText('cancelled = 1\n'.repeat(100));
    await slowDown();
    const running = run();
    await until(api, 'it runs', (state) => state.engine.kind === 'running');
    await vscode.commands.executeCommand('attentionExplorer.cancelExplanation');
    await running;
    const { status, run: shown } = api.snapshot();
    expect(status.kind).to.be.oneOf(['empty', 'stale', 'ready']);
    expect(shown?.streams[0].text.startsWith('cancelled')).to.not.equal(true);
    expectReady(await explain(api));
  });

  it('restarts on command and runs again what was lost', async () => {
    await openText('some text');
    await explain(api);
    api.crashEngine();
    await until(api, 'it is stopped', (state) => state.status.kind === 'engineStopped');
    await vscode.commands.executeCommand('attentionExplorer.restartEngine');
    expect(api.snapshot().status.kind).to.equal('ready');
    expect((await api.row(0))[0]).to.be.closeTo(1, 1e-4);
  });

  it('lets the last of ten runs win', async () => {
    const editor = await openText('abcdefghijklmnopqrstuvwxyz');
    const runs: Thenable<unknown>[] = [];
    for (let i = 1; i <= 10; i++) {
      select(editor, 0, i);
      runs.push(run());
    }
    await Promise.all(runs);
    const { status, run: shown } = await until(api, 'it is ready', (state) => state.status.kind === 'ready');
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(shown?.streams[0].text).to.equal('abcdefghij');
  });

  it('goes back to what was shown when a run is cancelled, and the next run works', async () => {
    const editor = await openText('first text, then a second');
    select(editor, 0, 10);
    const before = await explain(api);
    select(editor, 12, 25);
    const running = run();
    expect(api.snapshot().status.kind).to.equal('busy');
    await vscode.commands.executeCommand('attentionExplorer.cancelExplanation');
    await running;
    const { status, run: shown } = api.snapshot();
    expect(status.kind).to.be.oneOf(['ready', 'stale']);
    expect(shown?.runId).to.equal(before.run?.runId);
    expect((await explain(api)).run?.streams[0].text).to.equal('then a second');
  });

  it('is replaced when another number of threads is asked for', async () => {
    await openText('some text');
    await explain(api);
    await configure({ threads: 1 });
    await until(api, 'the panel says that settings changed', (state) => state.status.kind === 'stale');
    const { status, run: shown } = await explain(api);
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(shown?.model.numThreads).to.equal(1);
    await configure({ threads: undefined });
  });
});
