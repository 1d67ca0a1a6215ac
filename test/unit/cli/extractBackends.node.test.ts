import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import * as web from 'onnxruntime-web';
import { extract } from '../../../src/cli/extract';
import { readSafetensors } from '../../../src/cli/safetensors';
import type { EngineOptions } from '../../../src/protocol';

type Loaders = NonNullable<Parameters<typeof extract>[1]>;

const name = 'zoo/craft.mha_plain';

describe('extracting where one backend cannot load the model', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-backends-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A runtime that works, or one that has an operator of the model not. */
  const runtime = (backend: string, tried: string[], works: boolean) => (): Promise<typeof web> => {
    const InferenceSession = {
      create: async (...args: Parameters<typeof web.InferenceSession.create>): Promise<Ort.InferenceSession> => {
        // A runtime is tried on a model of its own first.
        const isModel = Buffer.from(args[0] as unknown as Uint8Array).includes('MultiHeadAttention'); // bytes, as this model is handed over
        if (isModel) tried.push(backend);
        if (isModel && !works) throw new Error('Could not find an implementation for MultiHeadAttention(1) node');
        return web.InferenceSession.create(...args);
      },
    } as unknown as typeof web.InferenceSession; // all of it that a session is made with
    return Promise.resolve({ ...web, InferenceSession });
  };
  const run = async (
    backend: EngineOptions['backend'] | undefined,
    working: readonly string[],
    has = ['native', 'webgpu', 'wasm'],
  ) => {
    const tried: string[] = [];
    const loaders = Object.fromEntries(
      has.map((each) => [each, runtime(each, tried, working.includes(each))]),
    ) as unknown as Loaders; // one module in several names
    const out = join(folder, 'out.safetensors');
    rmSync(out, { force: true });
    const said = await extract(
      { model: `test/fixtures/${name}/model.onnx`, feeds: `test/fixtures/${name}/expected.safetensors`, out, backend },
      loaders,
    ).catch((error: unknown) => String(error));
    return { tried: [...new Set(tried)], said: String(said), out };
  };
  const farthest = (out: string): number => {
    const [own, expected] = [out, `test/fixtures/${name}/expected.safetensors`].map((file) => {
      const { data } = readSafetensors(readFileSync(file), file).get('attention.self.0') ?? { data: new Uint8Array() };
      return new Float32Array(Uint8Array.from(data).buffer);
    });
    expect(own).to.have.length(expected.length).and.not.have.length(0);
    return own.reduce((largest, value, at) => Math.max(largest, Math.abs(value - expected[at])), 0);
  };

  it('goes to the next, says why, and writes the same', async () => {
    const { tried, said, out } = await run('native', ['wasm']);
    expect(tried).to.deep.equal(['native', 'wasm']);
    expect(said).to.include(
      'The native runtime cannot load this model: it does not have the operator MultiHeadAttention',
    );
    expect(farthest(out)).to.be.at.most(1e-5);
    const fastest = await run('auto', ['wasm']);
    expect(fastest.tried).to.deep.equal(['native', 'wasm']);
    expect(fastest.said).to.include('The native runtime cannot load this model');
  });

  it('where none was asked for, tries what is the same everywhere first, then the native one', async () => {
    const plain = await run(undefined, ['wasm', 'native']);
    expect(plain.tried).to.deep.equal(['wasm']);
    expect(plain.said).to.not.include('cannot load');
    const { tried, said, out } = await run(undefined, ['native']);
    expect(tried).to.deep.equal(['wasm', 'native']);
    expect(said).to.include('WebAssembly cannot load this model: it does not have the operator MultiHeadAttention');
    expect(farthest(out)).to.be.at.most(1e-5);
  });

  it('tells what WebAssembly said where no other can, and goes nowhere where one was asked for', async () => {
    for (const has of [['wasm'], ['native', 'wasm']]) {
      const { said } = await run(undefined, [], has);
      expect(said).to.include('it does not have the operator MultiHeadAttention');
    }
    const { tried, said } = await run('wasm', ['native']);
    expect(tried).to.deep.equal(['wasm']);
    expect(said).to.include('it does not have the operator MultiHeadAttention');
  });
});
