import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { zipSync } from 'fflate';
import 'vscode-jsonrpc/node';
import { npyHeader, safetensorsHeader } from '../../src/model/numbers/writtenArrays';
import type { EngineApi, EngineEvents } from '../../src/protocol';
import type { Connection } from '../../src/rpc/connection';
import { codeOf, errorOf } from '../harness/codeOf';
import { expectEventually } from '../harness/eventually';
import { serveEngine } from './servedEngine.node';

const [numLayers, numHeads, numTokens] = [5, 8, 400];

/** Layers of which each head reads one token alone, of that number; half a megabyte of tokens and 5 MB of weights each. */
function weightsOf(layer: number): Float32Array {
  const weights = new Float32Array(numHeads * numTokens * numTokens);
  for (let head = 0; head < numHeads; head++)
    for (let query = 0; query < numTokens; query++)
      weights[(head * numTokens + query) * numTokens + Math.min(query, layer + head)] = 1;
  return weights;
}

describe('An attention file that is long', function () {
  this.timeout(20_000);
  let folder: string;
  let connection: Connection<EngineApi, object, EngineEvents>;
  let end: () => void;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-opened-'));
    ({ connection, end } = serveEngine());
  });
  after(() => {
    end();
    rmSync(folder, { recursive: true });
  });

  /** Writes a file of all layers, one of them perhaps changed. */
  function write(
    name: string,
    {
      change = () => {},
      metadata = {},
    }: { change?: (weights: Float32Array, layer: number) => void; metadata?: unknown } = {},
  ): string {
    const tokens = Array.from({ length: numTokens }, (_, i) => `${i}`);
    const layers = Array.from({ length: numLayers }, (_, layer) => {
      const weights = weightsOf(layer);
      change(weights, layer);
      return { name: `attention.self.${layer}`, type: 'F32', shape: [numHeads, numTokens, numTokens], data: new Uint8Array(weights.buffer) } as const; // prettier-ignore
    });
    const texts = Object.entries({ tokens, metadata }).map(([key, value]) => {
      const data = new TextEncoder().encode(JSON.stringify(value));
      return { name: key, type: 'U8', shape: [data.length], data } as const;
    });
    const arrays = [...layers, ...texts];
    const path = join(folder, name);
    writeFileSync(
      path,
      name.endsWith('.npz')
        ? zipSync(
            Object.fromEntries(
              arrays.map((array) => [
                `${array.name}.npy`,
                new Uint8Array(Buffer.concat([npyHeader(array), array.data])),
              ]),
            ),
            { level: name.startsWith('packed') ? 1 : 0 },
          )
        : Buffer.concat([safetensorsHeader(arrays), ...arrays.map(({ data }) => data)]),
    );
    return path;
  }

  const head = async (runId: number, layer: number, of = 0): Promise<readonly number[]> => {
    const selection = { component: 'self', heads: [{ layer, head: of }], aggregation: 'mean' } as const;
    const { weights } = await connection.remote.pattern({ runId, selection });
    return Array.from({ length: numTokens }, (_, query) =>
      weights.subarray(query * numTokens, (query + 1) * numTokens).indexOf(1),
    );
  };
  const expected = (layer: number, of = 0): readonly number[] =>
    Array.from({ length: numTokens }, (_, query) => Math.min(query, layer + of));

  /** Opens a file; `first` is called once, when the first of it has come. */
  async function open(path: string, first: (grown: EngineEvents['growing']) => void, signal?: AbortSignal) {
    const events: EngineEvents['growing'][] = [];
    const listening = connection.on('growing', (grown) => {
      if (events.push(grown) === 1) first(grown);
    });
    try {
      return { run: await connection.remote.openAttention({ path }, signal), events };
    } finally {
      listening.dispose();
    }
  }

  for (const name of ['whole.attention.npz', 'packed.attention.npz', 'whole.attention.safetensors'])
    it(`shows the layer that is looked at before the others are read, and then is all there: ${name}`, async () => {
      const selection = { component: 'self', heads: [{ layer: 3, head: 0 }], aggregation: 'mean' };
      const path = write(name, { metadata: { explanation: { view: { selection } } } });
      let isAnswered = false;
      let seen: Promise<{ readonly isBefore: boolean; readonly read: readonly number[] }> | undefined;
      const { run, events } = await open(path, ({ runId }) => {
        seen = head(runId, 3).then((read) => ({ isBefore: !isAnswered, read }));
      });
      isAnswered = true;
      expect(await seen).to.deep.equal({ isBefore: true, read: expected(3) });
      const [{ run: begun, components }] = events;
      expect(components[0].layers.map(({ isComing, numHeads: heads }) => [isComing, heads])).to.deep.equal(
        Array.from({ length: numLayers }, (_, layer) => [layer === 3 ? undefined : true, numHeads]),
      );
      expect(begun).to.deep.include({ runId: run.runId, streams: run.streams, explanation: run.explanation });
      expect(run.components[0]).to.deep.include({ isCausal: true });
      expect(run.components[0].layers.some(({ isComing }) => isComing)).to.equal(false);
      for (let layer = 0; layer < numLayers; layer++)
        expect(await head(run.runId, layer, 2)).to.deep.equal(expected(layer, 2));
      await connection.remote.release({ runId: run.runId });
      expect((await connection.remote.memory({})).attentionBytes).to.equal(0);
    });

  it('is refused with the sentence of a later layer, and what was shown before is true', async () => {
    const path = write('nan.attention.npz', {
      change: (weights, layer) => layer === numLayers - 1 && (weights[numTokens * numTokens] = NaN),
    });
    let runId = 0;
    const error = await errorOf(open(path, (grown) => (runId = grown.runId)));
    expect(error.message).to.include('"attention.self.4" has what is no number (NaN or infinite) in head 1, row 0');
    expect(await head(runId, 0)).to.deep.equal(expected(0));
    expect(await codeOf(head(runId, numLayers - 1))).to.equal('invalidArgument');
    await connection.remote.release({ runId });
    // What can be told before numbers are read is told before anything is shown.
    truncateSync(path, 1000);
    expect(await codeOf(open(path, () => expect.fail('something was shown')))).to.equal('attentionFileInvalid');
  });

  for (const name of ['damaged.attention.npz', 'packed.damaged.attention.npz'])
    it(`is refused by the name of a later layer in which a bit is another than was written: ${name}`, async () => {
      const path = write(name);
      const bytes = readFileSync(path);
      // Within the weights of the last layer, which stand before tokens and metadata.
      const at = bytes.indexOf('attention.self.4.npy') + Math.floor(bytes.indexOf('tokens.npy') / 50);
      bytes[at] ^= 1;
      writeFileSync(path, bytes);
      let runId = 0;
      const error = await errorOf(open(path, (grown) => (runId = grown.runId)));
      expect(error.message).to.match(/"attention\.self\.4\.npy" is (?:damaged|longer|shorter)/);
      expect(await head(runId, 0)).to.deep.equal(expected(0));
      await connection.remote.release({ runId });
    });

  it('that is cut off while it is read is refused with a sentence', async () => {
    const path = write('cut.attention.safetensors');
    const error = await errorOf(open(path, () => truncateSync(path, 1000)));
    expect(error.message).to.include('it was cut off while it was read');
  });

  it('is not read on when it is cancelled', async () => {
    const path = write('cancelled.attention.safetensors');
    const controller = new AbortController();
    expect(await codeOf(open(path, () => controller.abort(), controller.signal))).to.equal('cancelled');
    if (process.platform === 'linux') await expectEventually(() => expect(openFiles()).to.not.include(path));
  });

  function openFiles(): readonly string[] {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  }
});
