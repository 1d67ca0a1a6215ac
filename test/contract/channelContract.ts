import { expect } from 'chai';
import { ExplorerError } from '../../src/base/errors';
import type { Channel } from '../../src/rpc/channel';
import { openConnection, type Connection, type Server } from '../../src/rpc/connection';
import { codeOf } from '../harness/codeOf';
import { expectEventually } from '../harness/eventually';

interface TestApi {
  echo(params: { readonly value: unknown; readonly delay?: number }): { readonly value: unknown };
  /** Answers when another call with this value has been made. */
  after(params: { readonly value: number; readonly other: number }): { readonly value: unknown };
  double(params: { readonly values: Float32Array }): {
    readonly values: Float32Array;
    readonly nested: readonly { readonly bytes: Uint8Array }[];
  };
  fail(params: { readonly how: 'typed' | 'untyped' }): void;
  wait(params: Record<string, never>): string;
}
interface TestEvents {
  bare: number | string | null | readonly number[];
  tick: { readonly count: number; readonly data: Uint8Array };
}

/** Two ends of one channel, and how to cut it from outside. */
export interface ChannelPair {
  readonly client: Channel;
  readonly server: Channel;
  /** Puts something that is no message of the protocol on the line to the server. */
  sendRaw(message: unknown): void;
  cut(): void;
}

const methods = ['echo', 'after', 'double', 'fail', 'wait'] as const;

