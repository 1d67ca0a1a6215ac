import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as web from 'onnxruntime-web';
import { writeRandomBert } from '../../../bench/randomBert';
import { nodeFileAccess } from '../../../src/engine/files/nodeFileAccess.node';
import { loadOnBackend } from '../../../src/engine/runtime/loadOnBackend';
import { Runtimes } from '../../../src/engine/runtime/runtimes';
import { LoadedModel } from '../../../src/engine/serve/loadedModel';
import { EngineSupervisor } from '../../../src/host/engine/engineSupervisor';
import { everySecond } from '../../../src/host/engine/engineWatch';
import type { HeldRun } from '../../../src/host/engine/heldRun';
import { nodeEngineLauncher } from '../../../src/host/engine/launchEngine.node';
import type { ExplainParams, Progress } from '../../../src/protocol';
import { buildPrograms } from '../../harness/builtEngine';
import { codeOf } from '../../harness/codeOf';
import { expectEventually } from '../../harness/eventually';
import { tinyTokenizer } from '../../harness/tinyTokenizer';

const numLayers = 6;
const never = new AbortController().signal;
/** Tokens of a run whose stages take a tenth of a second each, and of a short one. */
const [long, short] = [1000, 40];

describe('A run in stages that is cancelled in an engine of its own', function () {
  this.timeout(60_000);
  let script: string;
  let path: string;
  let expected: readonly number[];
  let supervisor: EngineSupervisor;
  let told: Progress[];

  /** A letter is a token. */
  const params = (numTokens: number): ExplainParams => ({
    model: { path, backend: 'wasm', threads: 1 },
    text: Array.from({ length: numTokens }, (_, i) => 'abcdefghijklm nopqrs'[(i * 7) % 20]).join(''),
    tokenLimit: 0,
  });

  before(async () => {
    script = join(await buildPrograms(['engineNode', 'guard']), 'engine.node.cjs');
    path = mkdtempSync(join(tmpdir(), 'cancelled-'));
    // The tokenizer knows fewer; they are what makes the model large enough to be run in stages.
    const size = { numLayers, numHeads: 4, width: 128, vocabulary: 30_000, context: 1024 };
    writeRandomBert(join(path, 'model.onnx'), size);
    writeFileSync(join(path, 'tokenizer.json'), tinyTokenizer());
    const { model: spec, ...reading } = params(short);
    const runtimes = new Runtimes({ wasm: () => Promise.resolve(web) }, 1);
    const whole = await loadOnBackend(runtimes, spec, (choosing) => LoadedModel.load(choosing, nodeFileAccess, spec));
    const [layer] = (await whole.explain(reading)).layers.slice(-1);
    expected = [...(await layer.rows(0, 0, layer.numQueries))];
    await whole.release();
  });
  after(() => rmSync(path, { recursive: true }));

  const start = (patience: ConstructorParameters<typeof EngineSupervisor>[3]): void => {
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    supervisor = new EngineSupervisor(
      nodeEngineLauncher(script, () => {}),
      log,
      everySecond,
      patience,
    );
    told = [];
    supervisor.onDidProgress((progress) => told.push(progress));
  };
  afterEach(() => supervisor.dispose());

  /** Cancels a long run at some moment of its progress, or some milliseconds later. Resolves to the number of the stage that was run last, when the next run may begin. */
  const cancelWhen = async (isThen: (progress: Progress) => boolean, later = 0): Promise<number> => {
    const controller = new AbortController();
    const listening = supervisor.onDidProgress((progress) => {
      if (!isThen(progress)) return;
      if (later === 0) controller.abort();
      else setTimeout(() => controller.abort(), later);
    });
    expect(await codeOf(supervisor.explain(params(long), controller.signal))).to.equal('cancelled');
    listening.dispose();
    return Math.max(...told.splice(0).map(({ layers }) => layers?.done ?? 0));
  };
  const largestError = async (run: HeldRun): Promise<number> => {
    const [{ component, layers }] = run.info.components;
    const heads = [{ layer: layers.length - 1, head: 0 }];
    const { weights } = await run.pattern({ component, heads, aggregation: 'mean' });
    expect(weights).to.have.length(expected.length);
    return weights.reduce((largest, weight, i) => Math.max(largest, Math.abs(weight - expected[i])), 0);
  };

  for (const [when, isThen] of [
    ['its first stage is', ({ stage }) => stage === 'loadModel'],
    ['its stages are', ({ layers }) => layers?.done === 2],
  ] as const satisfies readonly (readonly [string, (progress: Progress) => boolean])[])
    it(`while ${when} loaded leaves the process and what it has loaded: the next run loads the rest`, async () => {
      start({ inRun: 5, inStep: 30_000, asleep: 5000 });
      expect(await cancelWhen(isThen), 'the last stages were not reached').to.be.lessThan(numLayers - 1);
      const { pid } = supervisor;
      expect(pid).to.not.equal(undefined);
      const run = await supervisor.explain(params(short), never);
      expect(supervisor.pid).to.equal(pid);
      expect(told.map(({ stage }) => stage)).to.not.include('loadModel');
      expect(await largestError(run)).to.be.at.most(1e-6);
    });

  it('inside of a stage that takes longer than it may ends the process, and the next run has another', async () => {
    start({ inRun: 5, inStep: 5, asleep: 5000 });
    await supervisor.explain(params(short), never);
    const { pid } = supervisor;
    // Between two stages it would end without that: this is when the next one is under way.
    await cancelWhen(({ layers }) => layers?.done === 2, 30);
    expect(supervisor.pid).to.not.equal(pid);
    await expectEventually(() => expect(() => process.kill(Number(pid), 0), 'it is gone').to.throw());
    expect(await largestError(await supervisor.explain(params(short), never))).to.be.at.most(1e-6);
  });
});
