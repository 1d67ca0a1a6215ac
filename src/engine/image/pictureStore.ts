import { ExplorerError } from '../../base/errors';
import type { PictureView } from '../../protocol';
import { giveUp } from '../../rpc/transferable';

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

  /** The picture of a run, where it is of one that is held. */
  find(runId: number): PictureView | undefined {
    return this.#pictures.get(runId);
  }

  /** The picture of a run, with pixels that may be given away. Throws `unknownRun`. */
  copyOf(runId: number): PictureView {
    const picture = this.find(runId);
    if (picture === undefined) throw new ExplorerError('unknownRun');
    const { width, height, pixels, source, placed } = picture;
    return { width, height, pixels: giveUp(pixels.slice()), source, placed };
  }

  release(runId: number): void {
    this.#pictures.delete(runId);
  }
}
