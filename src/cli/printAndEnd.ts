import { ExplorerError } from '../base/errors';

/**
 * Prints what a command came to and ends the process when it is out: the runtime's threads would keep it alive. What cannot be written, as
 * the place is full, is an error; a reader that went away (`| head`) had what it wanted.
 */
export function printAndEnd({ output, code }: { readonly output: string; readonly code: number }): void {
  // The same error comes to `write`.
  process.stdout.on('error', () => {});
  process.stdout.write(output === '' || output.endsWith('\n') ? output : `${output}\n`, (error) => {
    if (error == null || ('code' in error && error.code === 'EPIPE')) process.exit(code);
    const { message } = new ExplorerError('fileNotWritten', ['The output', 'its place is full or gone'], { cause: error });
    process.stderr.write(`${message}\n`, () => process.exit(1));
  });
}
