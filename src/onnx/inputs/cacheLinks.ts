import type { GraphIndex } from '../graph/graphIndex';
import { cacheAxis, type InputRole } from './inputs';

/** A cache of keys or values that a model takes, with the output that gives it for the next run. */
export interface CacheLink {
  readonly input: string;
  readonly output: string;
  /** The axis of positions, in both. */
  readonly axis: number;
}

/**
 * The caches of a decoder that can go on from what it has read; empty where it cannot. Names tell which output belongs to which
 * input, else their order: whoever uses them compares a continued run with a whole one first.
 */
export function cacheLinks(index: GraphIndex, roles: ReadonlyMap<string, InputRole>): readonly CacheLink[] {
  const caches = index.inputs.filter(({ name }) => roles.get(name) === 'cache');
  // A flag decides whether such a decoder looks at its caches; it is told not to.
  if (caches.length === 0 || [...roles.values()].includes('cacheFlag')) return [];
  const outputs = index.graph.outputs.filter(({ name }) => /present|past|cache|new_?(?:key|value)/i.test(name));
  const links = caches.flatMap((input, place): CacheLink[] => {
    const axis = cacheAxis(input);
    const output =
      outputs.find(({ name }) => plainName(name) === plainName(input.name)) ??
      (outputs.length === caches.length ? outputs[place] : undefined);
    if (axis === undefined || output === undefined) return [];
    // What does not depend on the cache does not go on from it.
    return index.ancestors([output.name]).tensors.has(input.name)
      ? [{ input: input.name, output: output.name, axis }]
      : [];
  });
  return links.length === caches.length && new Set(links.map(({ output }) => output)).size === links.length
    ? links
    : [];
}

/** What `past_key_values.0.key` and `present.0.key` have in common. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/(?:past|present)(?:_key_values?)?|cache|new|updated|out(?:put)?/g, '')
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== '')
    .join('.');
}
