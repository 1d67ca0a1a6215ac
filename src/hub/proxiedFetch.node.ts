import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import * as tls from 'node:tls';

/** What Node's `fetch` asks for a connection. */
interface ConnectionWanted {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
  readonly servername?: string | null;
}
type OnConnected = (error: Error | null, socket: Socket | null) => void;
type AgentClass = new (options: { connect: (wanted: ConnectionWanted, done: OnConnected) => void }) => object;

/** Where Node keeps what its `fetch` sends through, once that was used. */
const dispatcherSymbol = Symbol.for('undici.globalDispatcher.1');

/** How long a proxy may take to answer. */
const proxyMilliseconds = 30_000;

/** Variables of the environment; each is looked up in small letters, too. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy that the environment names for an address, as curl reads it; undefined: there is none. Throws a TypeError for what is no address. */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const named = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? '';
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const isExcepted = named('NO_PROXY')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((each) => each !== '')
    .some((each) => {
      const [, name, only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(each) ?? [];
      return (only === undefined || only === port) && (each === '*' || host === name || host.endsWith(`.${name}`));
    });
  const proxy = named(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || named('ALL_PROXY');
  if (isExcepted || proxy === '') return undefined;
  return new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`);
}

/**
 * A `fetch` whose connections go through the proxies that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY): Node has that by itself
 * only from 22.21 on, and only where it is told to. In VS Code its own `fetch` knows the proxies. Certificates are held against the address behind the proxy.
 */
export function proxiedFetch(environment: Environment): typeof fetch {
  let agent: object | undefined;
  const own = (): object => {
    // Node loads it when something of it is first looked at.
    void new Headers();
    const known = (globalThis as unknown as Readonly<Record<symbol, object | undefined>>)[dispatcherSymbol];
    if (known === undefined) throw new Error('this Node has no way through a proxy');
    const Agent = known.constructor as AgentClass;
    return new Agent({ connect: (wanted, done) => connect(wanted, environment, done) });
  };
  return (input, init) => {
    const isProxied = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].some(
      (name) => (environment[name] ?? environment[name.toLowerCase()] ?? '') !== '',
    );
    if (!isProxied) return globalThis.fetch(input, init);
    const dispatched: object = { ...init, dispatcher: (agent ??= own()) };
    return globalThis.fetch(input, dispatched); // of Node's own options, which not every library of types names
  };
}

/** Connects to a host, through its proxy where it has one. */
function connect(wanted: ConnectionWanted, environment: Environment, done: OnConnected): void {
  let isDone = false;
  const end = (error: Error | null, socket: Socket | null): void => {
    if (isDone) socket?.destroy();
    else done(error, socket);
    isDone = true;
  };
  const secured = (socket: Socket | undefined): void => {
    const { hostname, port, servername } = wanted;
    const name = servername ?? hostname;
    const secure = tls.connect({
      ...(socket === undefined ? { host: hostname, port: Number(port) || 443 } : { socket }),
      ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
      ALPNProtocols: ['http/1.1'],
    });
    secure.once('secureConnect', () => end(null, secure)).once('error', (error: Error) => end(error, null));
  };
  const isSecure = wanted.protocol === 'https:';
  try {
    const target = `${wanted.hostname}:${Number(wanted.port) || (isSecure ? 443 : 80)}`;
    const proxy = proxyFor(new URL(`${wanted.protocol}//${target}`), environment);
    if (proxy === undefined && isSecure) return secured(undefined);
    const { request } = proxy?.protocol === 'https:' ? https : http;
    if (proxy === undefined) {
      const socket = new http.Agent().createConnection({
        host: wanted.hostname,
        port: Number(wanted.port) || 80,
      }) as Socket; // of Node's own agent it is one
      socket.once('connect', () => end(null, socket)).once('error', (error) => end(error, null));
      return;
    }
    if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
      return end(new Error(`a proxy of ${proxy.protocol} is not known: give one of http:// or https://`), null);
    const account = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    request({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      timeout: proxyMilliseconds,
      agent: false,
      headers: {
        Host: target,
        ...(account === ':' ? {} : { 'Proxy-Authorization': `Basic ${Buffer.from(account).toString('base64')}` }),
      },
    })
      .once('connect', (response: http.IncomingMessage, socket: Socket) => {
        if (response.statusCode !== 200) {
          socket.destroy();
          end(new Error(`the proxy ${proxy.host} answers with status ${response.statusCode}`), null);
        } else if (isSecure) secured(socket);
        else end(null, socket);
      })
      .once('timeout', function (this: http.ClientRequest) {
        this.destroy(new Error('it said nothing'));
      })
      .once('error', (error) => end(new Error(`the proxy ${proxy.host}: ${error.message}`), null))
      .end();
  } catch (error) {
    end(error instanceof Error ? error : new Error(String(error)), null);
  }
}
