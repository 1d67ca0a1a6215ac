import { ExplorerError } from '../../base/errors';
import type { PictureView } from '../../protocol';

/** As many pictures are held as runs that a window can still show. */
const maxPictures = 4;

/** Holds the pictures of the latest runs. */
export class PictureStore {
  readonly #pictures = new Map<number, PictureView>();

  add(runId: number, picture: PictureView): void {
    this.#pictures.set(runId, picture);
    for (const oldest of this.#pictures.keys()) {
      if (this.#pictures.size <= maxPictures) break;
      this.#pictures.delete(oldest);
    }
  }

  /** The picture of a run. Throws `unknownRun`. */
  of(runId: number): PictureView {
    const picture = this.#pictures.get(runId);
    if (picture === undefined) throw new ExplorerError('unknownRun');
    return picture;
  }

  release(runId: number): void {
    this.#pictures.delete(runId);
  }
}
