import { expect } from 'chai';
import { mayLieIn } from '../../../src/host/model/workspaceAddress';

const at = (path: string, scheme = 'vscode-vfs') => ({ scheme, path });

describe('An address in a folder of the workspace', () => {
  const folders = [at('/owner/Theirs'), at('/second/folder/')];

  it('is one by its path, however that is written', () => {
    for (const path of [
      '/owner/Theirs',
      '/owner/Theirs/models/evil',
      '/owner/theirs/models/evil',
      '/OWNER/THEIRS/x',
      '/owner//Theirs/x',
      '/owner/a/../Theirs/x',
      '/owner/./Theirs/x',
      '/owner\\Theirs\\x',
      '/second/folder/model.onnx',
    ])
      expect(mayLieIn(folders, at(path)), path).to.equal(true);
    expect(mayLieIn([at('/caf\u00e9')], at('/cafe\u0301/m'))).to.equal(true);
  });

  it('is one whatever scheme names the file system', () => {
    expect(mayLieIn(folders, at('/owner/Theirs/x', 'vscode-remote'))).to.equal(true);
  });

  it('is none beside or above it', () => {
    for (const path of ['/owner', '/owner/Theirs2/x', '/owner/Theirs/../mine/x', '/mine/owner/Theirs'])
      expect(mayLieIn(folders, at(path)), path).to.equal(false);
    expect(mayLieIn([], at('/owner/Theirs'))).to.equal(false);
  });

  it('is one of its own file system where the folder is all of that', () => {
    expect(mayLieIn([at('/', 'memfs')], at('/models/x', 'memfs'))).to.equal(true);
    expect(mayLieIn([at('/', 'memfs')], at('/models/x', 'file'))).to.equal(false);
  });
});
