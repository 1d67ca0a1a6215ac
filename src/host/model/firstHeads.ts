import { isSameSelection, type HeadSelection } from '../../model/head';
import { initialView } from '../../model/viewState';

/** What is shown of a model. */
export interface ShownHeads {
  /** The model's path, as the engine says it. */
  readonly path: string;
  readonly selection: HeadSelection;
}

/** Which heads a model is shown with first: those last looked at in it in this window, else the ones that it is listed with. */
export class FirstHeads {
  readonly #read: () => Promise<ReadonlyMap<string, HeadSelection>>;
  #loading: Promise<void> | undefined;
  #listed: ReadonlyMap<string, HeadSelection> = new Map();
  readonly #lookedAt = new Map<string, HeadSelection>();

  /** @param read reads which heads models are listed with, by the paths of their folders */
  constructor(read: () => Promise<ReadonlyMap<string, HeadSelection>>) {
    this.#read = read;
  }

  /** Reads the list, once; without it every model begins with its first head. */
  load(): Promise<void> {
    return (this.#loading ??= this.#read().then(
      (listed) => {
        this.#listed = listed;
      },
      () => {},
    ));
  }

  /** The heads to show of a model in place of another, or of the same. */
  next(former: ShownHeads | undefined, path: string): HeadSelection {
    if (former?.path === path) return former.selection;
    if (former !== undefined) this.#lookedAt.set(former.path, former.selection);
    const own = this.#lookedAt.get(path) ?? this.#listedFor(path);
    if (own !== undefined) return own;
    // What tells something in one model says nothing of another; what the person chose is looked for there too.
    const formerListed = former && this.#listedFor(former.path);
    return former === undefined || (formerListed !== undefined && isSameSelection(former.selection, formerListed))
      ? initialView.selection
      : former.selection;
  }

  #listedFor(path: string): HeadSelection | undefined {
    for (const [folder, selection] of this.#listed)
      if (path.startsWith(folder) && /^[\\/]/.test(path.slice(folder.length))) return selection;
    return undefined;
  }
}
