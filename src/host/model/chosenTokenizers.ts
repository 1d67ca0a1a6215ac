import * as vscode from 'vscode';

const key = 'tokenizers';
const maxTokenizers = 100;

/** Remembers which tokenizer.json the person chose for a model that has none beside it, or the wrong one. */
export class ChosenTokenizers {
  readonly #memento: vscode.Memento;

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
  }

  /** The tokenizer chosen for the model at an address. */
  get(model: vscode.Uri): vscode.Uri | undefined {
    const chosen = new Map(this.#entries()).get(model.toString());
    return chosen === undefined ? undefined : vscode.Uri.parse(chosen);
  }

  /** Remembers a choice; undefined forgets it. */
  async set(model: vscode.Uri, tokenizer: vscode.Uri | undefined): Promise<void> {
    const others = this.#entries().filter(([known]) => known !== model.toString());
    const entries = tokenizer === undefined ? others : [[model.toString(), tokenizer.toString()], ...others];
    await this.#memento.update(key, entries.slice(0, maxTokenizers));
  }

  #entries(): (readonly [string, string])[] {
    const value = this.#memento.get<unknown>(key);
    return Array.isArray(value)
      ? value.flatMap((entry: unknown) =>
          Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string'
            ? [[entry[0], entry[1]] as const]
            : [],
        )
      : [];
  }
}
