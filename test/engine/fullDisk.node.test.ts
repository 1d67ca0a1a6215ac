import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import 'vscode-jsonrpc/node';
import { plain } from '../../src/base/safeText';
import { writeWhole } from '../../src/base/wholeFile.node';
import { numbersWriter } from '../../src/engine/serve/numbersWriter.node';
import { writeExplanation } from '../../src/host/explanations/explanationFile';
import { matrixSvg } from '../../src/model/figures/matrixSvg';
import { pageFile } from '../../src/model/figures/pageFile';
import { pageSentences } from '../../src/model/figures/pageWords';
import type { RunInfo } from '../../src/model/modelInfo';
import { numberFormats, plainFileForm } from '../../src/model/numbers/numbersFile';
import { editorColours, rampFor } from '../../src/model/ramp';
import { initialView } from '../../src/model/viewState';
import type { EngineApi, EngineEvents } from '../../src/protocol';
import type { Connection } from '../../src/rpc/connection';
import { errorOf } from '../harness/codeOf';
import { onFullDisk } from '../harness/fullDisk';
import { serveEngine } from './servedEngine.node';

const numTokens = 300;
const { background, foreground } = editorColours.light;
const ramp = rampFor('blue', background, foreground, 'reads');

/** Everything that is written to a file that a person names goes through `writeWhole`, in the window or in the engine. */
describe('On a disk that becomes full', function () {
  this.timeout(20_000);
  let folder: string;
  let connection: Connection<EngineApi, object, EngineEvents>;
  let end: () => void;
  let run: RunInfo;
  const weights = Float32Array.from({ length: numTokens * numTokens }, (_, i) => ((i * 37) % 101) / 101);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ae-full-'));
    ({ connection, end } = serveEngine({ numbersWriter }));
    const tokens = JSON.stringify(Array.from({ length: numTokens }, (_, i) => `${i}`));
    const header = JSON.stringify({
      'attention.self.0': { dtype: 'F32', shape: [1, numTokens, numTokens], data_offsets: [0, weights.byteLength] },
      tokens: {
        dtype: 'U8',
        shape: [tokens.length],
        data_offsets: [weights.byteLength, weights.byteLength + tokens.length],
      },
    });
    const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
    const bytes = Buffer.concat([length, Buffer.from(header), new Uint8Array(weights.buffer), Buffer.from(tokens)]);
    run = await connection.remote.openAttention({ path: 'run.attention.safetensors', bytes });
  });
  after(() => {
    end();
    rmSync(folder, { recursive: true });
  });

  async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const chosen = () => ({
    model: run.model,
    notices: [],
    components: run.components,
    method: 'attention' as const,
    heads: undefined,
  });
  const figure = (): string =>
    matrixSvg(
      {
        pattern: { numQueries: numTokens, numKeys: numTokens, weights },
        queries: run.streams[0].tokens.map(({ piece }) => piece),
        keys: run.streams[0].tokens.map(({ piece }) => piece),
        pinned: { rows: [], columns: [] },
        scale: 'absolute',
        ceiling: 1,
        threshold: 0,
        ramp,
      },
      { ...editorColours.light, millimetres: 174, caption: ['file'] },
    );
  const page = () =>
    pageFile(
      { ...chosen(), streams: run.streams, read: () => Promise.resolve(weights) },
      {
        language: 'en',
        words: pageSentences,
        caption: ['file'],
        componentName: (component) => component,
        first: { head: '0.0', component: 'self' },
        scale: 'absolute',
        ceiling: 1,
        ramps: { reads: ramp, readBy: ramp },
        background,
        foreground,
        tabSize: 4,
      },
      { script: '', style: '' },
    );
  const explanation = (): Uint8Array =>
    writeExplanation({
      model: { path: 'bundled:code-decoder', name: plain('code-decoder'), sha256: '0'.repeat(64) },
      text: 'x'.repeat(50_000),
      second: undefined,
      target: undefined,
      isChatMessage: false,
      focus: undefined,
      languages: undefined,
      continuation: undefined,
      tokenLimit: 0,
      view: initialView,
      arrangement: undefined,
    });
  const numbers =
    (format: (typeof numberFormats)[number]) =>
    (path: string, flags: 'w' | 'wx'): Promise<void> =>
      connection.remote.writeNumbers({
        runId: run.runId,
        path,
        flags,
        numbers: chosen(),
        form: { ...plainFileForm, threshold: 0, format },
        forms: [],
      });

  for (const [title, contents] of [
    ['a figure', () => oneOf(new TextEncoder().encode(figure()))],
    ['a stand-alone page', page],
    ['a saved explanation', () => oneOf(explanation())],
    ...numberFormats.map((format) => [`numbers as ${format}`, () => numbers(format)] as const),
  ] as const)
    it(`${title} is not left behind half, in one sentence, and what stood there stays`, async () => {
      const path = join(folder, 'file');
      for (const isThere of [false, true]) {
        if (isThere) writeFileSync(path, 'former');
        // Room for some of it, and for nothing.
        for (const room of [20_000, 0]) {
          const { code, args } = await errorOf(onFullDisk(room, () => writeWhole(path, contents())));
          expect(code).to.equal('fileNotWritten');
          expect(args[1]).to.equal('there is no room left');
          expect(readdirSync(folder)).to.deep.equal(isThere ? ['file'] : []);
          if (isThere) expect(readFileSync(path, 'utf8')).to.equal('former');
        }
      }
      // With room it is written, and is more than there was room for.
      await writeWhole(path, contents());
      expect(readFileSync(path).length).to.be.greaterThan(20_000);
      rmSync(path);
    });
});
