import { ExplorerError } from '../../src/base/errors';

/** The code of the error that a promise is rejected with, or `none`; what is no error of ours fails the test. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return ours(error).code;
  }
  return 'none';
}

/** The error that a promise is rejected with; what is no error of ours fails the test, and so does a promise that is kept. */
export async function errorOf(promise: Promise<unknown>): Promise<ExplorerError> {
  try {
    await promise;
  } catch (error) {
    return ours(error);
  }
  throw new Error('It did not fail.');
}

/** The code of the error that a function throws, or `none`. */
export function codeOfCall(run: () => unknown): string {
  return errorOfCall(run)?.code ?? 'none';
}

/** The error that a function throws; undefined where it throws none. */
export function errorOfCall(run: () => unknown): ExplorerError | undefined {
  try {
    run();
  } catch (error) {
    return ours(error);
  }
  return undefined;
}

function ours(error: unknown): ExplorerError {
  if (error instanceof ExplorerError) return error;
  throw error;
}
