import type { ReadableStream } from 'node:stream/web';
import { ExplorerError } from '../base/errors';
import type { HubPlace } from './hub';

/** Bytes of an answer of the hub's interface, and of what it says of a failure. */
export const maxAnswerBytes = 2 ** 24;
/** How long the hub may say nothing. */
export const silenceMilliseconds = 60_000;

/** The address of a hub as it is used: HTTPS, or HTTP on this machine, and nothing behind the host. Throws `invalidArgument`. */
export function checkedAddress(written: string, setting = 'attentionExplorer.hubAddress'): string {
  const invalid = (why: string): ExplorerError => new ExplorerError('invalidArgument', [setting, why]);
  if (!URL.canParse(written)) throw invalid('it is no address, such as https://huggingface.co');
  const { protocol, hostname, origin, username, pathname, search, hash } = new URL(written);
  const isHere = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere)) throw invalid('it does not begin with https://');
  if (username !== '' || (pathname !== '/' && pathname !== '') || search !== '' || hash !== '')
    throw invalid('more than a host stands in it');
  return origin;
}

/** What a fetch is for: answers of the hub's interface are read whole and small, files are handed on as they come. */
export interface FetchOrder {
  readonly place: HubPlace;
  /** For sentences: the model that is asked for, or what is done. */
  readonly about: string;
  readonly signal: AbortSignal;
  /** Ends it too, without having been cancelled. */
  readonly silence?: AbortSignal;
  readonly kind: 'answer' | 'file';
  /** What sends; where it is missing, the `fetch` of this process. */
  readonly send?: typeof fetch | undefined;
}

/**
 * A `fetch` for the hub's package, around the one that this process has (in VS Code that which knows its proxies). It asks the hub's own
 * address alone, reads no more of an answer than it may have, and throws `hubUnreachable`, `hubTokenNeeded`, `hubNotAllowed`,
 * `hubNotFound`, `hubBusy`, `hubAnswerInvalid` or `cancelled`.
 */
export function hubFetch({ place, about, signal, kind, silence: later, send }: FetchOrder): typeof fetch {
  const { origin } = new URL(place.address);
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    // The package follows what an answer says, with the token: such as the address of a listing's next page.
    if (url.origin !== origin) throw new ExplorerError('hubAnswerInvalid', [`it leads to ${url.host}`]);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), silenceMilliseconds);
    try {
      const ended = AbortSignal.any([signal, silence.signal, ...(later === undefined ? [] : [later])]);
      const response = await (send ?? globalThis.fetch)(url, { ...init, signal: ended }).catch((error: unknown) => {
        throw unreachable(place, signal, error);
      });
      if (!response.ok) {
        await response.body?.cancel().catch(() => {});
        throw refusal(response, place, about);
      }
      const isSafe = response.url === '' || new URL(response.url).protocol === url.protocol;
      if (!isSafe) throw new ExplorerError('hubAnswerInvalid', ['it leads to where nothing is encrypted']);
      if (kind === 'file') return response;
      const bytes = await readAnswer(response).catch((error: unknown) => {
        throw error instanceof ExplorerError ? error : unreachable(place, signal, error);
      });
      return new Response(bytes, { status: response.status, headers: response.headers });
    } finally {
      clearTimeout(timer);
    }
  };
}

/** What a failure of the network is. */
export function unreachable({ address }: HubPlace, signal: AbortSignal, error: unknown): ExplorerError {
  if (signal.aborted) return new ExplorerError('cancelled');
  const isSilence = error instanceof Error && error.name === 'AbortError';
  const why = isSilence
    ? `it said nothing for ${silenceMilliseconds / 1000} s`
    : error instanceof Error
      ? innermost(error)
      : String(error);
  return new ExplorerError('hubUnreachable', [new URL(address).host, why], { cause: error });
}

/** What Node says of a connection stands in the cause of what `fetch` says. */
function innermost(error: Error): string {
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return innermost(cause.errors[0]);
  return cause instanceof Error && cause.message !== '' ? innermost(cause) : error.message;
}

function refusal({ status }: Response, { address, token }: HubPlace, about: string): ExplorerError {
  const { host } = new URL(address);
  if (status === 401 || (status === 403 && token === undefined)) return new ExplorerError('hubTokenNeeded', [about]);
  if (status === 403) return new ExplorerError('hubNotAllowed', [about]);
  if (status === 404) return new ExplorerError('hubNotFound', [about]);
  if (status === 429) return new ExplorerError('hubBusy', [host]);
  return new ExplorerError('hubUnreachable', [host, `it answers with status ${status}`]);
}

async function readAnswer(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const body: ReadableStream<Uint8Array> | null = response.body;
  const reader = body?.getReader();
  for (;;) {
    const read = await reader?.read();
    if (read === undefined || read.done) break;
    length += read.value.length;
    if (length > maxAnswerBytes) {
      await reader?.cancel();
      throw new ExplorerError('hubAnswerInvalid', ['it is too long']);
    }
    pieces.push(read.value);
  }
  return new Uint8Array(Buffer.concat(pieces));
}
