import { expect } from 'chai';
import { proxyFor } from '../../../src/hub/proxiedFetch.node';

const hub = 'https://huggingface.co';
const proxies = { HTTPS_PROXY: 'http://one:3128', HTTP_PROXY: 'two:80' };

describe('The proxy of an address', () => {
  const cases: readonly [string, string, Readonly<Record<string, string>>, string | undefined][] = [
    ['the one of its protocol', hub, proxies, 'http://one:3128/'],
    ['named without a protocol', 'http://mirror.example', proxies, 'http://two/'],
    ['the small letters before the large ones', hub, { ...proxies, https_proxy: 'https://three' }, 'https://three/'],
    ['that of all protocols, where its own has none', hub, { ALL_PROXY: 'http://four' }, 'http://four/'],
    ['none where there is none', hub, { HTTP_PROXY: 'two:80' }, undefined],
    ['none of what is excepted', hub, { ...proxies, NO_PROXY: 'example.org, huggingface.co' }, undefined],
    [
      'none below what is excepted',
      'https://cdn.huggingface.co',
      { ...proxies, no_proxy: '.huggingface.co' },
      undefined,
    ],
    ['none of anything', hub, { ...proxies, NO_PROXY: '*' }, undefined],
    ['none at an excepted port', 'http://127.0.0.1:8080', { ...proxies, NO_PROXY: '127.0.0.1:8080' }, undefined],
    [
      'not of a name that only ends alike',
      'https://nothuggingface.co',
      { ...proxies, NO_PROXY: 'huggingface.co' },
      'http://one:3128/',
    ],
    ['not of another port', hub, { ...proxies, NO_PROXY: 'huggingface.co:8443' }, 'http://one:3128/'],
  ];
  for (const [title, url, environment, proxy] of cases)
    it(`is ${title}`, () => expect(proxyFor(new URL(url), environment)?.href).to.equal(proxy));
});
