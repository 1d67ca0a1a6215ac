import { expect } from 'chai';
import { PanelPages } from './panelPage';

/** The panel's pages for the suite that calls it: a browser before its tests; after them none of the pages may have complained. */
export function suitePages(): Pick<PanelPages, 'open' | 'complaints'> {
  let pages: PanelPages;
  before(async function () {
    this.timeout(120_000);
    pages = await PanelPages.start();
  });
  after(async () => {
    await pages.stop();
    // Errors, warnings, and violations of the content policy, of all pages together.
    expect(pages.complaints).to.deep.equal([]);
  });
  return {
    open: (options) => pages.open(options),
    get complaints() {
      return pages.complaints;
    },
  };
}