/** What every channel must keep, whatever carries it. */
export function describeChannel(name: string, makePair: () => Promise<ChannelPair>): void {
  describe(`connection over ${name}`, () => {
    let pair: ChannelPair;
    let client: Connection<TestApi, object, TestEvents>;
    let server: Connection<object, TestEvents, object>;
    let malformed: string[];
    let cancelled: number;

    beforeEach(async () => {
      pair = await makePair();
      malformed = [];
      cancelled = 0;
      const made = new Map<number, () => void>();
      const api: Server<TestApi> = {
        echo: async ({ value, delay = 0 }) => {
          await new Promise((resolve) => setTimeout(resolve, delay));
          return { value };
        },
        after: async ({ value, other }) => {
          made.get(value)?.();
          await new Promise<void>((resolve) => (value === other ? resolve() : made.set(other, resolve)));
          return { value };
        },
        double: ({ values }) => ({
          values: values.map((value) => value * 2),
          nested: [{ bytes: new Uint8Array(10_000).fill(7) }, { bytes: Uint8Array.of(1, 2) }],
        }),
        fail: ({ how }) => {
          throw how === 'typed' ? new ExplorerError('modelTruncated', ['m.onnx', 9]) : new TypeError('not foreseen');
        },
        wait: (_params, signal) =>
          new Promise((resolve) =>
            signal.addEventListener('abort', () => (cancelled++, resolve('late')), { once: true }),
          ),
      };
      server = openConnection<TestApi, object, TestEvents, object>(pair.server, [], api, (what) =>
        malformed.push(what),
      ) as unknown as Connection<object, TestEvents, object>; // the server calls nothing
      client = openConnection<object, TestApi, object, TestEvents>(pair.client, methods, {});
    });

    afterEach(() => {
      client.dispose();
      server.dispose();
      pair.cut();
    });

    it('answers out of order, each caller its own result', async () => {
      const order: unknown[] = [];
      const call = async (value: number, other: number): Promise<void> =>
        void order.push((await client.remote.after({ value, other })).value);
      // The first waits for the third, and the second for none.
      await Promise.all([call(1, 3), call(2, 2), call(3, 3)]);
      expect(order).to.have.members([1, 2, 3]);
      expect(order[0]).to.equal(2);
    });

    it('carries typed arrays, small and large, in results and parameters', async () => {
      for (const length of [3, 1_000_000]) {
        const { values, nested } = await client.remote.double({
          values: Float32Array.from({ length }, (_, i) => i + 0.5),
        });
        expect(values).to.be.instanceOf(Float32Array);
        expect(values.length).to.equal(length);
        expect(values[length - 1]).to.equal(2 * (length - 0.5));
        expect(nested[0]?.bytes).to.be.instanceOf(Uint8Array);
        expect([nested[0]?.bytes.length, nested[0]?.bytes[9999], nested[1]?.bytes[1]]).to.deep.equal([10_000, 7, 2]);
      }
    });

    it('keeps many large answers apart', async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => client.remote.double({ values: new Float32Array(20_000 + i).fill(i) })),
      );
      answers.forEach(({ values }, i) =>
        expect([values.length, values[0], values[values.length - 1]]).to.deep.equal([20_000 + i, 2 * i, 2 * i]),
      );
    });

    it('hands a typed error over with its code, and takes any other as internal', async () => {
      const error: unknown = await client.remote.fail({ how: 'typed' }).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(ExplorerError);
      expect((error as ExplorerError).message).to.contain('m.onnx ends too early (at byte 9)'); // instance checked above
      expect(await codeOf(client.remote.fail({ how: 'untyped' }))).to.equal('internal');
    });

    it('settles a call to a method that the other side does not have', async () => {
      const stray = openConnection<object, { nothing(params: object): void }>(pair.client, ['nothing'], {});
      expect(await codeOf(stray.remote.nothing({}))).to.equal('invalidMessage');
    });

    it('cancels: the caller at once, the callee through its signal', async () => {
      const controller = new AbortController();
      const waiting = codeOf(client.remote.wait({}, controller.signal));
      await client.remote.echo({ value: 0 });
      controller.abort();
      expect(await waiting).to.equal('cancelled');
      while (cancelled === 0) await client.remote.echo({ value: 0 });
      expect(await codeOf(client.remote.wait({}, controller.signal))).to.equal('cancelled');
    });

    it('survives messages that are none of the protocol', async () => {
      for (const junk of [
        'text',
        7,
        null,
        { hello: 1 },
        { jsonrpc: '2.0', id: 999, result: 'nobody asked' },
        { jsonrpc: '2.0', method: 42 },
        { jsonrpc: '2.0', method: '$/cancelRequest' },
        { jsonrpc: '2.0', method: '$/progress' },
        [1, 2],
      ])
        pair.sendRaw(junk);
      expect((await client.remote.echo({ value: 'still here' })).value).to.equal('still here');
      expect(malformed.length).to.be.greaterThan(0);
    });

    it('hands over what comes when its call was cancelled', async () => {
      const late: unknown[] = [];
      client.onLateAnswer((answer) => late.push(answer));
      const controller = new AbortController();
      const waiting = codeOf(client.remote.wait({}, controller.signal));
      await client.remote.echo({ value: 0 }); // the other side has begun
      controller.abort();
      expect(await waiting).to.equal('cancelled');
      await expectEventually(() => expect(late).to.deep.equal([{ method: 'wait', result: 'late' }]));
    });

    it('says little of messages that are none of the protocol, however large they are', async () => {
      const text = 'x'.repeat(2_000_000);
      const before = malformed.length;
      for (const junk of [
        text,
        { jsonrpc: '2.0', junk: text },
        { jsonrpc: '2.0', id: null, error: { code: 1, message: text } },
        { jsonrpc: '2.0', id: text, method: 'echo', params: {} },
        { jsonrpc: '2.0', method: text },
        { jsonrpc: '2.0', method: 'tick', params: text },
      ])
        pair.sendRaw(junk);
      expect((await client.remote.echo({ value: 'still here' })).value).to.equal('still here');
      expect(malformed.length - before).to.equal(6);
      for (const what of malformed) expect(what.length).to.be.at.most(200);
    });

    it('fires events with their data, to listeners that are still there', async () => {
      const counts: number[] = [];
      const subscription = client.on('tick', ({ count, data }) => counts.push(count, data.length));
      server.fire('tick', { count: 1, data: new Uint8Array(50_000) });
      server.fire('tick', { count: 2, data: new Uint8Array(2) });
      while (counts.length < 4) await client.remote.echo({ value: 0 });
      subscription.dispose();
      server.fire('tick', { count: 3, data: new Uint8Array(1) });
      await client.remote.echo({ value: 0, delay: 20 });
      expect(counts.sort((a, b) => a - b)).to.deep.equal([1, 2, 2, 50_000]);
    });

    it('fires events whose value is no object just as they are', async () => {
      const values: unknown[] = [];
      client.on('bare', (value) => values.push(value));
      for (const value of [null, 7, 'text', [1, 2], []] as const) server.fire('bare', value);
      while (values.length < 5) await client.remote.echo({ value: 0 });
      expect(values).to.deep.equal([null, 7, 'text', [1, 2], []]);
    });

    it('rejects what is pending when the other side goes, aborts what runs, and refuses calls after', async () => {
      const pending = [codeOf(client.remote.wait({})), codeOf(client.remote.echo({ value: 1, delay: 10_000 }))];
      await client.remote.echo({ value: 0 });
      let closed = 0;
      client.onClose(() => closed++);
      client.dispose();
      expect(await Promise.all(pending)).to.deep.equal(['disconnected', 'disconnected']);
      expect(await codeOf(client.remote.echo({ value: 1 }))).to.equal('disconnected');
      client.dispose();
      expect(closed).to.equal(1);
      server.dispose();
      expect(cancelled).to.equal(1);
    });
  });
}
