import { expect } from 'chai';
import { PanelMemory } from '../../../src/host/panel/panelMemory';
import { initialView } from '../../../src/model/viewState';
import type { PersistedPanel } from '../../../src/panelProtocol';

/** The memory of one workspace, as VS Code keeps it. */
class FakeMemento {
  readonly values = new Map<string, unknown>();
  numUpdates = 0;

  keys(): readonly string[] {
    return [...this.values.keys()];
  }

  get<T>(key: string): T | undefined {
    return this.values.get(key) as T | undefined; // as VS Code has it: unchecked
  }

  update(key: string, value: unknown): Promise<void> {
    this.numUpdates++;
    this.values.set(key, JSON.parse(JSON.stringify(value)));
    return Promise.resolve();
  }
}

describe('What a panel showed before a reload', () => {
  const state: PersistedPanel = {
    version: 1,
    uri: 'file:///a.py',
    start: 3,
    end: 9,
    textHash: 'abc-6',
    isWholeDocument: false,
    view: initialView,
  };
  const memoryOf = (memento: FakeMemento): PanelMemory => new PanelMemory(memento, () => {});

  it('is known to the workspace, and to whoever has its key', () => {
    const memento = new FakeMemento();
    const before = memoryOf(memento);
    before.remember(state);
    const page = { persist: before.kept, layout: {} };
    expect(JSON.stringify(page)).to.not.include('a.py');
    expect(memoryOf(memento).recall(page)).to.deep.equal(state);
    expect(memoryOf(memento).kept).to.deep.equal(before.kept);
  });

  it('is what was shown last', () => {
    const memento = new FakeMemento();
    const memory = memoryOf(memento);
    memory.remember(state);
    memory.remember({ ...state });
    expect(memento.numUpdates).to.equal(1);
    memory.remember({ ...state, uri: 'file:///b.py' });
    expect(memoryOf(memento).recall({ persist: memory.kept })).to.have.property('uri', 'file:///b.py');
  });

  it('is unknown in another workspace, and to a page that names documents by itself', () => {
    const [ours, theirs] = [new FakeMemento(), new FakeMemento()];
    const memory = memoryOf(ours);
    memory.remember(state);
    memoryOf(theirs).remember({ ...state, uri: 'file:///theirs.py' });
    expect(memoryOf(theirs).recall({ persist: memory.kept })).to.equal('unknown');
    expect(memoryOf(new FakeMemento()).recall({ persist: memory.kept })).to.equal('unknown');
    for (const hostile of [
      state,
      { ...state, ...memory.kept, uri: 'file:///etc/passwd' },
      { ...memory.kept, version: 1 },
      { version: 2, key: '' },
      null,
    ]) {
      const recalled = memory.recall({ persist: hostile });
      expect(typeof recalled === 'string' ? recalled : recalled.uri).to.be.oneOf(['unknown', state.uri]);
    }
  });

  it('is nothing where the page never had a key', () => {
    for (const none of [undefined, null, {}, { layout: {} }, 'x'])
      expect(memoryOf(new FakeMemento()).recall(none)).to.equal('nothing');
  });

  it('is unknown where the memory holds what we did not write', () => {
    const memento = new FakeMemento();
    const memory = memoryOf(memento);
    memory.remember(state);
    memento.values.set('shownPanel', { key: memory.kept.key, state: { ...state, start: -1 } });
    expect(memory.recall({ persist: memory.kept })).to.equal('unknown');
    memento.values.set('shownPanel', 7);
    expect(memory.recall({ persist: memory.kept })).to.equal('unknown');
  });
});
