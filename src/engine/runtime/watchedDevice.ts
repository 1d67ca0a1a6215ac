/** What is used of a GPUDevice. */
export interface GraphicsDevice {
  readonly adapterInfo?: { readonly isFallbackAdapter?: boolean };
  readonly lost: Promise<{ readonly message: string }>;
}

/** A graphics device that sessions compute on, from when the runtime hands it out. */
export class WatchedDevice {
  /** Whether its adapter is known to be a program for the processor. */
  readonly isSoftware: boolean;
  #lost: string | undefined;
  /** What is told when it is lost. */
  readonly #waiting = new Set<(reason: Error) => void>();

  constructor({ adapterInfo, lost }: GraphicsDevice) {
    this.isSoftware = adapterInfo?.isFallbackAdapter === true;
    void lost.then(({ message }) => {
      this.#lost = `the graphics device was lost${message === '' ? '' : ` (${message.replace(/\.$/, '')})`}`;
      for (const giveUp of this.#waiting) giveUp(new Error(this.#lost));
    });
  }

  /** Why nothing runs on it any more; undefined while it can. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** What the runtime does; throws when the device is lost under it, where the runtime itself would wait for ever. */
  async unlessLost<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lost !== undefined) throw new Error(this.#lost);
    let giveUp: (reason: Error) => void = () => {};
    const loss = new Promise<never>((_resolve, reject) => (giveUp = reject));
    this.#waiting.add(giveUp);
    try {
      return await Promise.race([work(), loss]);
    } finally {
      this.#waiting.delete(giveUp);
    }
  }
}
