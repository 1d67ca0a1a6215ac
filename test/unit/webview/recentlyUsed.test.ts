import { expect } from 'chai';
import { RecentlyUsed } from '../../../webview/state/recentlyUsed';

const named = (text: string): { readonly text: string } => ({ text });
const held = (cache: RecentlyUsed<{ readonly text: string }>): string =>
  [...'abcdef'].filter((name) => cache.peek(name) !== undefined).join('');

describe('What was used last', () => {
  it('stays, and what was not goes, as many as there is room for', () => {
    const cache = new RecentlyUsed<{ readonly text: string }>(3);
    for (const name of 'abc') cache.set(name, named(name));
    expect(cache.get('a')).to.deep.equal(named('a'));
    cache.peek('b');
    cache.set('d', named('d'));
    expect(held(cache)).to.equal('acd');
    cache.set('c', named('other'));
    expect(cache.peek('c')).to.deep.equal(named('other'));
    cache.set('e', named('e'));
    expect(held(cache)).to.equal('cde');
    expect(cache.get('a')).to.equal(undefined);
    cache.clear();
    expect(held(cache)).to.equal('');
  });

  it('is counted by its size, and the last one stays however large it is', () => {
    const cache = new RecentlyUsed<{ readonly text: string }>(10, ({ text }) => text.length);
    cache.set('a', named('1234'));
    cache.set('b', named('1234'));
    cache.set('a', named('12'));
    cache.set('c', named('1234'));
    expect(held(cache)).to.equal('abc');
    cache.set('d', named('1'));
    expect(held(cache)).to.equal('acd');
    cache.set('e', named('x'.repeat(50)));
    expect(held(cache)).to.equal('e');
    cache.set('f', named('1'));
    expect(held(cache)).to.equal('f');
  });
});
