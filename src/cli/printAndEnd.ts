import { ExplorerError } from '../base/errors';

/**
 * Prints what a command came to and ends the process when it is out: the runtime's threads would keep it alive. A reader that went away
 * (`| head`) had what it wanted. Throws `outputNotWritten` where the place is full.
 */
export function printAndEnd({ output, code }: { readonly output: string; readonly code: number }): Promise<never> {
  return new Promise((_, reject) => {
    if (output === '') process.exit(code);
    // The same error comes to `write`.
    process.stdout.on('error', () => {});
    process.stdout.write(output.endsWith('\n') ? output : `${output}\n`, (error) => {
      if (error === null || error === undefined || ('code' in error && error.code === 'EPIPE')) process.exit(code);
      reject(new ExplorerError('outputNotWritten', [], { cause: error }));
    });
  });
}
