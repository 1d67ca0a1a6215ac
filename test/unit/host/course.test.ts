import { expect } from 'chai';
import { modelOfScene, sampleScheme, sceneAt, sceneNamed, scenePath, scenes } from '../../../src/host/course/scenes';

const at = (path: string, scheme = sampleScheme): string | undefined => modelOfScene({ scheme, path });

describe('The scenes of the course', () => {
  it('are found by their names and by nothing else', () => {
    for (const [name, scene] of Object.entries(scenes)) expect(sceneNamed(name)).to.equal(scene);
    for (const hostile of [
      undefined,
      null,
      7,
      '',
      '__proto__',
      'constructor',
      '../order',
      ['order'],
      { name: 'order' },
    ])
      expect(sceneNamed(hostile), String(hostile)).to.equal(undefined);
  });

  it('are found by the addresses of what they read, which tell their models', () => {
    for (const [name, scene] of Object.entries(scenes)) {
      expect(sceneAt(scenePath(name, scene))).to.deep.equal({ name, scene });
      expect(at(scenePath(name, scene))).to.equal(`bundled:${scene.model}`);
    }
    for (const path of [
      '/course/__proto__.txt',
      '/course/order.py',
      '/course/../course/order.txt',
      '/course/none.txt',
      '/course/order',
      '/code-decoder/sample.py',
      '/x/course/order.txt',
    ])
      expect(at(path), path).to.equal(undefined);
    expect(at('/course/order.txt', 'file')).to.equal(undefined);
  });
});
