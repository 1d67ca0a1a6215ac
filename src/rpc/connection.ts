import {
  CancellationTokenSource,
  createMessageConnection,
  ResponseError,
  type CancellationToken,
  type Logger,
} from 'vscode-jsonrpc';
import { DisposableStore, type Disposable } from '../base/disposable';
import { Emitter, type Event } from '../base/event';
import { ExplorerError, isCancelled } from '../base/errors';
import type { Channel } from './channel';
import { ChannelReader, ChannelWriter } from './jsonRpcTransport';

/** What an API interface looks like: methods of one parameter. Parameters are `never` so that every such interface fits. */
type AnyApi<A> = { readonly [K in keyof A]: (params: never) => unknown };

type ParamsOf<M> = M extends (params: infer P) => unknown ? P : never;
type ResultOf<M> = M extends (params: never) => infer R ? Awaited<R> : never;

/** The caller's view of an API: every method asynchronous and cancellable. */
export type Client<A extends AnyApi<A>> = {
  readonly [K in keyof A]: (params: ParamsOf<A[K]>, signal?: AbortSignal) => Promise<ResultOf<A[K]>>;
};

/** The implementer's view of an API: every method may be asynchronous and sees the caller's cancellation. */
export type Server<A extends AnyApi<A>> = {
  readonly [K in keyof A]: (params: ParamsOf<A[K]>, signal: AbortSignal) => ResultOf<A[K]> | Promise<ResultOf<A[K]>>;
};

/** One side's view of a connection. */
export interface Connection<RemoteApi extends AnyApi<RemoteApi>, LocalEvents, RemoteEvents> extends Disposable {
  /** The other side's methods; each call settles: a result, an {@link ExplorerError}, `cancelled`, or `disconnected`. */
  readonly remote: Client<RemoteApi>;
  fire<K extends keyof LocalEvents & string>(event: K, value: LocalEvents[K]): void;
  on<K extends keyof RemoteEvents & string>(event: K, listener: (value: RemoteEvents[K]) => void): Disposable;
  /** Fires once, when the channel closes; pending calls are rejected with `disconnected` before. */
  readonly onClose: Event<string>;
  /** Fires with each answer that comes when its call was cancelled: what the other side keeps for it can be let go of. */
  readonly onLateAnswer: Event<LateAnswer<RemoteApi>>;
}

/** The answer to a call that was cancelled before it came. */
type LateAnswer<A extends AnyApi<A>> = {
  readonly [K in keyof A]: { readonly method: K; readonly result: ResultOf<A[K]> };
}[keyof A];

const explorerErrorCode = 1;

/** UTF-16 units of what is told of a message that was not understood. */
const maxComplaint = 200;

/**
 * Opens a connection over a channel.
 * @param methods the names of the other side's methods (interfaces leave no trace at run time).
 * @param server the methods that the other side may call; a malformed call is answered with an error and harms nothing.
 */
export function openConnection<
  LocalApi extends AnyApi<LocalApi>,
  RemoteApi extends AnyApi<RemoteApi>,
  LocalEvents = object,
  RemoteEvents = object,
>(
  channel: Channel,
  methods: readonly (keyof RemoteApi & string)[],
  server: Server<LocalApi>,
  onMalformed: (what: string) => void = () => {},
): Connection<RemoteApi, LocalEvents, RemoteEvents> {
  const tell = (what: string): void => onMalformed(what.slice(0, maxComplaint));
  const logger: Logger = { error: tell, warn: tell, info: () => {}, log: () => {} };
  const rpc = createMessageConnection(new ChannelReader(channel), new ChannelWriter(channel), logger);
  const store = new DisposableStore();
  const closeEmitter = store.add(new Emitter<string>());
  const lateEmitter = store.add(new Emitter<LateAnswer<RemoteApi>>());
  const eventEmitters = new Map<string, Emitter<unknown>>();
  const running = new Set<AbortController>();
  let isClosed = false;

  const close = (why: string): void => {
    if (isClosed) return;
    isClosed = true;
    rpc.dispose();
    for (const controller of running) controller.abort();
    closeEmitter.fire(why);
    for (const emitter of eventEmitters.values()) emitter.dispose();
    store.dispose();
  };

  for (const [name, method] of Object.entries<Server<LocalApi>[keyof LocalApi]>(server)) {
    rpc.onRequest(
      name,
      async (params: ParamsOf<LocalApi[keyof LocalApi]>, token: CancellationToken): Promise<unknown> => {
        const controller = new AbortController();
        const listener = token.onCancellationRequested(() => controller.abort());
        running.add(controller);
        try {
          return await method(params, controller.signal);
        } catch (error) {
          const ours = controller.signal.aborted ? new ExplorerError('cancelled') : ExplorerError.from(error);
          throw new ResponseError(explorerErrorCode, ours.message, ours.serialize());
        } finally {
          running.delete(controller);
          listener.dispose();
        }
      },
    );
  }
  // JSON-RPC knows no bare value as a parameter (null would arrive as a list), so a value goes inside an object.
  rpc.onNotification((name: string, params: unknown) => {
    if (typeof params === 'object' && params !== null && 'value' in params) eventEmitters.get(name)?.fire(params.value);
    else tell(`event ${name} without a value`);
  });
  rpc.onError(([error]) => tell(error.message));
  store.add(channel.onClose(close));

  const call = async (method: string, params: unknown, signal: AbortSignal | undefined): Promise<unknown> => {
    if (isClosed) throw new ExplorerError('disconnected');
    if (signal?.aborted === true) throw new ExplorerError('cancelled');
    const source = new CancellationTokenSource();
    let abort: () => void = () => {};
    let isAborted = false;
    // The other side may be too busy to answer, so a cancelled call is settled here at once.
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        isAborted = true;
        source.cancel();
        reject(new ExplorerError('cancelled'));
      };
    });
    signal?.addEventListener('abort', abort, { once: true });
    const answer = rpc.sendRequest(method, params, source.token);
    answer.then(
      // The other side answers with what its method gives.
      (result) => isAborted && !isClosed && lateEmitter.fire({ method, result } as LateAnswer<RemoteApi>),
      () => {}, // told below, or of no interest any more
    );
    try {
      return await Promise.race([answer, aborted]);
    } catch (error) {
      if (isCancelled(error)) throw error;
      if (isClosed) throw new ExplorerError('disconnected', [], { cause: error });
      if (error instanceof ResponseError && error.code === explorerErrorCode)
        throw ExplorerError.deserialize(error.data);
      throw new ExplorerError('invalidMessage', [method], { cause: error });
    } finally {
      signal?.removeEventListener('abort', abort);
      // Disposing of the source before the late answer comes would also drop the cancellation that is under way.
      if (!isAborted) source.dispose();
    }
  };

  const remote: Record<string, (params: unknown, signal?: AbortSignal) => Promise<unknown>> = {};
  for (const method of methods) remote[method] = (params, signal) => call(method, params, signal);
  rpc.listen();

  return {
    remote: remote as Client<RemoteApi>, // each method of the list is there, and the other side answers with its result type
    fire(event, value) {
      if (!isClosed) void rpc.sendNotification(event, { value });
    },
    on(event, listener) {
      let emitter = eventEmitters.get(event);
      if (emitter === undefined) eventEmitters.set(event, (emitter = new Emitter<unknown>()));
      return emitter.event((value) => listener(value as never)); // the event's name decides its type, on both sides alike
    },
    onClose: closeEmitter.event,
    onLateAnswer: lateEmitter.event,
    dispose() {
      close('disposed');
      channel.dispose();
    },
  };
}
