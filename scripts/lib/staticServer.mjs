// A server on the loopback for pages under test: /fixtures/, /dist/, /out/, /media/, /node_modules/ and, with `pages`, given texts.
import { createServer } from 'node:http';
import { readFile, readdir, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { root } from './paths.mjs';

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ttf': 'font/ttf',
};
const folders = { node_modules: 'node_modules', fixtures: 'test/fixtures', dist: 'dist', out: 'out', media: 'media' };

/**
 * Starts the server; resolves to its origin and a way to stop it.
 * `pages` maps paths such as `/page.html` to their text. An address with `isolated` in its query, and whatever such
 * a page loads, gets the headers that give it shared memory.
 */
export async function startStaticServer({ pages = {} } = {}) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const headers = {
      'Cache-Control': url.pathname.startsWith('/out/') ? 'max-age=3600' : 'no-store',
      'Cross-Origin-Resource-Policy': 'same-origin',
    };
    if (url.searchParams.has('isolated') || /[?&]isolated/.test(request.headers.referer ?? '')) {
      Object.assign(headers, {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      });
    }
    const send = (status, type, body) => response.writeHead(status, { ...headers, 'Content-Type': type }).end(body);
    try {
      const path = decodeURIComponent(url.pathname);
      if (path in pages) return send(200, types[extname(path)] ?? 'text/html', pages[path]);
      const [, top, ...rest] = path.split('/');
      const base = folders[top];
      if (base === undefined) return send(404, 'text/plain', `${path} is not served.`);
      const folder = join(root, base);
      const file = normalize(join(folder, ...rest));
      if (file !== folder && !file.startsWith(folder + sep)) return send(403, 'text/plain', 'Outside.');
      if ((await stat(file)).isDirectory())
        return send(200, 'application/json', JSON.stringify((await readdir(file)).sort()));
      if (path.endsWith('/')) return send(404, 'text/plain', `${path} is no folder.`);
      return send(200, types[extname(file)] ?? 'application/octet-stream', await readFile(file));
    } catch (error) {
      return send(error.code === 'ENOENT' ? 404 : 500, 'text/plain', String(error.message));
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
