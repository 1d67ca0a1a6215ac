export const quietSettings: Readonly<Record<string, unknown>>;
export const stillSettings: Readonly<Record<string, unknown>>;
export const webHostSettings: Readonly<Record<string, unknown>>;
export interface ServerOptions {
  host?: 'newest' | 'oldest';
  settings?: Readonly<Record<string, unknown>>;
  machineSettings?: Readonly<Record<string, unknown>>;
  certificates?: string | undefined;
  vsix?: string | undefined;
  extensionsDir?: string | undefined;
  isTestDriver?: boolean;
  needsTrust?: boolean;
  hasFewExtensions?: boolean;
  moreExtensions?: readonly string[];
  logFile?: string | undefined;
  port?: number;
  log?: (line: string) => void;
}
export interface Server {
  readonly version: string;
  readonly origin: string;
  readonly authority: string;
  readonly dataDir: string;
  readonly pid: number;
  address(folder: string, query?: Record<string, string>): string;
  readonly ended: Promise<unknown>;
  output(): string;
  stop(): Promise<void>;
}
export function installVsix(
  host: 'newest' | 'oldest',
  vsix: string,
  extensionsDir: string,
  log?: (line: string) => void,
): Promise<void>;
export function startServer(options: ServerOptions): Promise<Server>;
export function toUriPath(path: string): string;
