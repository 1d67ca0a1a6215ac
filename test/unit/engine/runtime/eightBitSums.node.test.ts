import { expect } from 'chai';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { addsBytesExactly } from '../../../../src/engine/runtime/eightBitSums';
import { Runtime, type OrtModule } from '../../../../src/engine/runtime/runtime';

/** A build of the runtime whose products of bytes give a number of the test's. */
function fakeOrt(sum: number | Error): OrtModule {
  const session = {
    run: () =>
      sum instanceof Error ? Promise.reject(sum) : Promise.resolve({ y: { data: new Int32Array(102).fill(sum) } }),
    release: () => Promise.resolve(),
  };
  const ort = {
    listSupportedBackends: () => [],
    env: { wasm: {} },
    InferenceSession: { create: () => Promise.resolve(session) },
    Tensor: class {},
  };
  return ort as unknown as OrtModule; // as much of it as is asked
}

const exactSum = 64 * 255 * 127;
/** Each pair of terms as 16 bits with a sign hold it at most. */
const saturated = 32 * 32767;

describe('sums of products of bytes', () => {
  it('are exact in WebAssembly, and what the native runtime does is told', async () => {
    expect(await addsBytesExactly(web, { executionProviders: ['wasm'] })).to.equal(true);
    expect(await addsBytesExactly(native, { executionProviders: ['cpu'] })).to.be.a('boolean');
  });

  it('are computed in the slower way only where they saturate, or where that cannot be told, and only by models that have them', async () => {
    const settings = (sum: number | Error, hasBytes: boolean): Promise<object> =>
      new Runtime(fakeOrt(sum), 1, 'native').sessionConfig(hasBytes);
    expect(await settings(exactSum, true)).to.deep.equal({});
    expect(await settings(saturated, true)).to.deep.equal({ x64quantprecision: '1' });
    expect(await settings(new Error('no such operator'), true)).to.deep.equal({ x64quantprecision: '1' });
    expect(await settings(saturated, false)).to.deep.equal({});
    expect(await new Runtime(web, 1).sessionConfig(true)).to.deep.equal({});
  });
});
