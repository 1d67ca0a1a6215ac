import { ExplorerError } from '../base/errors';

/** What is asked with values of options. Throws what asking throws: where that finds fault with one of these values, of its option, as the engine knows no options. */
export async function byOption<T>(
  options: Readonly<Record<string, string | undefined>>,
  asking: () => Promise<T>,
): Promise<T> {
  try {
    return await asking();
  } catch (error) {
    if (!(error instanceof ExplorerError) || error.code !== 'invalidArgument') throw error;
    const [value, reason] = error.args;
    // A place may have been written with zeros before it.
    const isOf = (given: string | undefined): boolean =>
      given !== undefined && (given === value || (/^\d+$/.test(given) && String(Number(given)) === value));
    const found = Object.keys(options).filter((name) => isOf(options[name]));
    if (found.length === 0) throw error;
    throw new ExplorerError('invalidArgument', [found.join(' or '), reason], { cause: error });
  }
}
