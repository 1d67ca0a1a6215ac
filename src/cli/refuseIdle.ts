import { ExplorerError } from '../base/errors';
import type { Options } from './parseArguments';

/** Throws `wrongUsage` where a method or a token is named that would change nothing of what is told. */
export function refuseIdle({ method, query, input, out, figure, view = 'matrix' }: Options): void {
  const isNone = (name: string, reason: string): never => {
    throw new ExplorerError('wrongUsage', [name, reason]);
  };
  if (input && method !== undefined)
    isNone('--method', 'it changes nothing of what the model is fed: leave --input out');
  if (query === undefined) return;
  if (input) isNone('--query', 'it changes nothing of what the model is fed: leave --input out');
  // Of attention flow other rows are empty.
  if (method === 'flow') return;
  if (out !== undefined) isNone('--query', 'a file has the rows of all tokens: leave it out, or --out');
  if (figure?.endsWith('.html') === false && (view === 'matrix' || view === 'grid'))
    isNone('--query', `the ${view} shows what all tokens read: it goes with --view source and --view list`);
}
