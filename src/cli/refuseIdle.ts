import { ExplorerError } from '../base/errors';
import type { Options } from './parseArguments';

/** Throws `wrongUsage` where something is asked that would change nothing of what is told. */
export function refuseIdle({ method, head, json, query, input, out, figure, view = 'matrix' }: Options): void {
  const isNone = (name: string, reason: string): never => {
    throw new ExplorerError('wrongUsage', [name, reason]);
  };
  if (input) {
    for (const [name, value] of Object.entries({ method, head, query }))
      if (value !== undefined) isNone(`--${name}`, 'it changes nothing of what the model is fed: leave --input out');
    if (json) isNone('--json', 'what the model is fed is printed as Python: leave it out beside --input');
  }
  if (query === undefined) return;
  // Of attention flow other rows are empty.
  if (method === 'flow') return;
  if (out !== undefined) isNone('--query', 'a file has the rows of all tokens: leave it out, or --out');
  if (figure?.endsWith('.html') === false && (view === 'matrix' || view === 'grid'))
    isNone('--query', `the ${view} shows what all tokens read: it goes with --view source and --view list`);
}
