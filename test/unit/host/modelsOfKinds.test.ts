import { expect } from 'chai';
import type { Memento } from 'vscode';
import { ExplorerError, type ErrorCode } from '../../../src/base/errors';
import { ModelsOfKinds, runFitting } from '../../../src/host/model/modelsOfKinds';
import { codeOf } from '../../harness/codeOf';

type Kind = 'text' | 'image';

function memento(held: Record<string, unknown>): Memento {
  return {
    keys: () => Object.keys(held),
    get: <T>(key: string) => held[key] as T /* as Memento promises */,
    update: (key: string, value: unknown) => Promise.resolve(void (held[key] = value)),
  };
}

/** What happens where models of these paths read these kinds, or fail with a code. */
async function run(
  kind: Kind,
  written: string,
  models: Readonly<Record<string, Kind | ErrorCode>>,
  { held = {}, answer }: { held?: Record<string, unknown>; answer?: string } = {},
) {
  const used: string[] = [];
  let asked = 0;
  const kinds = new ModelsOfKinds(memento(held), () => Promise.resolve(answer));
  const running = runFitting({
    kind,
    written,
    models: kinds,
    whileAsking: (ask) => (asked++, ask()),
    signal: new AbortController().signal,
    run: (modelPath, instead) => {
      used.push(modelPath);
      const reads = models[modelPath];
      if (reads === kind) return Promise.resolve({ run: { modelPath, instead }, path: modelPath });
      return Promise.reject(
        new ExplorerError(
          reads === 'image' ? 'modelReadsImages' : reads === 'text' ? 'modelReadsText' : (reads ?? 'modelNotFound'),
          [modelPath],
        ),
      );
    },
  });
  const code = await codeOf(running);
  return { code, result: code === 'none' ? await running : undefined, used, asked, held };
}

const bundled = { '': 'text', 'bundled:shapes-vit': 'image' } as const;

describe('The model of a kind of input', () => {
  it('is the one in the settings where that reads it, which is remembered', async () => {
    for (const kind of ['text', 'image'] as const) {
      const { result, held, asked } = await run(kind, 'mine', { mine: kind });
      expect(result).to.deep.equal({ modelPath: 'mine', instead: undefined });
      expect(held).to.deep.equal({ [`${kind}Model`]: 'mine' });
      expect(asked).to.equal(0);
    }
  });

  it('is the one that read this kind last, where the one in the settings reads the other', async () => {
    const text = await run(
      'text',
      'vit',
      { ...bundled, vit: 'image', bert: 'text' },
      { held: { textModel: 'bert', imageModel: 'vit' } },
    );
    expect(text.result).to.deep.equal({ modelPath: 'bert', instead: 'vit' });
    const image = await run(
      'image',
      'bert',
      { ...bundled, vit: 'image', bert: 'text' },
      { held: { textModel: 'bert', imageModel: 'vit' } },
    );
    expect(image.result).to.deep.equal({ modelPath: 'vit', instead: 'bert' });
    expect(image.asked + text.asked).to.equal(0);
  });

  it('is the bundled one for texts, and for pictures one that is asked for, once', async () => {
    expect((await run('text', 'vit', { ...bundled, vit: 'image' })).result).to.deep.equal({
      modelPath: '',
      instead: 'vit',
    });
    const asked = await run('image', 'bert', { ...bundled, bert: 'text' }, { answer: 'bundled:shapes-vit' });
    expect(asked.result).to.deep.equal({ modelPath: 'bundled:shapes-vit', instead: 'bert' });
    expect(asked.asked).to.equal(1);
    expect((await run('image', 'bert', { ...bundled, bert: 'text' }, { held: asked.held })).asked).to.equal(0);
    expect((await run('image', 'bert', { ...bundled, bert: 'text' })).code, 'nothing was chosen').to.equal(
      'modelReadsText',
    );
  });

  it('is for pictures the last one, else the bundled one, where the settings name none', async () => {
    expect((await run('image', '', bundled)).result).to.deep.equal({
      modelPath: 'bundled:shapes-vit',
      instead: undefined,
    });
    expect(
      (await run('image', '', { ...bundled, vit: 'image' }, { held: { imageModel: 'vit' } })).result,
    ).to.deep.equal({ modelPath: 'vit', instead: undefined });
  });

  it('is forgotten where it is gone', async () => {
    const text = await run('text', 'vit', { ...bundled, vit: 'image' }, { held: { textModel: 'gone' } });
    expect(text.used).to.deep.equal(['vit', 'gone', '']);
    expect(text.held).to.deep.equal({ textModel: '' });
    expect((await run('image', '', bundled, { held: { imageModel: 'gone' } })).result).to.include({
      modelPath: 'bundled:shapes-vit',
    });
    const image = await run('image', 'bert', { ...bundled, bert: 'text' }, { held: { imageModel: 'gone' } });
    expect(image.code).to.equal('modelNotFound');
    expect(image.held, 'the next time it is asked for').to.deep.equal({ imageModel: undefined });
  });

  it('is not another one because a run failed', async () => {
    for (const code of ['outOfMemory', 'modelNotFound', 'cancelled'] as const) {
      const { code: failed, used } = await run('text', 'mine', { ...bundled, mine: code });
      expect([failed, used]).to.deep.equal([code, ['mine']]);
    }
  });
});
