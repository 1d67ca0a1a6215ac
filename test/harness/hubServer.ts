// A server that speaks the Hugging Face hub's protocol as far as the extension and the hub's package use it, on this machine.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { root } from '../../scripts/lib/paths.mjs';

/** A repository of the server. */
export interface ServedRepository {
  readonly revision: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Files that are stored apart, as large ones are: they come from another host, after a redirect. */
  readonly large: readonly string[];
  readonly gated?: false | 'auto';
  /** Whoever comes with this token gets files of a gated repository; with another one, an answer that it is not allowed. */
  readonly allowedToken?: string;
}

/** A request that was made. */
export interface SeenRequest {
  readonly host: 'hub' | 'store';
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** What goes wrong; each is looked at for every request. */
export interface Mischief {
  /** After so many bytes of a file's body the connection breaks, once for each number. */
  breaks: number[];
  /** A byte of every file is another one. */
  isDamaged: boolean;
  /** Bytes are sent so many at a time, with a pause. */
  pieceBytes: number;
  pauseMilliseconds: number;
  /** Parts of files are not given: whoever asks for one gets the whole. */
  ignoresRanges: boolean;
  /** Answers in the place of the right one, by the beginning of the request's path. */
  readonly answers: Map<string, { readonly status?: number; readonly body: string; readonly link?: string }>;
}

/** The certificate of the host that secure servers are called by, which no system knows. */
export const certificatePath = join(root, 'test/fixtures/hub/certificate.pem');
const secureHost = 'hub.test';

/** A running server. */
export interface HubServer {
  readonly address: string;
  readonly requests: SeenRequest[];
  readonly mischief: Mischief;
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitBlob = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Serves repositories by their names until it is closed. `pageFiles`: entries on a page of a listing; `isSecure`: as https://hub.test, which is to be had through a proxy alone. */
export async function serveHub(
  repositories: Readonly<Record<string, ServedRepository>>,
  pageFiles = 3,
  isSecure = false,
): Promise<HubServer> {
  const requests: SeenRequest[] = [];
  const mischief: Mischief = {
    breaks: [],
    isDamaged: false,
    pieceBytes: 2 ** 16,
    pauseMilliseconds: 0,
    ignoresRanges: false,
    answers: new Map(),
  };
  const seen = (host: SeenRequest['host'], { url = '', headers }: IncomingMessage): void =>
    void requests.push({ host, url, range: headers.range, authorization: headers.authorization });

  const sendFile = async (request: IncomingMessage, response: ServerResponse, whole: Uint8Array): Promise<void> => {
    const from = mischief.ignoresRanges ? undefined : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const [start, end] = from
      ? [Number(from[1]), from[2] === '' ? whole.length : Number(from[2]) + 1]
      : [0, whole.length];
    const bytes = Uint8Array.from(whole);
    if (mischief.isDamaged) bytes[bytes.length - 1] ^= 1;
    response.writeHead(from ? 206 : 200, {
      'Content-Length': end - start,
      'Accept-Ranges': 'bytes',
      ...(from ? { 'Content-Range': `bytes ${start}-${end - 1}/${whole.length}` } : {}),
    });
    const breakAfter = end - start > (mischief.breaks[0] ?? Infinity) ? mischief.breaks.shift() : undefined;
    for (let at = start; at < end; at += mischief.pieceBytes) {
      const last = Math.min(end, at + mischief.pieceBytes, start + (breakAfter ?? Infinity));
      await new Promise((resolve) => response.write(bytes.subarray(at, last), resolve));
      if (last - start === breakAfter) {
        request.socket.destroy();
        return;
      }
      if (mischief.pauseMilliseconds > 0)
        await new Promise((resolve) => setTimeout(resolve, mischief.pauseMilliseconds));
      if (response.destroyed) return;
    }
    response.end();
  };

  const store = await listen(isSecure, (request, response) => {
    seen('store', request);
    const [, name, path] = /^\/(.+?\/.+?)\/(.+)$/.exec(request.url ?? '') ?? [];
    void sendFile(request, response, repositories[name].files[path]);
  });
  const hub = await listen(isSecure, (request, response) => {
    seen('hub', request);
    const url = new URL(request.url ?? '', 'http://hub');
    const json = (value: unknown, headers: Record<string, string> = {}, status = 200): void => {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(typeof value === 'string' ? value : JSON.stringify(value));
    };
    for (const [start, { status, body, link }] of mischief.answers)
      if (url.pathname.startsWith(start)) return json(body, link === undefined ? {} : { Link: link }, status);
    if (url.pathname === '/api/models') {
      const query = url.searchParams.get('search') ?? '';
      const found = Object.entries(repositories).filter(([name]) => name.includes(query));
      return json(found.slice(0, Number(url.searchParams.get('limit'))).map(([name, each]) => infoOf(name, each)));
    }
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(url.pathname);
    const resolve = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const name = api?.[1] ?? resolve?.[1] ?? '';
    if (!Object.hasOwn(repositories, name)) return json({ error: 'Repository not found' }, {}, 404);
    const repository = repositories[name];
    if (api?.[2] === 'revision') return json({ ...infoOf(name, repository), sha: repository.revision });
    if (api?.[2] === 'tree') {
      const entries = treeOf(repository);
      const page = Number(url.searchParams.get('cursor') ?? 0);
      const isLast = (page + 1) * pageFiles >= entries.length;
      url.searchParams.set('cursor', String(page + 1));
      return json(
        entries.slice(page * pageFiles, (page + 1) * pageFiles),
        isLast ? {} : { Link: `<${addressOf(hub)}${url.pathname}${url.search}>; rel="next"` },
      );
    }
    const path = resolve?.[3] ?? '';
    const { authorization } = request.headers;
    if (repository.gated !== undefined && repository.gated !== false && authorization === undefined)
      return json({ error: 'Access to this model is restricted.' }, { 'X-Error-Code': 'GatedRepo' }, 401);
    if (repository.allowedToken !== undefined && authorization !== `Bearer ${repository.allowedToken}`)
      return json({ error: 'You are not in the authorized list.' }, { 'X-Error-Code': 'GatedRepo' }, 403);
    if (!Object.hasOwn(repository.files, path) || resolve?.[2] !== repository.revision)
      return json({ error: 'Entry not found' }, { 'X-Error-Code': 'EntryNotFound' }, 404);
    const bytes = repository.files[path];
    response.setHeader('X-Repo-Commit', repository.revision);
    if (!repository.large.includes(path)) {
      response.setHeader('ETag', `"${gitBlob(bytes)}"`);
      return void sendFile(request, response, bytes);
    }
    response.writeHead(302, {
      Location: `${addressOf(store)}/${name}/${path}`,
      'X-Linked-Size': bytes.length,
      'X-Linked-ETag': `"${sha256(bytes)}"`,
    });
    response.end();
  });
  return {
    address: addressOf(hub),
    requests,
    mischief,
    close: async () => {
      for (const server of [hub, store]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function infoOf(name: string, { gated = false }: ServedRepository): object {
  return {
    _id: createHash('md5').update(name).digest('hex').slice(0, 24),
    id: name,
    private: false,
    gated,
    pipeline_tag: 'fill-mask',
    downloads: 1234,
    likes: 5,
    lastModified: '2026-01-02T03:04:05.000Z',
  };
}

function treeOf({ files, large }: ServedRepository): object[] {
  const paths = Object.keys(files).sort();
  const folders = [
    ...new Set(paths.flatMap((path) => (path.includes('/') ? [path.slice(0, path.lastIndexOf('/'))] : []))),
  ];
  return [
    ...folders.map((path) => ({ type: 'directory', path, size: 0, oid: '0'.repeat(40) })),
    ...paths.map((path) => {
      const bytes = files[path];
      const pointer = new TextEncoder().encode(`version https://git-lfs.github.com/spec/v1\n${path}\n`);
      return large.includes(path)
        ? {
            ...{ type: 'file', path, size: bytes.length, oid: gitBlob(pointer) },
            lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: pointer.length },
          }
        : { type: 'file', path, size: bytes.length, oid: gitBlob(bytes) };
    }),
  ];
}

type Served = ReturnType<typeof createServer | typeof createSecureServer>;

async function listen(
  isSecure: boolean,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Served> {
  const server = isSecure
    ? createSecureServer(
        { cert: readFileSync(certificatePath), key: readFileSync(join(root, 'test/fixtures/hub/key.pem')) },
        handle,
      )
    : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function addressOf(server: Served): string {
  const { port } = server.address() as AddressInfo; // it listens on a port
  return 'setSecureContext' in server ? `https://${secureHost}:${port}` : `http://127.0.0.1:${port}`;
}
