import * as vscode from 'vscode';
import { DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/event';
import type { TextRange } from './textRange';
import type { TextChange, TrackedText } from './trackedText';

/** What the window must know of where an explained text or picture comes from. */
export type TrackedSource = Pick<
  TrackedText,
  | 'uri'
  | 'range'
  | 'selected'
  | 'text'
  | 'isEdited'
  | 'isClosed'
  | 'document'
  | 'rangeOf'
  | 'offsetOf'
  | 'onDidChange'
  | 'dispose'
> & {
  /** Where the second text of a pair stands, and both texts. */
  readonly second?: TextRange | undefined;
  readonly texts?: readonly [first: string, second: string];
};

/** A picture's file, followed as it changes; it holds no text. */
export class TrackedPicture implements TrackedSource {
  readonly uri: vscode.Uri;
  readonly range = { start: 0, end: 0 };
  readonly selected = this.range;
  readonly text = '';
  readonly isClosed = false;
  readonly document = undefined;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<TextChange>());
  readonly onDidChange = this.#changeEmitter.event;
  #isEdited = false;

  constructor(uri: vscode.Uri) {
    this.uri = uri;
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const watcher = this.#store.add(
      vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), escapeGlob(name)),
        true,
      ),
    );
    const changed = (): void => {
      if (this.#isEdited) return;
      this.#isEdited = true;
      this.#changeEmitter.fire('edited');
    };
    this.#store.add(watcher.onDidChange(changed));
    this.#store.add(watcher.onDidDelete(changed));
  }

  /** Whether the file is no longer what was explained. */
  get isEdited(): boolean {
    return this.#isEdited;
  }

  rangeOf(): undefined {
    return undefined;
  }

  offsetOf(): undefined {
    return undefined;
  }

  dispose(): void {
    this.#store.dispose();
  }
}

function escapeGlob(name: string): string {
  return name.replaceAll(/[[\]{}*?]/g, '[$&]');
}
