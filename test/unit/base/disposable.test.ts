import { expect } from 'chai';
import { DisposableStore, MutableDisposable, toDisposable } from '../../../src/base/disposable';
import { Emitter } from '../../../src/base/event';

describe('DisposableStore', () => {
  it('disposes newest first, once, and of late arrivals at once', () => {
    const order: string[] = [];
    const store = new DisposableStore();
    for (const name of ['a', 'b', 'c']) store.add(toDisposable(() => order.push(name)));
    store.dispose();
    store.dispose();
    store.add(toDisposable(() => order.push('late')));
    expect(order).to.deep.equal(['c', 'b', 'a', 'late']);
  });

  it('gathers failures and still disposes of the rest', () => {
    const order: string[] = [];
    const store = new DisposableStore();
    store.add(toDisposable(() => order.push('first')));
    for (const name of ['x', 'y'])
      store.add(
        toDisposable(() => {
          throw new Error(name);
        }),
      );
    expect(() => store.dispose())
      .to.throw(AggregateError)
      .with.property('errors')
      .that.has.length(2);
    expect(order).to.deep.equal(['first']);
  });
});

describe('MutableDisposable', () => {
  it('disposes of what it held when it gets another, and of anything once it is disposed', () => {
    const order: string[] = [];
    const slot = new MutableDisposable();
    slot.value = toDisposable(() => order.push('one'));
    slot.value = toDisposable(() => order.push('two'));
    expect(order).to.deep.equal(['one']);
    slot.dispose();
    slot.value = toDisposable(() => order.push('three'));
    expect(order).to.deep.equal(['one', 'two', 'three']);
    expect(slot.value).to.equal(undefined);
  });
});

describe('Emitter', () => {
  it('calls listeners in order, those that left no more, those that came meanwhile not yet', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    const first = emitter.event((value) => {
      heard.push(`first ${value}`);
      emitter.event((late) => heard.push(`late ${late}`));
      first.dispose();
    });
    emitter.event((value) => heard.push(`second ${value}`));
    emitter.fire(1);
    emitter.fire(2);
    expect(heard).to.deep.equal(['first 1', 'second 1', 'second 2', 'late 2']);
    emitter.dispose();
    expect(emitter.hasListeners).to.equal(false);
  });
});
