import { expect } from 'chai';
import { isInside } from '../../../src/host/engine/isInside';
import { parseModelPath } from '../../../src/host/model/modelPath';

describe('A model path as written in the settings', () => {
  it('is absolute, on any system', () => {
    for (const path of [
      '/models/gpt2',
      '/models/gpt2/model.onnx',
      'C:\\models\\gpt2',
      'c:/models',
      '\\\\server\\share\\m.onnx',
    ])
      expect(parseModelPath(path, '/home/me')).to.deep.equal({ kind: 'absolute', path });
  });

  it('may start at home or in the workspace', () => {
    expect(parseModelPath('~/models/gpt2', '/home/me')).to.deep.equal({
      kind: 'absolute',
      path: '/home/me/models/gpt2',
    });
    expect(parseModelPath('~other', '/home/me')).to.deep.equal({ kind: 'relative', path: '~other' });
    expect(parseModelPath('~/m', undefined)).to.deep.equal({ kind: 'relative', path: '~/m' });
    expect(parseModelPath('${workspaceFolder}/models', '/home/me')).to.deep.equal({ kind: 'relative', path: 'models' });
    expect(parseModelPath('models/gpt2', '/home/me')).to.deep.equal({ kind: 'relative', path: 'models/gpt2' });
  });

  it('may name a bundled model, and no way out of their folder', () => {
    expect(parseModelPath('bundled:date-transformer', '/home/me')).to.deep.equal({
      kind: 'bundled',
      name: 'date-transformer',
    });
    for (const path of ['bundled:', 'bundled:..', 'bundled:a/b'])
      expect(parseModelPath(path, '/home/me')).to.deep.equal({ kind: 'relative', path });
  });

  it('may be an address', () => {
    expect(parseModelPath('vscode-vfs://github/a/b/model.onnx', undefined)).to.deep.equal({
      kind: 'address',
      address: 'vscode-vfs://github/a/b/model.onnx',
    });
  });
});

describe('A path inside a folder', () => {
  it('is the folder and what is below', () => {
    expect(isInside('/models/gpt2', '/models/gpt2')).to.equal(true);
    expect(isInside('/models/gpt2/', '/models/gpt2/onnx/model.onnx')).to.equal(true);
    expect(isInside('/', '/anything')).to.equal(true);
  });

  it('is not beside or above, however it is written', () => {
    for (const path of [
      '/models/gpt20/x',
      '/models',
      '/models/gpt2/../secret',
      '/models/gpt2/a/../../../etc/passwd',
      '/../models/gpt2',
    ])
      expect(isInside('/models/gpt2', path), path).to.equal(false);
    expect(isInside('/models/gpt2', '/models/gpt2/a/../b')).to.equal(true);
  });
});
