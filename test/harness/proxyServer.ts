// A proxy on this machine that connects to whatever port it is asked for, on this machine.
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A running proxy. */
export interface ProxyServer {
  readonly address: string;
  /** What it was asked to connect to, `host:port`. */
  readonly targets: string[];
  /** With what it answers in the place of connecting. */
  refuses: number | undefined;
  close(): Promise<void>;
}

/** Serves as a proxy until it is closed: every host is this machine. `account`: who may use it, `name:password`. */
export async function serveProxy(account?: string): Promise<ProxyServer> {
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(400).end());
  const proxy: ProxyServer = {
    address: '',
    targets: [],
    refuses: undefined,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    proxy.targets.push(url);
    client.on('error', () => {});
    const isKnown =
      account === undefined || headers['proxy-authorization'] === `Basic ${Buffer.from(account).toString('base64')}`;
    const status = proxy.refuses ?? (isKnown ? undefined : 407);
    if (status !== undefined) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const far = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      far.pipe(client).pipe(far);
    });
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('error', () => client.destroy()).on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
