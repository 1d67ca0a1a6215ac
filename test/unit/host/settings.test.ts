import { expect } from 'chai';
import { validateSettings } from '../../../src/host/settings';

const read = (values: Record<string, unknown>) => validateSettings((key) => values[key]);

describe('Settings', () => {
  const defaults = {
    modelPath: '',
    backend: 'auto',
    threads: 0,
    tokenLimit: 0,
    highlightOnHover: true,
    colourMap: 'blue',
    scale: 'absolute',
    liveDelay: 250,
    liveTokens: 256,
    selection: 'inContext',
    contextTokens: 256,
    hubFolder: '',
    hubAddress: 'https://huggingface.co',
  };

  it('are the defaults where nothing is set', () => {
    expect(read({})).to.deep.equal(defaults);
  });

  it('are taken as they are where they can be', () => {
    const values = {
      modelPath: ' /m ',
      backend: 'wasm',
      threads: 2,
      tokenLimit: 128,
      highlightOnHover: false,
      colourMap: 'magma',
      scale: 'log',
      liveDelay: 100,
      liveTokens: 64,
      selection: 'alone',
      contextTokens: 1024,
      hubFolder: '/models',
      hubAddress: 'https://hf-mirror.com',
    };
    expect(read(values)).to.deep.equal({ ...values, modelPath: '/m' });
  });

  it('are the defaults where they cannot be', () => {
    expect(
      read({
        modelPath: 7,
        backend: 'cuda',
        threads: -1,
        tokenLimit: 1.5,
        highlightOnHover: 'no',
        colourMap: 'rainbow',
        scale: null,
        hubFolder: 7,
        hubAddress: [],
      }),
    ).to.deep.equal(defaults);
    expect(read({ liveDelay: 10, liveTokens: 5000, selection: 'beside', contextTokens: 8 })).to.deep.equal(defaults);
    expect(read({ threads: 1e9, tokenLimit: '12' })).to.deep.equal(defaults);
  });
});
