import { expect } from 'chai';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { codeOf } from '../harness/codeOf';
import { readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What transformers makes of a text in several languages; see scripts/fixtures/translator.py. */
interface Expected {
  readonly text: string;
  readonly cases: readonly {
    readonly source: string;
    readonly target: string;
    readonly ids: readonly number[];
    readonly written: readonly number[];
  }[];
}

/** The same of a Marian: the ids of a source with a language's code before it, and of a target. */
interface MarianExpected {
  readonly text: string;
  readonly cases: readonly {
    readonly target: string | null;
    readonly ids: readonly number[];
    readonly written: readonly number[];
  }[];
  readonly given: string;
  readonly givenIds: readonly number[];
}

describe('the languages of a translator', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });
  const load = (path: string): Promise<LoadedModel> =>
    LoadedModel.load({ runtime, reason: '' }, fixtureAccess, { path, backend: 'wasm', threads: 1 });

  it('stand before the source, and are forced first where the model writes the target itself', async () => {
    const { text, cases } = JSON.parse(await readFixtureText('languages/m2m100/expected.json')) as Expected; // written by our own script
    const model = await load('languages/m2m100');
    for (const { source, target, ids, written } of cases) {
      const { streams, languages, notices } = await model.explain({
        text,
        tokenLimit: 0,
        languages: { source, target },
      });
      expect(
        streams[0].tokens.map(({ id }) => id),
        source,
      ).to.deep.equal(ids);
      expect(
        streams[1].tokens.map(({ id }) => id),
        `${source} to ${target}`,
      ).to.deep.equal(written.slice(0, streams[1].tokens.length));
      expect(streams[1].tokens.length).to.be.at.least(written.length - 1);
      expect(streams[1].tokens[1].piece).to.equal(target);
      expect([languages?.source, languages?.target]).to.deep.equal([source, target]);
      expect(notices[0]).to.deep.equal({ code: 'inLanguages', args: [source, target] });
    }
    const given = await model.explain({ text, tokenLimit: 0, target: 'b a', languages: { target: 'zho_Hans' } });
    expect(given.streams[1].tokens[1].piece).to.equal('zho_Hans');
    // As the settings say where none is named.
    const {
      streams: [, written],
      languages,
    } = await model.explain({ text, tokenLimit: 0 });
    expect(languages?.source).to.equal('eng_Latn');
    // Nothing forces a language then: it is the one that the model writes, if any.
    expect(languages?.target).to.equal(written.tokens[1].piece).and.to.not.equal('fra_Latn');
    expect((await model.explain({ text, tokenLimit: 0, target: 'b' })).languages?.target).to.equal('fra_Latn');
    expect(languages?.codes).to.include.members(['eng_Latn', 'deu_Latn', 'zho_Hans']);
    expect(await codeOf(model.explain({ text, tokenLimit: 0, languages: { source: 'xx_Xxxx' } }))).to.equal(
      'invalidArgument',
    );
    await model.release();
  });

  it('stand before the source of a Marian, whose target is cut by a file of its own', async () => {
    const { text, cases, given, givenIds } = JSON.parse(
      await readFixtureText('languages/marian/expected.json'),
    ) as MarianExpected; // written by our own script
    const model = await load('languages/marian');
    const idsOf = (stream: { readonly tokens: readonly { readonly id: number }[] }): number[] =>
      stream.tokens.map(({ id }) => id);
    for (const { target, ids, written } of cases) {
      const { streams, languages } = await model.explain({
        text,
        tokenLimit: 0,
        ...(target === null ? {} : { languages: { target } }),
      });
      expect(idsOf(streams[0]), String(target)).to.deep.equal(ids);
      expect(idsOf(streams[1])).to.deep.equal(written.slice(0, streams[1].tokens.length));
      expect(languages).to.deep.equal({
        codes: ['fra', 'oci'],
        isSourceFixed: true,
        source: 'eng',
        target: target ?? undefined,
      });
    }
    const { streams } = await model.explain({ text, tokenLimit: 0, target: given });
    expect(idsOf(streams[1]).slice(1)).to.deep.equal(givenIds.slice(0, -1));
    expect(
      streams[1].tokens
        .slice(1)
        .map(({ start, end }) => given.slice(start, end))
        .join(''),
    ).to.equal(given);
    expect(await codeOf(model.explain({ text, tokenLimit: 0, languages: { target: 'deu' } }))).to.equal(
      'invalidArgument',
    );
    await model.release();
  });

  it('are none of a model whose tokenizer knows none', async () => {
    const model = await load('seq2seq/t5.split');
    expect((await model.explain({ text: 'a', tokenLimit: 0, target: 'a' })).languages).to.equal(undefined);
    await model.release();
  });
});
