import { expect } from 'chai';
import type { Disposable } from '../../src/base/disposable';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { browserEngineLauncher } from '../../src/host/engine/launchEngine.browser';
import type { FileKind } from '../../src/model/fileLimits';
import type { ModelSpec } from '../../src/protocol';
import { codeOf } from '../harness/codeOf';
import { expectEventually } from '../harness/eventually';
import { readFixture } from '../harness/fixtures';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { memoryAccess } from './fixtureAccess';

const fetchAsset = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(new URL(`/dist/${name}`, self.location.origin))).arrayBuffer());
const never = new AbortController().signal;

/** A tokenizer whose expression takes for ever on a long run of x. */
const slowTokenizer = JSON.stringify({
  ...JSON.parse(tinyTokenizer()),
  pre_tokenizer: { type: 'Split', pattern: { Regex: '(?:(?:x+)+y|.)' }, behavior: 'Isolated' },
});
const endless = '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}';

describe('The engine of the web, which cannot end its own steps', function () {
  this.timeout(60_000);
  const listeners = new Set<() => void>();
  let supervisor: EngineSupervisor;
  const spec = (path: string): ModelSpec => ({ path, backend: 'wasm', threads: 1 });

  before(async () => {
    const model = await readFixture('zoo/gpt2.sdpa.legacy/model.onnx');
    const access = memoryAccess({
      'good/model.onnx': model,
      'good/tokenizer.json': tinyTokenizer(),
      'good/chat_template.jinja': '{{ messages[0].content }}',
      'slow/model.onnx': model,
      'slow/tokenizer.json': slowTokenizer,
      'slow/chat_template.jinja': endless,
    });
    const files = {
      readFile: async ({ path, kind }: { readonly path: string; readonly kind: FileKind }) => ({
        bytes: (await access.read(path, kind)).slice(),
      }),
      listFolder: async ({ path }: { readonly path: string }) => ({ names: await access.list(path) }),
      statFile: async ({ path }: { readonly path: string }) => ({
        kind: (await access.exists(path)) ? ('file' as const) : ('none' as const),
        size: 0,
      }),
    };
    const ticks = (listener: () => void): Disposable => {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    };
    supervisor = new EngineSupervisor(
      browserEngineLauncher(fetchAsset, files, () => {}),
      { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      ticks,
    );
  });
  after(() => supervisor.dispose());

  /** Lets time pass, twenty seconds in each, until something has come to its end. */
  async function codeInTime(asked: Promise<unknown>): Promise<string> {
    const code = codeOf(asked);
    let isOver = false;
    void code.then(() => (isOver = true));
    while (!isOver) {
      for (const listener of [...listeners]) listener();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return code;
  }

  it('is ended in a text that its tokenizer does not get through, and the next run works', async () => {
    const text = 'x'.repeat(60);
    expect(await codeInTime(supervisor.explain({ model: spec('slow'), text, tokenLimit: 0 }, never))).to.equal(
      'tookTooLong',
    );
    const run = await supervisor.explain({ model: spec('good'), text, tokenLimit: 0 }, never);
    expect(run.info.streams[0].tokens).to.have.length(60);
  });

  it('is ended in a chat template without end, and the next one comes', async () => {
    expect(await codeInTime(supervisor.chatTemplate(() => spec('slow'), never))).to.equal('tookTooLong');
    expect((await supervisor.chatTemplate(() => spec('good'), never)).prefix).to.equal('');
  });

  it('lets go of a chat template without end when it is cancelled, or a run is asked for', async () => {
    const controller = new AbortController();
    const before = listeners.size;
    const asked = codeOf(supervisor.chatTemplate(() => spec('slow'), controller.signal));
    await expectEventually(() => expect(listeners.size).to.be.greaterThan(before));
    expect(
      (await supervisor.explain({ model: spec('good'), text: 'ab', tokenLimit: 0 }, never)).info.streams[0].tokens,
    ).to.have.length(2);
    controller.abort();
    expect(await asked).to.equal('cancelled');
  });
});
