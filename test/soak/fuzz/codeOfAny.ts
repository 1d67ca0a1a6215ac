import { ExplorerError } from '../../../src/base/errors';

/** The code of the error that something throws, '' for none; what is no error of ours is thrown on, and so is what we call an error inside. */
export function codeOfAny(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ExplorerError) return error.code;
    throw error;
  }
  return '';
}

/** The same of a promise. */
export async function codeOfPromise(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof ExplorerError) return error.code;
    throw error;
  }
  return '';
}
