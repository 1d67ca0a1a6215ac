import { expect } from 'chai';
import { ExplorerError } from '../../../src/base/errors';
import type { ProcessEnd } from '../../../src/base/processEnd';
import type { Disposable } from '../../../src/base/disposable';
import { RowReader } from '../../../src/host/editor/rowReader';
import { EngineSupervisor } from '../../../src/host/engine/engineSupervisor';
import { everySecond } from '../../../src/host/engine/engineWatch';
import type { HeldRun } from '../../../src/host/engine/heldRun';
import type { Log } from '../../../src/host/say/log';
import { comingLayers } from '../../../src/model/head';
import { plainForm } from '../../../src/model/patternForm';
import { initialView } from '../../../src/model/viewState';
import { behave, endlessModel, FakeLauncher } from './fakeEngine';
import { codeOf } from '../../harness/codeOf';

const never = new AbortController().signal;
const selection = { component: 'self', heads: [{ layer: 0, head: 0 }], aggregation: 'mean' } as const;

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition(), 'in time').to.equal(true);
}

describe('The engine supervisor', () => {
  let launcher: FakeLauncher;
  let supervisor: EngineSupervisor;
  let logged: string[];
  let states: string[];

  beforeEach(() => {
    launcher = new FakeLauncher();
    logged = [];
    states = [];
    const say = (message: string): void => void logged.push(message);
    const log: Log = { debug: say, info: say, warn: say, error: say };
    supervisor = new EngineSupervisor(launcher, log);
    supervisor.onDidChangeState(({ kind }) => states.push(kind));
  });
  afterEach(() => {
    supervisor.dispose();
    expect(launcher.alive, 'engines left').to.have.length(0);
  });

  it('starts no engine before the first use', () => {
    expect(launcher.launched).to.have.length(0);
    expect(supervisor.state.kind).to.equal('notStarted');
  });

  it('begins an engine once, while what it will be asked is still looked for', async () => {
    const params = behave('answer', 'one');
    supervisor.begin(params.model);
    supervisor.begin(params.model);
    expect(launcher.launched).to.have.length(1);
    await supervisor.explain(params, never);
    supervisor.begin(params.model);
    expect(launcher.launched[0].explained).to.deep.equal(['answer one']);
    await until(() => launcher.launched.length === 2);
  });

  it('runs on one engine, says so, and keeps a warm spare afterwards', async () => {
    const first = await supervisor.explain(behave('answer', 'one'), never);
    const second = await supervisor.explain(behave('answer', 'two'), never);
    expect(first.info.streams[0].text).to.equal('answer one');
    expect(second.info.runId).to.not.equal(first.info.runId);
    expect(states).to.deep.equal(['running', 'idle', 'running', 'idle']);
    expect(launcher.launched[0].explained).to.deep.equal(['answer one', 'answer two']);
    expect(supervisor.hasSpare).to.equal(false);
    await until(() => launcher.launched.length === 2 && launcher.launched[1].warmUps === 1);
    expect(supervisor.hasSpare).to.equal(true);
  });

  it('reads a run under the id that its engine gave it, and lets go of it', async () => {
    await supervisor.explain(behave('answer'), never);
    const crashed = supervisor.explain(behave('crash'), never);
    await codeOf(crashed);
    const run = await supervisor.explain(behave('answer'), never);
    expect(run.info.runId).to.equal(2);
    expect([...(await run.row({ selection, position: 0, direction: 'reads' }))]).to.deep.equal([1]);
    run.release();
    expect(run.isHeld).to.equal(false);
    expect(await codeOf(run.pattern(selection))).to.equal('unknownRun');
    await until(() => launcher.alive.some((engine) => engine.released.includes(1)));
  });

  it('tells that relations are those of a program, where there is none to read', async () => {
    const run = await supervisor.explain(behave('answer'), never);
    expect(await codeOf(run.relations({ component: 'self', method: 'attention' }))).to.equal('noRelations');
  });

  it('tells of the layers of a scan under the id that the window has for the run, and of no other scan', async () => {
    await supervisor.explain(behave('answer'), never);
    await codeOf(supervisor.explain(behave('crash'), never));
    const run = await supervisor.explain(behave('answer'), never);
    const told: string[] = [];
    const asked = { question: { kind: 'loss' }, by: 'zero', path: 'total', scan: 7 } as const;
    const all = await run.headEffects(asked, ({ runId, scan, layer, done, of }) =>
      told.push([runId, scan, layer, done, of].join()),
    );
    expect(told).to.deep.equal(['2,7,0,1,2', '2,7,1,2,2']);
    expect(all.layers.map(({ effects }) => [...effects])).to.deep.equal([[0], [1]]);
  });

  it('holds the attention of a run with interventions as long as they are on, and the run', async () => {
    const run = await supervisor.explain(behave('answer'), never);
    const intervened = { ...plainForm, compared: 'intervened' } as const;
    expect(await codeOf(run.weightForm('self', intervened)), 'none is held').to.equal('unknownRun');
    const silence = { kind: 'silence', component: 'self', heads: [{ layer: 0, head: 0 }], by: 'zero' } as const;
    expect(await run.intervene({ interventions: [silence] })).to.deep.equal({ isHeld: true });
    const form = await run.weightForm('self', intervened);
    expect(form?.compared).to.deep.equal({ otherId: 901, pairing: 'index', shows: 'intervened' });
    expect(await run.intervene({ interventions: [silence, silence] })).to.deep.equal({ isHeld: true });
    await until(() => launcher.alive.some((engine) => engine.released.includes(901)));
    expect((await run.weightForm('self', intervened))?.compared?.otherId).to.equal(902);
    run.release();
    await until(() => launcher.alive.some((engine) => engine.released.includes(902)));
  });

  it('gives the editor the weights of the run with interventions as long as that is held, as they are, and tells when that changes', async () => {
    const run = await supervisor.explain(behave('answer', 'two'), never);
    const rows = new RowReader();
    const view = { ...initialView, sinks: 'fade' } as const;
    const read = async (): Promise<[number, boolean] | undefined> => {
      const row = await rows.read({ runId: run.info.runId, info: run.info, held: run }, view, [
        { stream: 0, position: 1 },
      ]);
      return row && [row.weights[0], row.isIntervened];
    };
    let numTold = 0;
    run.onDidIntervene(() => numTold++);
    const plain = await read();
    expect(plain).to.deep.equal([1, false]);
    const silence = { kind: 'silence', component: 'self', heads: [{ layer: 0, head: 0 }], by: 'zero' } as const;
    await run.intervene({ interventions: [silence] });
    expect([await read(), numTold]).to.deep.equal([[901, true], 1]);
    await run.intervene({ interventions: [silence, silence] });
    expect(await read()).to.deep.equal([902, true]);
    await run.intervene({ interventions: [] });
    expect([await read(), numTold]).to.deep.equal([plain, 4]);
  });

  it('runs in turn where it is asked to: no run ends another, and the engine stays', async () => {
    await supervisor.explain(behave('answer'), never);
    const [first, second] = [
      supervisor.explainInTurn(behave('slow'), never),
      supervisor.explainInTurn(behave('answer', 'two'), never),
    ];
    const third = supervisor.explain(behave('answer', 'three'), never);
    const runs = await Promise.all([first, second, third]);
    expect(runs.map(({ info }) => info.streams[0].text)).to.deep.equal(['slow', 'answer two', 'answer three']);
    expect(launcher.launched[0].explained).to.deep.equal(['answer', 'slow', 'answer two', 'answer three']);
    expect(launcher.launched[0].isOver).to.equal(false);
  });

  it('starts an engine ahead with its model, and says that it runs only when it does', async () => {
    const { model } = behave('answer');
    await supervisor.prepare(model);
    expect(launcher.launched.map(({ prepared }) => prepared)).to.deep.equal([[model.path]]);
    expect(supervisor.state.kind).to.equal('notStarted');
    await supervisor.explain(behave('answer'), never);
    expect(launcher.launched[0].explained).to.deep.equal(['answer']);
    expect(states).to.deep.equal(['running', 'idle']);
  });

  it('gives way in the background where it is told to, whichever engine runs', async () => {
    supervisor.setBackground(true);
    await supervisor.explain(behave('answer'), never);
    await codeOf(supervisor.explain(behave('crash'), never));
    await supervisor.explain(behave('answer'), never);
    supervisor.setBackground(false);
    expect(
      launcher.launched.filter(({ background }) => background.length > 0).map(({ background }) => background),
    ).to.deep.equal([[true], [true, false]]);
  });

  it('says that the engine stopped, with the reason, and works the next time', async () => {
    const before = await supervisor.explain(behave('answer'), never);
    expect(await codeOf(supervisor.explain(behave('crash'), never))).to.equal('engineStopped');
    expect(supervisor.state).to.deep.equal({ kind: 'stopped', reason: 'signal SIGKILL' });
    expect(before.isHeld).to.equal(false);
    expect(await codeOf(before.row({ selection, position: 0, direction: 'reads' }))).to.equal('unknownRun');
    await supervisor.explain(behave('answer'), never);
    expect(supervisor.state.kind).to.equal('idle');
  });

  it('notices an engine that dies while it has nothing to do', async () => {
    await supervisor.explain(behave('answer'), never);
    supervisor.crash();
    await until(() => supervisor.state.kind === 'stopped');
    await supervisor.explain(behave('answer'), never);
    expect(supervisor.state.kind).to.equal('idle');
  });

  it('keeps an engine that lets go of a cancelled run', async () => {
    const controller = new AbortController();
    const running = supervisor.explain(behave('wait'), controller.signal);
    await until(() => launcher.launched[0]?.explained.length === 1);
    controller.abort();
    expect(await codeOf(running)).to.equal('cancelled');
    expect(launcher.alive).to.have.length(1);
    await supervisor.explain(behave('answer'), never);
    expect(launcher.launched).to.have.length(1);
  });

  it('hands out a run whose layers come one after another, and what is asked of one that is to come waits for it', async () => {
    const second = { ...selection, heads: [{ layer: 1, head: 0 }] };
    const seen: string[] = [];
    let growing: HeldRun | undefined;
    const running = supervisor.explain(behave('grow'), never, (run) => {
      growing = run;
      seen.push(`growing ${run.isGrowing}`, `coming ${comingLayers(second, run.info.components).join()}`);
      void run.pattern(selection).then(() => seen.push('first layer'));
      void run.pattern(second).then(() => seen.push('second layer'));
      void run.thumbnails({ component: 'self', size: 8 }).then(() => seen.push('thumbnails'));
      void run.headPairs({ component: 'self', queries: [0], keys: [0] }).then(() => seen.push('all heads'));
    });
    const run = await running;
    seen.push('done');
    expect(run).to.equal(growing);
    expect(run.isGrowing).to.equal(false);
    expect(comingLayers(second, run.info.components)).to.deep.equal([]);
    await until(() => seen.length === 7);
    expect(seen.slice(0, 2)).to.deep.equal(['growing true', 'coming 1']);
    expect(seen.slice(2, 4)).to.have.members(['first layer', 'thumbnails']);
    expect(seen.slice(4)).to.include.members(['second layer', 'all heads', 'done']);
    expect(seen.indexOf('all heads')).to.be.greaterThan(seen.indexOf('second layer'));
  });

  it('keeps an engine that runs in stages when its run is cancelled inside of one, with the layers that are there', async () => {
    const second = { ...selection, heads: [{ layer: 1, head: 0 }] };
    let growing: HeldRun | undefined;
    const controller = new AbortController();
    const running = supervisor.explain(behave('growOn'), controller.signal, (run) => (growing = run));
    await until(() => growing !== undefined);
    const waiting = growing?.pattern(second);
    controller.abort();
    expect(await codeOf(running)).to.equal('cancelled');
    expect(await codeOf(waiting ?? Promise.resolve())).to.equal('cancelled');
    expect(growing?.isGrowing).to.equal(false);
    expect(growing?.info.components[0].layers.map(({ numHeads }) => numHeads)).to.deep.equal([2, 0]);
    expect([...((await growing?.row({ selection, position: 0, direction: 'reads' })) ?? [])]).to.deep.equal([1]);
    await supervisor.explain(behave('answer'), never);
    expect(launcher.launched[0].explained).to.deep.equal(['growOn', 'answer']);
    expect(launcher.launched).to.have.length(1);
  });

  it('ends an engine inside of a stage that lasts longer than it may, and the next run has another', async () => {
    supervisor.dispose();
    supervisor = new EngineSupervisor(
      launcher,
      { debug: () => {}, info: (message) => logged.push(message), warn: () => {}, error: () => {} },
      everySecond,
      { inRun: 0, inStep: 100, asleep: 5000 },
    );
    let growing: HeldRun | undefined;
    const controller = new AbortController();
    const running = supervisor.explain(behave('growOn'), controller.signal, (run) => (growing = run));
    await until(() => growing !== undefined);
    controller.abort();
    expect(await codeOf(running)).to.equal('cancelled');
    await supervisor.explain(behave('answer'), never);
    expect(launcher.launched.map(({ explained }) => explained)).to.deep.equal([['growOn'], ['answer']]);
    expect(launcher.alive).to.deep.equal([launcher.launched[1]]);
    expect(logged).to.deep.equal(['Engine ended: its run was cancelled.']);
  });

  it('ends a run in stages for a newer one, on the same engine, and lets go of what nobody wanted of it', async () => {
    const former = supervisor.explain(behave('growOn'), never);
    await until(() => launcher.launched[0]?.explained.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [code, newer] = await Promise.all([codeOf(former), supervisor.explain(behave('answer'), never)]);
    expect([code, newer.info.streams[0].text]).to.deep.equal(['cancelled', 'answer']);
    expect(launcher.launched).to.have.length(1);
    await until(() => launcher.launched[0].released.includes(1));
  });

  it('ends an engine that is inside a run when it is cancelled, and promotes the spare', async () => {
    await supervisor.explain(behave('answer'), never);
    await until(() => supervisor.hasSpare);
    const spare = launcher.launched[1];
    const controller = new AbortController();
    const running = supervisor.explain(behave('block'), controller.signal);
    await until(() => launcher.launched[0].explained.includes('block'));
    const started = performance.now();
    controller.abort();
    expect(await codeOf(running)).to.equal('cancelled');
    expect(performance.now() - started).to.be.below(1000);
    expect(launcher.launched[0].isOver).to.equal(true);
    expect(supervisor.pid).to.equal(spare.pid);
    expect(states).to.not.include('stopped');
    await supervisor.explain(behave('answer'), never);
    expect(spare.explained).to.deep.equal(['answer']);
  });

  it('cancels the older of two runs', async () => {
    const older = supervisor.explain(behave('block'), never);
    await until(() => launcher.launched[0]?.explained.length === 1);
    const newer = supervisor.explain(behave('answer', 'newer'), never);
    expect(await codeOf(older)).to.equal('cancelled');
    expect((await newer).info.streams[0].text).to.equal('answer newer');
  });

  it('lets the last of ten runs win, and the others end', async () => {
    const runs = Array.from({ length: 10 }, (_, i) =>
      supervisor.explain(behave(i % 2 === 0 ? 'block' : 'answer', String(i)), never),
    );
    const codes = await Promise.all(runs.map(codeOf));
    expect(codes).to.deep.equal([...Array.from({ length: 9 }, () => 'cancelled'), 'none']);
    expect((await runs[9]).info.streams[0].text).to.equal('answer 9');
  });

  it('takes no run that is cancelled before it starts', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await codeOf(supervisor.explain(behave('answer'), controller.signal))).to.equal('cancelled');
    expect(launcher.launched).to.have.length(0);
  });

  it('replaces an engine that ran out of memory', async () => {
    expect(await codeOf(supervisor.explain(behave('outOfMemory'), never))).to.equal('outOfMemory');
    expect(launcher.alive).to.have.length(0);
    expect(supervisor.state.kind).to.equal('notStarted');
    await supervisor.explain(behave('answer'), never);
  });

  it('replaces an engine whose backend or number of threads is no longer asked for', async () => {
    await supervisor.explain(behave('answer', '', 1), never);
    await supervisor.explain(behave('answer', '', 2), never);
    expect(launcher.launched).to.have.length(2);
    expect(launcher.launched[0].isOver).to.equal(true);
    const { model, ...rest } = behave('answer', '', 2);
    await supervisor.explain({ ...rest, model: { ...model, backend: 'native' } }, never);
    expect(launcher.launched).to.have.length(3);
  });

  it('restarts on demand, during a run as well', async () => {
    const running = supervisor.explain(behave('block'), never);
    await until(() => launcher.launched[0]?.explained.length === 1);
    supervisor.restart({ backend: 'wasm', threads: 0 });
    expect(await codeOf(running)).to.equal('cancelled');
    expect(launcher.launched[0].isOver).to.equal(true);
    await until(() => supervisor.state.kind === 'idle');
    expect(launcher.alive).to.have.length(1);
    await supervisor.explain(behave('answer'), never);
    expect(launcher.launched).to.have.length(2);
  });

  it('passes on the progress of the run', async () => {
    const stages: string[] = [];
    supervisor.onDidProgress(({ stage }) => stages.push(stage));
    await supervisor.explain(behave('answer'), never);
    expect(stages).to.deep.equal(['run']);
  });

  it('loses a spare that dies without a word to the person', async () => {
    await supervisor.explain(behave('answer'), never);
    await until(() => supervisor.hasSpare);
    launcher.launched[1].kill();
    await until(() => !supervisor.hasSpare);
    expect(supervisor.state.kind).to.equal('idle');
    expect(logged.join('\n')).to.include('spare');
  });

  describe('watches steps that an engine cannot end by itself', () => {
    const listeners = new Set<() => void>();
    const tick = (count: number): void => {
      for (let i = 0; i < count; i++) for (const listener of [...listeners]) listener();
    };
    const ticks = (listener: () => void): Disposable => {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    };
    beforeEach(() => {
      supervisor.dispose();
      supervisor = new EngineSupervisor(
        launcher,
        { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
        ticks,
      );
    });
    afterEach(() => {
      supervisor.dispose();
      expect(listeners.size, 'watches left').to.equal(0);
    });

    it('in a run: its seconds are ticks, and the next run has a fresh engine', async () => {
      const running = supervisor.explain(behave('overdue'), never);
      await until(() => listeners.size > 1); // the engine's own watch, and the step's
      tick(3);
      expect(launcher.launched[0].isOver).to.equal(false);
      tick(1);
      const error = await running.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.include({
        code: 'tookTooLong',
        message:
          'The tokenizer took longer than 3 s and was ended: choose another model, or a smaller text or picture.',
      });
      expect(supervisor.state.kind).to.equal('notStarted');
      expect((await supervisor.explain(behave('answer'), never)).info.streams[0].text).to.equal('answer');
    });

    it('in a document', async () => {
      const asked = supervisor.chatTemplate(() => ({ ...behave('answer').model, path: endlessModel }), never);
      await until(() => listeners.size > 1);
      tick(6);
      expect(await codeOf(asked)).to.equal('tookTooLong');
      await supervisor.explain(behave('answer'), never);
    });
  });

  describe('asked for a document that does not come', () => {
    const { model } = behave('answer');
    const endless = { ...model, path: endlessModel };

    it('lets it be cancelled, and an engine that answers no more go', async () => {
      const controller = new AbortController();
      const asked = supervisor.chatTemplate(() => endless, controller.signal);
      await until(() => launcher.launched[0]?.documents.length === 1);
      controller.abort();
      expect(await codeOf(asked)).to.equal('cancelled');
      expect(launcher.alive).to.have.length(0);
      expect((await supervisor.chatTemplate(() => model, never)).modelName).to.equal('fake');
    });

    it('keeps no run waiting, and asks for it anew when that is through', async () => {
      const controller = new AbortController();
      const asked = supervisor.chatTemplate(() => endless, controller.signal);
      await until(() => launcher.launched[0]?.documents.length === 1);
      const started = performance.now();
      expect((await supervisor.explain(behave('answer', 'now'), never)).info.streams[0].text).to.equal('answer now');
      expect(performance.now() - started).to.be.below(1000);
      expect(launcher.launched[0].isOver).to.equal(true);
      await until(() => launcher.launched[1].documents.length === 1);
      controller.abort();
      expect(await codeOf(asked)).to.equal('cancelled');
    });

    it('loses no run of which it is cancelled, and takes the spare meanwhile', async () => {
      await supervisor.explain(behave('answer'), never);
      await until(() => supervisor.hasSpare);
      const running = new AbortController();
      const run = supervisor.explain(behave('block'), running.signal);
      await until(() => launcher.launched[0].explained.includes('block'));
      const controller = new AbortController();
      const asked = supervisor.chatTemplate(() => endless, controller.signal);
      await until(() => launcher.launched[1].documents.length === 1);
      controller.abort();
      expect(await codeOf(asked)).to.equal('cancelled');
      expect([launcher.launched[0].isOver, launcher.launched[1].isOver]).to.deep.equal([false, true]);
      running.abort();
      expect(await codeOf(run)).to.equal('cancelled');
    });

    it('keeps an engine that answers, with its model', async () => {
      await supervisor.explain(behave('answer'), never);
      const [document, run] = await Promise.all([
        supervisor.chatTemplate(() => model, never),
        supervisor.explain(behave('answer', 'two'), never),
        supervisor.inspect(() => model, never),
      ]);
      expect([document.modelName, run.info.streams[0].text]).to.deep.equal(['fake', 'answer two']);
      expect(launcher.launched[0].isOver).to.equal(false);
    });
  });

  it('leaves nothing running when it is disposed in mid-run', async () => {
    const running = supervisor.explain(behave('block'), never);
    await until(() => launcher.launched[0]?.explained.length === 1);
    supervisor.dispose();
    expect(await codeOf(running)).to.equal('cancelled');
    expect(launcher.alive).to.have.length(0);
  });

  describe('on a clock of its own', () => {
    const listeners = new Set<() => void>();
    const tick = (): void => [...listeners].forEach((listener) => listener());
    const ticks = (listener: () => void): Disposable => {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    };

    beforeEach(() => {
      supervisor.dispose();
      supervisor = new EngineSupervisor(
        launcher,
        { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
        ticks,
      );
    });

    it('ends an engine that beat and beats no more, and the next request works', async () => {
      let hasBegun = false;
      supervisor.onDidProgress(() => (hasBegun = true));
      const running = supervisor.explain(behave('block'), never);
      await until(() => hasBegun);
      launcher.launched[0].beat();
      for (let i = 0; i < 10; i++) tick();
      expect(launcher.launched[0].isOver).to.equal(false);
      tick();
      expect(await codeOf(running)).to.equal('engineStopped');
      expect(launcher.launched[0].isOver).to.equal(true);
      await supervisor.explain(behave('answer'), never);
    });

    it('takes nothing for dead after the machine slept, however long: what was late is one tick', async () => {
      await supervisor.explain(behave('answer'), never);
      const [engine] = launcher.launched;
      for (let nights = 0; nights < 100; nights++) {
        // Each timer comes once when all wakes, whichever first.
        tick();
        tick();
        engine.beat();
        await new Promise((resolve) => setTimeout(resolve));
      }
      expect(engine.isOver).to.equal(false);
      await supervisor.explain(behave('answer', 'morning'), never);
      expect(engine.explained).to.deep.equal(['answer', 'answer morning']);
    });

    it('asks once more for what took too long while the machine slept, and only then', async () => {
      const explained = async (asleep: number, pass: () => void): Promise<readonly [string, number]> => {
        const own = new FakeLauncher();
        const watching = new EngineSupervisor(
          own,
          { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
          ticks,
          { inRun: 150, inStep: 2000, asleep },
        );
        try {
          let hasBegun = false;
          watching.onDidProgress(() => (hasBegun = true));
          const running = watching.explain(behave('late'), never);
          await until(() => hasBegun);
          pass();
          return [await codeOf(running), own.launched[0].explained.length];
        } finally {
          watching.dispose();
        }
      };
      // The engine takes 50 ms for it.
      expect(await explained(25, () => {})).to.deep.equal(['none', 2]);
      expect(await explained(25, () => tick())).to.deep.equal(['tookTooLong', 1]);
      expect(await explained(5000, () => {})).to.deep.equal(['tookTooLong', 1]);
    });

    it('ends a spare that is silent without a word to the person', async () => {
      await supervisor.explain(behave('answer'), never);
      await until(() => supervisor.hasSpare);
      launcher.launched[1].beat();
      for (let i = 0; i < 11; i++) {
        launcher.launched[0].beat();
        tick();
      }
      await until(() => !supervisor.hasSpare);
      expect(supervisor.state.kind).to.equal('idle');
      expect(launcher.launched.map(({ isOver }) => isOver)).to.deep.equal([false, true]);
    });

    it('ends an engine that beats and has nothing to do, and yet does not answer', async () => {
      await supervisor.explain(behave('answer'), never);
      const [engine] = launcher.launched;
      const pass = (seconds: number): void => {
        for (let i = 0; i < seconds; i++) {
          engine.beat();
          tick();
        }
      };
      pass(31);
      await new Promise((resolve) => setTimeout(resolve, 20)); // it answers
      pass(29);
      engine.dieUnnoticed();
      pass(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      pass(19);
      expect(engine.isOver).to.equal(false);
      pass(40);
      expect(engine.isOver).to.equal(true);
      await until(() => supervisor.state.kind === 'stopped');
      expect(supervisor.state).to.deep.equal({ kind: 'stopped', reason: 'it did not answer for 20 seconds' });
    });
  });

  it('sends a request once more where its engine was gone before it began, and only then', async () => {
    await supervisor.explain(behave('answer'), never);
    const asked = supervisor.explain(behave('answer', 'again'), never);
    launcher.launched[0].kill(); // what was sent is on its way, and never arrives
    expect((await asked).info.streams[0].text).to.equal('answer again');
    expect(launcher.launched).to.have.length(2);
    expect(await codeOf(supervisor.explain(behave('crash'), never))).to.equal('engineStopped');
    expect(launcher.launched[1].explained).to.deep.equal(['answer again', 'crash']);
    expect(launcher.launched).to.have.length(2);
    // The same of what only reads.
    const report = supervisor.inspect(() => behave('answer').model, never);
    launcher.launched[2].kill();
    expect((await report).title).to.equal('report');
  });

  it('gives up where no engine lives long enough to begin', async () => {
    launcher.isBroken = true;
    expect(await codeOf(supervisor.explain(behave('answer'), never))).to.equal('engineStopped');
    expect(launcher.launched).to.have.length(4);
    launcher.isBroken = false;
    await supervisor.explain(behave('answer'), never);
  });

  it('says what an engine died of: want of memory, or a file that changed under it', async () => {
    const dieOf = async (end: ProcessEnd): Promise<{ code: string; args: readonly (string | number)[] }> => {
      const running = supervisor.explain(behave('block'), never);
      running.catch(() => {});
      await until(() => launcher.alive.some(({ explained }) => explained.includes('block')));
      await new Promise((resolve) => setTimeout(resolve, 10));
      launcher.alive.find(({ explained }) => explained.includes('block'))?.kill(end);
      return running.then(
        () => ({ code: 'none', args: [] }),
        (error: unknown) => ExplorerError.from(error).serialize(),
      );
    };
    expect(await dieOf({ kind: 'memory', reason: 'this run' })).to.deep.include({
      code: 'outOfMemory',
      args: ['this run'],
    });
    expect(supervisor.state.kind).to.equal('notStarted');
    expect(await dieOf({ kind: 'files', reason: 'model.onnx.data' })).to.deep.include({
      code: 'modelChanged',
      args: ['model.onnx.data'],
    });
    expect(supervisor.state).to.deep.equal({ kind: 'stopped', reason: "the model's file model.onnx.data changed" });
    await supervisor.explain(behave('answer'), never);
  });
});
