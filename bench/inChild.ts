import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { engineEnvironment } from '../src/host/engine/engineEnvironment';

/** Runs a benchmark's own file again, as a process of its own with the engine's environment, and gives what it sends; it can collect garbage. */
export function inChild<T>(file: string, env: Readonly<Record<string, string>>): Promise<T> {
  return new Promise((settle, reject) => {
    const child = fork(fileURLToPath(file), {
      env: { ...process.env, ...engineEnvironment(process.env), ...env },
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
    });
    child.on('message', (message) => settle(message as T)); // what the file sends is for it to say
    child.on('exit', (code) => reject(new Error(`The process that measures ended with ${code}.`)));
  });
}
