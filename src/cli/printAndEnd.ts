import { ExplorerError } from '../base/errors';
import { line, type TerminalText } from '../base/terminalText';

/**
 * Prints what a command came to and ends the process, with the given code, when it is out: the runtime's threads would keep it alive. What cannot be written, as
 * the place is full, is an error; a reader that went away (`| head`) had what it wanted.
 */
export function printAndEnd(output: TerminalText, code: number): void {
  // The same error comes to `write`.
  process.stdout.on('error', () => {});
  process.stdout.write(output === '' || output.endsWith('\n') ? output : `${output}\n`, (error) => {
    if (error === null || error === undefined || ('code' in error && error.code === 'EPIPE')) process.exit(code);
    const { sentence } = new ExplorerError('outputNotWritten', [], { cause: error });
    process.stderr.write(line`${sentence}\n`, () => process.exit(1));
  });
}
