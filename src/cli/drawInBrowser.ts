// A figure as PNG or PDF, by a browser that is there anyway: it knows the letters of every script, and in a PDF text stays text.
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { ExplorerError } from '../base/errors';
import { asGroup, endProgram } from './endProgram';
import { guardedLines, tellGuard, type ProgramLine } from './guardedLines';

/** What a figure becomes, and which program makes it. */
export interface BrowserDrawing {
  readonly kind: 'png' | 'pdf';
  /** Path of a Chromium, or of a browser that is one. */
  readonly browser: string;
  /** Of a PNG, so many times as large as on a screen of 96 dots an inch. */
  readonly times: number;
}

/** A browser that starts for the first time makes a profile. */
export const drawingSeconds = 60;
/** Browsers draw no longer side, and say nothing of it. */
const mostPixels = 16_384;
/** Characters of one answer. */
export const mostAnswered = 2 ** 28;
/** Where each message of the protocol ends. */
const separator = '\0';

/** The path of a Chromium, Chrome, Edge or Brave on this machine: the one that `CHROME_PATH` names, else one on the path or where it is usually installed. Throws `browserNotDrawn`. */
export function findBrowser(): string {
  const { CHROME_PATH: named, PATH: folders = '' } = process.env;
  if (named !== undefined && named !== '') {
    // As it was looked at, from where one stands: what starts it would look on the path.
    if (isProgram(named)) return resolve(named);
    throw new ExplorerError('browserNotDrawn', [`CHROME_PATH is ${named}, which is no program`]);
  }
  const found = [
    // A folder that is named from where one stands could be anyone's.
    ...folders
      .split(delimiter)
      .filter(isAbsolute)
      .flatMap((folder) => names.map((name) => join(folder, process.platform === 'win32' ? `${name}.exe` : name))),
    ...usualPlaces(),
  ].find(isProgram);
  if (found === undefined) throw new ExplorerError('browserNotDrawn', ['none was found on this machine']);
  return found;
}

const names = [
  'google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chromium-headless-shell', 'chrome',
  'microsoft-edge', 'microsoft-edge-stable', 'msedge', 'brave-browser',
]; // prettier-ignore

function usualPlaces(): string[] {
  if (process.platform === 'darwin')
    return ['Google Chrome', 'Chromium', 'Microsoft Edge', 'Brave Browser'].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    );
  if (process.platform !== 'win32') return [];
  const { ProgramFiles, LOCALAPPDATA, 'ProgramFiles(x86)': older } = process.env;
  return [ProgramFiles, older, LOCALAPPDATA].flatMap((folder) =>
    folder === undefined
      ? []
      : ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'].map((path) =>
          join(folder, path),
        ),
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Draws an SVG of ours in a browser that is started for it, without scripts and without a network, and ended again.
 * Throws `browserNotDrawn`.
 * @param svg with its width and height in millimetres.
 */
