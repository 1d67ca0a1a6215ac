import type * as vscode from 'vscode';

const key = 'recentModels';
const maxRecentModels = 8;

/** The models that were chosen last, newest first, as the setting has them; bundled ones are not among them. */
export class RecentModels {
  readonly #memento: vscode.Memento;

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
  }

  get paths(): readonly string[] {
    const value = this.#memento.get<unknown>(key);
    return Array.isArray(value) ? value.filter((path) => typeof path === 'string') : [];
  }

  /** Puts a path first. */
  async add(path: string): Promise<void> {
    await this.#memento.update(key, [path, ...this.paths.filter((known) => known !== path)].slice(0, maxRecentModels));
  }

  /** Forgets paths that lead nowhere any more. */
  async drop(gone: readonly string[]): Promise<void> {
    if (gone.length > 0)
      await this.#memento.update(
        key,
        this.paths.filter((path) => !gone.includes(path)),
      );
  }
}
