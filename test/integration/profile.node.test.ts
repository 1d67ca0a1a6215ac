import { expect } from 'chai';
import type { TestApi } from '../../src/host/testApi';
import { closeAll, configure, expectReady, explain, openText, testApi, writeFile, writeTinyModel } from './support';

// The older VS Code comes without the program that looks for files.
describe('A profile of the workspace', () => {
  let api: TestApi;
  before(async () => {
    api = await testApi();
    await closeAll();
    await configure({ modelPath: await writeTinyModel() });
    // The model of what is shown is profiled.
    await openText('a text');
    expectReady(await explain(api));
    await writeFile('profiled/add.py', 'def add(a, b):\n    return a + b\n');
    await writeFile('profiled/binary.py', '\0');
    await writeFile('profiled/long.py', 'def f(a, b):\n    return [a, b, a]\n\n'.repeat(2000));
  });
  after(() => configure({ modelPath: undefined }));

  it('takes no more than it may, also within a file, which does not count then, and tells what was left out', async () => {
    expect((await api.profile('profiled/*.py', { tokens: 500 })).sentence).to.match(
      /^The heads were profiled on 1 file, \d+ tokens\. The budget was spent within profiled\/long\.py, which does not count\. Left out, as the log lists: 1 file\.$/,
    );
    expect((await api.profile('profiled/long.py', { tokens: 500 })).sentence).to.equal(
      'There is nothing to profile: the budget was spent within profiled/long.py, and no other file was read; choose more, or leave it out.',
    );
    expect((await api.profile('profiled/long.py', { minutes: 0.001 })).code).to.equal('nothingToProfile');
    // A folder that is left out is not looked into.
    await writeFile('profiled/kept/one.py', 'a = b\n');
    await writeFile('profiled/skipped/two.py', 'c = d\n');
    expect((await api.profile('profiled/{kept,skipped}/**', {}, '**/skipped, **/none/**')).sentence).to.match(
      /^The heads were profiled on 1 file, \d+ tokens\.$/,
    );
    expect((await api.profile('profiled/{kept,skipped}/**', {}, '', 1)).sentence).to.match(
      /^The heads were profiled on 1 file, \d+ tokens\. The search ended at 1 file, those that \.gitignore leaves out among them; narrower globs find the others\.$/,
    );
    expect((await api.profile('profiled/binary.py')).sentence).to.equal(
      'There is nothing to profile: none of the files is a text that can be read.',
    );
  });
});