export async function drawInBrowser(svg: string, { kind, browser, times }: BrowserDrawing): Promise<Uint8Array> {
  const [, width, height] = /^<svg [^>]*width="([\d.]+)mm" height="([\d.]+)mm"/.exec(svg) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'attention-explorer-figure-'));
  tellGuard(guardedLines.begun, folder);
  const program = start(browser, join(folder, 'profile'));
  const protocol = new Protocol(program);
  try {
    const page = join(folder, 'figure.html');
    await writeFile(page, pageOf(svg, `${width}mm ${height}mm`));
    const drawing = draw(protocol, pathToFileURL(page).href, {
      kind,
      times,
      inches: [Number(width) / 25.4, Number(height) / 25.4],
    });
    return Buffer.from(await drawing, 'base64');
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    throw new ExplorerError('browserNotDrawn', [error instanceof Error ? error.message : String(error)], {
      cause: error,
    });
  } finally {
    await end(program, protocol);
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

function start(browser: string, profile: string): ChildProcess {
  const args = [
    '--headless',
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-extensions',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-gpu',
    '--hide-scrollbars',
    '--host-resolver-rules=MAP * ~NOTFOUND',
    // A Chromium that root starts refuses to have a sandbox. What it draws here is ours, and runs no script.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
  const program =
    process.platform === 'win32'
      ? spawn(browser, args, { ...asGroup, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
      : spawn('/bin/sh', ['-c', onceToldOf, browser, ...args], {
          ...asGroup,
          stdio: ['pipe', 'ignore', 'ignore', 'pipe', 'pipe'],
        });
  if (program.pid !== undefined) tellProgram({ pid: program.pid, isOver: false });
  program.stdin?.on('error', () => {}); // one that is gone says so by its end
  program.stdin?.end('\n');
  return program;
}

/** Becomes the browser when a line comes, and ends where none comes: whoever is ended before it has told of the browser leaves none behind. */
const onceToldOf = 'read -r line && exec "$0" "$@" < /dev/null';

const tellProgram = (told: ProgramLine): void => tellGuard(guardedLines.programs, told);

/** Ends a browser with all of its processes, also where it is a program that only starts one, and resolves when it is gone. */
async function end(program: ChildProcess, protocol: Protocol): Promise<void> {
  const { pid } = program;
  if (pid === undefined) return;
  if (program.exitCode === null && program.signalCode === null) {
    const ended = new Promise((resolve) => program.once('exit', resolve));
    protocol.ask('Browser.close', {}).catch(() => {}); // it may be gone before it answers
    const late = setTimeout(() => endProgram(pid), 5000);
    await ended;
    clearTimeout(late);
  }
  endProgram(pid);
  tellProgram({ pid, isOver: true });
}

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

function pageOf(svg: string, size: string): string {
  const style = `@page { size: ${size}; margin: 0 } html, body { margin: 0; overflow: hidden } svg { display: block }`;
  return `<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><style>${style}</style>${svg}`;
}

/** Draws a page that is one SVG; resolves to base64. */
async function draw(
  protocol: Protocol,
  address: string,
  {
    kind,
    times,
    inches: [paperWidth, paperHeight],
  }: Pick<BrowserDrawing, 'kind' | 'times'> & { readonly inches: readonly [width: number, height: number] },
): Promise<string> {
  const { targetId } = await protocol.ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await protocol.ask('Target.attachToTarget', { targetId, flatten: true });
  const page = (method: string, params: object = {}): Promise<Answer> => protocol.ask(method, params, sessionId);
  const [width, height] = [paperWidth, paperHeight].map((side) => Math.round(96 * side));
  if (kind === 'png' && Math.max(width, height) * times > mostPixels)
    throw new RangeError(
      `a picture of ${width * times} × ${height * times} pixels is too large: choose a smaller --scale or --width`,
    );
  await page('Emulation.setScriptExecutionDisabled', { value: true });
  await page('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: times, mobile: false });
  await page('Page.enable');
  const loaded = protocol.event('Page.loadEventFired');
  await page('Page.navigate', { url: address });
  await loaded;
  const { data } =
    kind === 'png'
      ? await page('Page.captureScreenshot', {
          captureBeyondViewport: true,
          clip: { x: 0, y: 0, width, height, scale: 1 },
        })
      : await page('Page.printToPDF', {
          ...{ paperWidth, paperHeight, marginTop: 0, marginBottom: 0, marginLeft: 0, marginRight: 0 },
          ...{ printBackground: true, preferCSSPageSize: true, pageRanges: '1' },
        });
  if (data === undefined) throw new RangeError('it gave nothing');
  return data;
}

/** What is read of answers. */
type Answer = Readonly<Partial<Record<'targetId' | 'sessionId' | 'data', string>>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Answer;
  readonly error?: { readonly message?: string };
}

/** The Chrome DevTools protocol over the two pipes of a browser (`--remote-debugging-pipe`). */
class Protocol {
  readonly #asking: Writable;
  readonly #waiting = new Map<number | string, { take(answer: Answer): void; fail(error: Error): void }>();
  #numAsked = 0;
  /** Of a message whose end has not come. */
  #heard: string[] = [];
  #numHeard = 0;
  #failure: Error | undefined;
  readonly #late: NodeJS.Timeout;

  constructor(program: ChildProcess) {
    const [, , , asking, answering] = program.stdio as unknown as readonly [null, null, null, Writable, Readable]; // as it was started
    this.#asking = asking;
    this.#late = setTimeout(
      () => this.#fail(new Error(`it took longer than ${drawingSeconds} s`)),
      drawingSeconds * 1000,
    );
    program.once('error', (error) => this.#fail(error));
    program.once('exit', (code) => this.#fail(new Error(`it ended with ${code ?? 'a signal'}`)));
    for (const pipe of [asking, answering]) pipe.on('error', (error) => this.#fail(error));
    answering.setEncoding('utf8').on('data', (piece: string) => this.#hear(piece));
  }

  /** Asks for something. Throws what the browser says. */
  ask(method: string, params: object, sessionId?: string): Promise<Answer> {
    const id = ++this.#numAsked;
    const answer = this.#wait(id);
    this.#asking.write(
      `${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}${separator}`,
    );
    return answer;
  }

  /** Resolves when something has come about. */
  async event(method: string): Promise<void> {
    await this.#wait(method);
  }

  #wait(key: number | string): Promise<Answer> {
    return new Promise((take, fail) => {
      if (this.#failure === undefined) this.#waiting.set(key, { take, fail });
      else fail(this.#failure);
    });
  }

  #hear(piece: string): void {
    const [end, ...others] = piece.split(separator);
    this.#heard.push(end);
    this.#numHeard += end.length;
    for (const other of others) {
      this.#read(this.#heard.join(''));
      this.#heard = [other];
      this.#numHeard = other.length;
    }
    if (this.#numHeard <= mostAnswered) return;
    this.#heard = [];
    this.#fail(new Error('it does not answer as a browser does'));
  }

  /** Takes what is said; a program that speaks another language is no browser. */
  #read(message: string): void {
    try {
      this.#take(JSON.parse(message) as Message); // by the browser's protocol
    } catch (error) {
      this.#fail(new Error('it does not answer as a browser does', { cause: error }));
    }
  }

  #take({ id, method, result = {}, error }: Message): void {
    const key = id ?? method ?? '';
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (error === undefined) waiting?.take(result);
    else waiting?.fail(new Error(error.message ?? 'it refused'));
  }

  #fail(error: Error): void {
    clearTimeout(this.#late);
    this.#failure ??= error;
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}
