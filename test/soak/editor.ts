// Explanations inside a real VS Code, one after the other, of changing texts and models, with what the extension host and the engine hold after a
// collection. It runs as a test does, and writes what it comes to beside the copy of the extension that it runs in.
import type { HeapCodeStatistics } from 'node:v8';
import * as vscode from 'vscode';
import type { TestApi } from '../../src/host/testApi';
import {
  configure,
  explain,
  extension,
  openText,
  readFixture,
  select,
  sleep,
  testApi,
  writeFile,
  writeTinyModel,
} from '../integration/support';
import { tinyTokenizer } from '../harness/tinyTokenizer';

interface EditorOrder {
  readonly from: number;
  readonly count: number;
  readonly seconds: number;
  readonly seed: number;
  /** A file that takes all the room that is left, from the third run on and until three before the end. */
  readonly fills?: string;
}

const perSample = 20;
const memorySeconds = 30;

/** What is compiled, which grows until all that is used often has been compiled for speed. */
function codeBytes(of: HeapCodeStatistics): number {
  return of.code_and_metadata_size + of.bytecode_and_metadata_size;
}

describe('A soak', function () {
  this.timeout(0);
  it('explains without end', async () => {
    const api = await testApi();
    // Bundled for both kinds of extension host, of which only one has these.
    const [fs, v8, vm] = await Promise.all([import('node:fs'), import('node:v8'), import('node:vm')]);
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    const beside = (name: string): string => vscode.Uri.joinPath(extension().extensionUri, '..', name).fsPath;
    const order = JSON.parse(fs.readFileSync(beside('editor.order.json'), 'utf8')) as EditorOrder; // written by the driver
    let state = (order.seed + order.from) >>> 0;
    const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const write = (part: object): void => fs.appendFileSync(beside('editor.parts'), `${JSON.stringify(part)}\n`);

    await writeTinyModel();
    await writeFile('models/pasts/model.onnx', await readFixture('pasts/gpt2/model.onnx'));
    await writeFile('models/pasts/tokenizer.json', tinyTokenizer());
    await writeFile(
      'models/pasts/config.json',
      JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 }),
    );
    const source = new TextDecoder().decode(await readFixture('code/heldOut.py.txt'));
    const editors = [await openText(source.slice(0, 3000), 'py'), await openText(source.slice(2000, 6000), 'py')];
    const began = performance.now();
    let done = 0;
    while (done < order.count && performance.now() - began < order.seconds * 1000) {
      const started = performance.now();
      if (order.fills !== undefined && done === 3) fill(order.fills);
      if (order.fills !== undefined && done === order.count - 3) fs.rmSync(order.fills);
      const isMeasured = order.fills === undefined && (order.from + done + 1) % perSample === 0;
      if (order.fills === undefined && (isMeasured || random() < 0.1))
        await configure({
          modelPath: isMeasured
            ? undefined
            : ['models/tiny', 'models/pasts', 'bundled:code-encoder', undefined][Math.floor(random() * 4)],
        });
      const { document } = await vscode.window.showTextDocument(
        editors[isMeasured ? 0 : Math.floor(random() * 2)].document,
        vscode.ViewColumn.One,
      );
      const from = isMeasured ? 0 : Math.floor(random() * (document.getText().length - 50));
      const { activeTextEditor } = vscode.window;
      if (activeTextEditor === undefined) throw new Error('no editor');
      select(activeTextEditor, from, from + (isMeasured ? 400 : 20 + Math.floor(random() * 600)));
      const { status } = await explain(api);
      api.changeView({ scale: random() < 0.5 ? 'row' : 'absolute', direction: random() < 0.5 ? 'reads' : 'readBy' });
      done++;
      write({
        done: 1,
        seconds: (performance.now() - started) / 1000,
        counts: { [status.kind]: 1 },
        ...(status.kind === 'ready'
          ? {}
          : { failures: [{ at: order.from + done, what: JSON.stringify(status).slice(0, 500) }] }),
      });
      if (isMeasured) write({ samples: await memory(api, order.from + done) });
    }

    function fill(file: string): void {
      const handle = fs.openSync(file, 'w');
      // In ever smaller pieces, until not one byte has room.
      for (let size = 2 ** 20; size >= 1; size /= 16) {
        try {
          for (;;) fs.writeSync(handle, new Uint8Array(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error; // what a full storage says
        }
      }
      fs.closeSync(handle);
      write({ counts: { 'filled up': 1 } });
    }

    async function memory(testApi: TestApi, at: number): Promise<object> {
      await sleep(200);
      collect();
      await sleep(20);
      collect();
      const { heapUsed, external } = process.memoryUsage();
      const samples = {
        'extension host: heap and buffers': [[at, heapUsed + external]],
        'extension host: its code': [[at, codeBytes(v8.getHeapCodeStatistics())]],
      };
      const pid = testApi.snapshot().enginePid;
      if (pid === undefined) return samples;
      const file = beside(`memory/${pid}.json`);
      fs.rmSync(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      for (let i = 0; i < memorySeconds * 50 && !fs.existsSync(file); i++) await sleep(20);
      const engine = JSON.parse(fs.readFileSync(file, 'utf8')) as NodeJS.MemoryUsage & HeapCodeStatistics; // written by our engine
      return {
        ...samples,
        'engine: heap and buffers': [[at, engine.heapUsed + engine.external]],
        'engine: its code': [[at, codeBytes(engine)]],
        'engine: resident': [[at, engine.rss]],
      };
    }
  });
});
