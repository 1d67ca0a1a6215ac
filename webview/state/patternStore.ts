import { LRUCache } from 'lru-cache';
import { ExplorerError, isCancelled } from '../../src/base/errors';
import type { Component, HeadSelection } from '../../src/model/head';
import { headLabel } from '../../src/model/head';
import type { Pattern } from '../../src/model/pattern';
import type { PanelApi, Thumbnails } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';

const maxBytes = 96 * 2 ** 20;

/** Patterns and thumbnails of runs, asked for when looked at and kept while there is room. */
export class PatternStore {
  readonly #remote: Client<PanelApi>;
  readonly #patterns = new LRUCache<string, Pattern>({ maxSize: maxBytes, maxEntrySize: 2 ** 31, sizeCalculation: ({ weights }) => weights.byteLength + 64 });
  readonly #thumbnails = new LRUCache<string, Thumbnails>({ max: 6 });

  constructor(remote: Client<PanelApi>) {
    this.#remote = remote;
  }

  /** A pattern that is here already. */
  held(runId: number, selection: HeadSelection): Pattern | undefined {
    return this.#patterns.get(nameOf(runId, selection));
  }

  /** A pattern, from here or from the host. Throws an {@link ExplorerError}; `cancelled` when the signal says so. */
  async pattern(runId: number, selection: HeadSelection, signal: AbortSignal): Promise<Pattern> {
    const name = nameOf(runId, selection);
    const found = this.#patterns.get(name);
    if (found !== undefined) return found;
    const pattern = await this.#remote.pattern({ runId, selection }, signal);
    if (pattern.weights.length !== pattern.numQueries * pattern.numKeys) throw new ExplorerError('invalidMessage', ['pattern']);
    this.#patterns.set(name, pattern);
    return pattern;
  }

  /** The thumbnails of a component, from here or from the host. */
  async thumbnails(runId: number, component: Component, size: number, signal: AbortSignal): Promise<Thumbnails> {
    const name = `${runId}/${component}/${size}`;
    const found = this.#thumbnails.get(name);
    if (found !== undefined) return found;
    const thumbnails = await this.#remote.thumbnails({ runId, component, size }, signal);
    this.#thumbnails.set(name, thumbnails);
    return thumbnails;
  }

  /** Drops everything: the runs are gone. */
  clear(): void {
    this.#patterns.clear();
    this.#thumbnails.clear();
  }
}

/** Runs a request and hands over what comes of it, unless it was cancelled. */
export async function settle<T>(request: Promise<T>, done: (value: T) => void, failed: (error: ExplorerError) => void): Promise<void> {
  try {
    done(await request);
  } catch (error) {
    if (!isCancelled(error)) failed(ExplorerError.from(error));
  }
}

function nameOf(runId: number, { component, heads, aggregation }: HeadSelection): string {
  return `${runId}/${component}/${heads.length > 1 ? aggregation : ''}/${heads.map(headLabel).join(' ')}`;
}
