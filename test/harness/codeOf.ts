import { ExplorerError } from '../../src/base/errors';

/** The code of the error that a promise is rejected with, or `none`; what is no error of ours fails the test. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return codeOfError(error);
  }
  return 'none';
}

/** The same of what a function throws. */
export function codeOfCall(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return codeOfError(error);
  }
  return 'none';
}

function codeOfError(error: unknown): string {
  if (error instanceof ExplorerError) return error.code;
  throw error;
}
