import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EngineHandle } from '../../../src/host/engine/engineHandle';
import { behave, FakeEngine } from './fakeEngine';

describe('The handle of an engine', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // which the flag makes
  const never = { dispose: () => {} };

  it('keeps nothing of those who listen no more, and hands on to the others', async () => {
    const fake = new FakeEngine();
    const engine = new EngineHandle(fake, { backend: 'native', threads: 1 }, () => never);
    const heard: string[] = [];
    const stays = engine.on('progress', ({ stage }) => heard.push(stage));
    // As a run does it: it listens while it is under way, and what it listens with knows all that it read.
    const listens = (): WeakRef<object> => {
      const text = { of: 'a run' };
      engine.on('progress', () => heard.push(text.of)).dispose();
      return new WeakRef(text);
    };
    const texts = Array.from({ length: 20 }, listens);
    await new Promise((resolve) => setTimeout(resolve));
    collect();
    expect(texts.filter((text) => text.deref() !== undefined)).to.have.length(0);
    await engine.remote.explain(behave('answer', 'one'));
    expect(heard).to.deep.equal(['run']);
    stays.dispose();
    engine.dispose();
  });
});
