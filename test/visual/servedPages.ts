import type { Browser, Page } from 'playwright-core';
import { launchBrowser, startStaticServer } from '../harness/browser';

type Server = Awaited<ReturnType<typeof startStaticServer>>;

/** A browser, and a server with the pages that are opened in it. */
export class ServedPages {
  readonly #browser: Browser;
  readonly #server: Server;
  /** What the pages complained of: errors, warnings, and violations of their policies. */
  readonly complaints: string[] = [];

  protected constructor({ browser, server }: { readonly browser: Browser; readonly server: Server }) {
    this.#browser = browser;
    this.#server = server;
  }

  /** Starts both. */
  protected static async serve(
    pages: Readonly<Record<string, string>>,
  ): Promise<{ readonly browser: Browser; readonly server: Server }> {
    return { browser: await launchBrowser(), server: await startStaticServer({ pages }) };
  }

  /** Where the server is. */
  get origin(): string {
    return this.#server.origin;
  }

  /** An empty page whose complaints are kept, but for those that the tests bring about by themselves. */
  protected async newPage(width: number, height: number): Promise<Page> {
    const page = await this.#browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // The tests themselves read pixels back.
      if (message.text().includes('willReadFrequently')) return;
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    return page;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
  }
}
