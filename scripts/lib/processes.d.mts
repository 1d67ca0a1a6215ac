import type { ChildProcess, SpawnOptions } from 'node:child_process';
export function startProcess(
  command: string,
  args: readonly string[],
  options?: SpawnOptions & { endsTidily?: boolean; isPatient?: boolean },
): ChildProcess;
export function stopProcess(child: ChildProcess): Promise<void>;
export function runProcess(command: string, args: readonly string[], options?: SpawnOptions): Promise<string>;
export function runNpm(args: readonly string[], options?: SpawnOptions): Promise<string>;
export function temporaryFolder(name: string): string;
export function removeFolder(folder: string): void;
