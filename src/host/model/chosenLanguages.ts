import type * as vscode from 'vscode';
import type { Languages } from '../../model/modelInfo';

const key = 'chosenLanguages';
const maxModels = 40;

/** The languages that a person chose for models, by the path of each. */
export class ChosenLanguages {
  readonly #memento: vscode.Memento;

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
  }

  /** What was chosen for a model; undefined: what its settings say. */
  of(path: string): Languages | undefined {
    const [, source, target] = this.#entries.find(([known]) => known === path) ?? [];
    return source === undefined && target === undefined ? undefined : { source, target };
  }

  /** Remembers a choice, or forgets it where nothing is chosen. */
  async choose(path: string, { source, target }: Languages): Promise<void> {
    const others = this.#entries.filter(([known]) => known !== path);
    await this.#memento.update(
      key,
      source === undefined && target === undefined
        ? others
        : [[path, source ?? '', target ?? ''], ...others].slice(0, maxModels),
    );
  }

  get #entries(): readonly (readonly [path: string, source: string | undefined, target: string | undefined])[] {
    const value = this.#memento.get<unknown>(key);
    const entries: readonly unknown[] = Array.isArray(value) ? value : [];
    return entries.flatMap((entry) => {
      if (!Array.isArray(entry) || !entry.every((part) => typeof part === 'string')) return [];
      const [path, source, target] = entry;
      return [[path, source === '' ? undefined : source, target === '' ? undefined : target] as const];
    });
  }
}
