import { expect } from 'chai';
import { PanelPages } from './panelPage';

let started: Promise<PanelPages> | undefined;

/** One browser and one server for all suites of a run of mocha; ended after the last of them. */
function start(): Promise<PanelPages> {
  if (started === undefined) {
    const starting = (started = PanelPages.start({ hasOneProcess: true }));
    // While tests run this adds to the outermost suite.
    after(async () => (await starting).stop());
  }
  return started;
}

/** The panel's pages for the suite that calls it; after its tests none of them may have complained. */
export function suitePages(): Pick<PanelPages, 'open' | 'complaints'> {
  let pages: PanelPages;
  before(async function () {
    this.timeout(120_000);
    pages = await start();
  });
  after(async () => {
    // Errors, warnings, and violations of the content policy, of all pages together.
    const complaints = [...pages.complaints];
    await pages.clear();
    expect(complaints).to.deep.equal([]);
  });
  return {
    open: (options) => pages.open(options),
    get complaints() {
      return pages.complaints;
    },
  };
}
