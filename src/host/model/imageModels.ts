import type * as vscode from 'vscode';
import { bundledPrefix } from './modelPath';
import type { PlainText } from '../../base/safeText';
import { said } from '../say/said';

const key = 'imageModel';

/** The model that reads pictures where the settings name none. */
export const defaultImageModel = `${bundledPrefix}shapes-vit`;

/** Which model reads pictures where the one in the settings reads text: the one that the person chose for it last. */
export class ImageModels {
  readonly #memento: vscode.Memento;
  readonly #ask: () => Promise<string | undefined>;

  /** @param ask lets the person choose among the models that read pictures; resolves to what the setting would be. */
  constructor(memento: vscode.Memento, ask: () => Promise<string | undefined>) {
    this.#memento = memento;
    this.#ask = ask;
  }

  /** The path of the model, as settings have it; undefined where the person chose none. */
  async choose(): Promise<string | undefined> {
    const known = this.#memento.get<unknown>(key);
    if (typeof known === 'string') return known;
    const chosen = await this.#ask();
    if (chosen !== undefined) await this.#memento.update(key, chosen);
    return chosen;
  }

  /** Forgets a choice that did not work. */
  async forget(): Promise<void> {
    await this.#memento.update(key, undefined);
  }
}

/** Says that another model than the one in the settings reads the picture. */
export function otherModelNotice(settingName: string, used: string): PlainText {
  return said('{0} reads text, so the picture is read by {1}.', settingName, used);
}
