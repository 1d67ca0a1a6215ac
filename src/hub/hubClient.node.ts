import type { ReadableStream } from 'node:stream/web';
import { ExplorerError } from '../base/errors';
import type { Hub, HubFile, HubModel, HubPlace, HubRepository, OpenHubFile } from './hub';
import { isRepositoryName, maxFiles, maxFound, readFoundModel, readState, readTreeFile } from './hubAnswers';
import { hubFetch, silenceMilliseconds, unreachable, type FetchOrder } from './hubFetch.node';
import type * as HubPackage from './hubPackage.node';

/** What is used of the package `@huggingface/hub`. */
export type HubFunctions = typeof HubPackage;

/** The most entries of a repository's listing, folders among them. */
const maxEntries = 2 * maxFiles;

/** The hub, asked through its own package, with a `fetch` of ours around the one that sends. Throws `invalidArgument` for a token that the package would refuse. */
export function hubClient(functions: HubFunctions, place: HubPlace, send?: typeof fetch): Hub {
  if (place.token !== undefined && !/^hf_\w+$/.test(place.token))
    throw new ExplorerError('invalidArgument', ['The access token', 'it does not begin with hf_']);
  const asking = (
    order: Pick<FetchOrder, 'about' | 'signal' | 'kind'>,
  ): { hubUrl: string; fetch: typeof fetch; accessToken?: string } => ({
    hubUrl: place.address,
    fetch: hubFetch({ ...order, place, send }),
    ...(place.token === undefined ? {} : { accessToken: place.token }),
  });

  return {
    async search(text, signal) {
      const models: HubModel[] = [];
      await understood(async () => {
        const found = functions.listModels({
          search: { tags: ['onnx'], ...(text === '' ? {} : { query: text }) },
          sort: 'downloads',
          limit: maxFound,
          ...asking({ about: text, signal, kind: 'answer' }),
        });
        for await (const entry of found) {
          const model = readFoundModel(entry);
          if (model !== undefined) models.push(model);
        }
      });
      return models;
    },

    async repository(name, signal) {
      if (!isRepositoryName(name)) throw new ExplorerError('hubNotFound', [name]);
      const order = asking({ about: name, signal, kind: 'answer' });
      const state = await understood(async () =>
        readState(await functions.modelInfo({ name, revision: 'main', additionalFields: ['sha'], ...order })),
      );
      if (state === undefined) throw new ExplorerError('hubAnswerInvalid', ['it names no commit']);
      const files = new Map<string, HubFile>();
      await understood(async () => {
        let entries = 0;
        const repo = { type: 'model', name: state.name } as const;
        for await (const entry of functions.listFiles({ repo, revision: state.revision, recursive: true, ...order })) {
          if (++entries > maxEntries) throw new ExplorerError('hubAnswerInvalid', ['it lists too many files']);
          const file = readTreeFile(entry);
          // Where capitals make no difference, a second one would be written over the first.
          if (file !== undefined && files.size < maxFiles) files.set(file.path.toLowerCase(), file);
        }
      });
      return { address: place.address, ...state, files: [...files.values()] };
    },

    opener: (repository) => opener(functions, place, repository, send),
  };
}

/** What the package makes of an answer that is not as it should be is no more than that. */
async function understood<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    throw new ExplorerError('hubAnswerInvalid', [error instanceof Error ? error.message : String(error)], {
      cause: error,
    });
  }
}

/**
 * Opens files through the package's `downloadFile`, without Xet: its blocks come in an order that cannot be taken up again after a restart,
 * and the hub gives every file over plain HTTP, too. The package knows size and address already, so that it does not ask for them.
 */
function opener(
  functions: HubFunctions,
  place: HubPlace,
  { name, revision }: HubRepository,
  send: typeof fetch | undefined,
): OpenHubFile {
  return async function* (file, offset, signal) {
    const ended = new AbortController();
    let failure: unknown;
    let response: Response | undefined;
    const ask = hubFetch({ place, about: name, signal, silence: ended.signal, kind: 'file', send });
    const blob = await functions.downloadFile({
      repo: { type: 'model', name },
      path: file.path,
      revision,
      hubUrl: place.address,
      ...(place.token === undefined ? {} : { accessToken: place.token }),
      xet: false,
      downloadInfo: {
        size: file.size,
        etag: file.hash.digits,
        url: `${place.address}/${name}/resolve/${revision}/${file.path}`,
      },
      fetch: async (input, init) => {
        try {
          return (response = await ask(input, init));
        } catch (error) {
          failure = error; // the package makes a text of it
          throw error;
        }
      },
    });
    if (blob === null) throw new ExplorerError('hubNotFound', [file.path]);
    let silence: NodeJS.Timeout | undefined;
    try {
      const stream = blob.slice(offset, file.size).stream() as ReadableStream<Uint8Array>; // blobs give bytes
      const reader = stream.getReader();
      let skip: number | undefined;
      let missing = file.size - offset;
      for (;;) {
        silence = setTimeout(() => ended.abort(), silenceMilliseconds);
        const { done, value } = await reader.read();
        clearTimeout(silence);
        if (done && missing > 0) throw new Error('the connection was closed');
        if (done) return;
        skip ??= bytesToSkip(response, offset);
        const piece = value.subarray(Math.min(skip, value.length));
        skip -= value.length - piece.length;
        missing -= piece.length;
        if (piece.length > 0) yield piece;
      }
    } catch (error) {
      const known = [error, failure].find((each) => each instanceof ExplorerError);
      throw known ?? unreachable(place, signal, error);
    } finally {
      clearTimeout(silence);
      ended.abort();
    }
  };
}

/** How many bytes come before those that were asked for: none, or all of them where the hub gives files whole. */
function bytesToSkip(response: Response | undefined, offset: number): number {
  if (response?.status !== 206) return offset;
  const from = /^bytes (\d+)-/.exec(response.headers.get('Content-Range') ?? '')?.[1];
  if (Number(from) !== offset) throw new ExplorerError('hubAnswerInvalid', ['it gives another part of a file']);
  return 0;
}
