import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { explain, type ExplainOptions } from '../../../src/cli/explanation/explain';
import { explainImage } from '../../../src/cli/explanation/explainImage';
import { extract } from '../../../src/cli/extract';
import { readSafetensors } from '../../../src/cli/safetensors';
import type { MethodId } from '../../../src/model/methods';
import { codeOf } from '../../harness/codeOf';

const asked: ExplainOptions = {
  file: '-',
  text: 'def f(n):\n    return n',
  model: 'media/models/code-encoder',
  target: undefined,
  tokenizer: undefined,
  isChatMessage: false,
  component: undefined,
  head: '1.0',
  backend: 'wasm',
  isJson: true,
};

interface Told {
  readonly method: string;
  readonly weighed?: { readonly id: string; readonly unit: string };
  readonly components: readonly {
    readonly heads: readonly { readonly head: string; readonly entropy?: number; readonly written?: unknown }[];
    readonly reads: readonly (readonly {
      readonly position: number;
      readonly weight: number;
      readonly uniform?: number;
    }[])[];
  }[];
}

/** Rollout of layers that read all they may alike, by its definition: products of ½ mean + ½ identity. */
function uniformRollout(numTokens: number, numLayers: number, isCausal: boolean): number[][] {
  const places = Array.from({ length: numTokens }, (_, at) => at);
  const mixed = places.map((query) => {
    const count = isCausal ? query + 1 : numTokens;
    return places.map((key) => (key < count ? 0.5 / count : 0) + (key === query ? 0.5 : 0));
  });
  let rolled = places.map((query) => places.map((key) => Number(query === key)));
  for (let layer = 0; layer < numLayers; layer++)
    rolled = mixed.map((row) => places.map((key) => row.reduce((sum, share, k) => sum + share * rolled[k][key], 0)));
  return rolled;
}

describe('methods on the command line', () => {
  const told = async (method?: MethodId, head = '1.0'): Promise<Told> =>
    JSON.parse(await explain({ ...asked, head, ...(method === undefined ? {} : { method }) })) as Told;

  it('norm-weighted numbers are lengths: named, with their unit, and without metrics of shares', async () => {
    const [plain, norm] = [await told(), await told('norm')];
    expect(plain).to.include({ method: 'attention weight' }).and.not.have.property('weighed');
    expect(norm).to.have.property('method', 'norm-weighted attention');
    expect(norm.weighed).to.deep.include({ id: 'norm', unit: 'norm' });
    expect(plain.components[0].heads[0]).to.have.property('entropy');
    for (const head of norm.components[0].heads) expect(head).to.have.all.keys('head', 'written');
    // Another scale, and by its keys another order.
    const sums = [plain, norm].map(({ components }) =>
      components[0].reads.map((reads) => reads.reduce((sum, { weight }) => sum + weight, 0)),
    );
    expect(Math.max(...sums[0])).to.be.at.most(1.0001);
    expect(Math.max(...sums[1])).to.be.greaterThan(1);
  });

  it('rollout is that of the last layer where none is named, and shares of one', async () => {
    const text = await explain({ ...asked, head: undefined, isJson: false, method: 'rollout' });
    expect(text)
      .to.include('attention rollout')
      .and.include('Abnar & Zuidema 2020')
      .and.match(/What each token reads \(layer 3\)/);
    const { components } = await told('rolloutUniform', '3.0');
    for (const reads of components[0].reads)
      expect(reads.reduce((sum, { weight }) => sum + weight, 0)).to.be.at.most(1.0001);
  });

  it('rollout has beside each share what uniform attention comes to, of a text, a picture and a translation', async () => {
    const decoder = { ...asked, head: undefined, model: 'media/models/code-decoder', method: 'rollout' } as const;
    const { components } = JSON.parse(await explain(decoder)) as Told;
    const picture = {
      file: 'media/models/shapes-vit/samples/purple-ring.png',
      model: 'media/models/shapes-vit',
      head: undefined,
      backend: 'wasm',
      method: 'rollout',
    } as const;
    const { reads } = JSON.parse(await explainImage({ ...picture, isJson: true })) as Told['components'][number];
    for (const [told, numLayers, isCausal] of [
      [components[0].reads, 4, true],
      [reads, 4, false],
    ] as const) {
      const wanted = uniformRollout(told.length, numLayers, isCausal);
      expect(told.length).to.be.greaterThan(8);
      told.forEach((sources, query) => {
        for (const { position, uniform } of sources) expect(uniform).to.be.closeTo(wanted[query][position], 1e-6);
      });
    }
    const share = /: 0\.\d{3} \(uniform: 0\.\d{3}\)/;
    expect(await explain({ ...decoder, isJson: false })).to.match(share);
    expect(await explainImage({ ...picture, isJson: false })).to.match(share);
    const dates = { ...asked, text: '5 May 1979', model: 'media/models/date-transformer', head: '2.0' };
    const across = JSON.parse(await explain({ ...dates, component: 'cross', method: 'rollout' })) as Told;
    const alone = JSON.parse(await explain({ ...dates, component: 'cross', method: 'rolloutUniform' })) as Told;
    expect(alone.components[0].reads[0][0]).to.not.have.property('uniform');
    for (const [query, sources] of across.components[0].reads.entries())
      for (const { position, uniform } of sources) {
        const own = alone.components[0].reads[query].find((each) => each.position === position);
        if (own !== undefined) expect(uniform).to.be.closeTo(own.weight, 1e-6);
      }
  });

  it('tell of the token that is named alone, of a text, a picture and both sides of a translation', async () => {
    const text = { ...asked, head: undefined, isJson: false, query: '3' };
    const decoder = { ...text, model: 'media/models/code-decoder' };
    const picture = {
      file: 'media/models/shapes-vit/samples/purple-ring.png',
      model: 'media/models/shapes-vit',
      head: undefined,
      backend: 'wasm',
      isJson: false,
      query: '5',
    } as const;
    const readersOf = (told: string): string[] =>
      [...told.matchAll(/^(.*?)(?:, next .*,)? reads .*: \d/gm)].map(([, reader]) => reader);
    for (const method of ['norm', 'rollout'] as const) {
      const [row] = [await explain({ ...decoder, method })].map(readersOf);
      expect(row, method).to.deep.equal(['"(" (3)']);
      expect(readersOf(await explainImage({ ...picture, method })), method).to.deep.equal(['row 1, column 5']);
    }
    const whole = await explain({ ...decoder, query: undefined, method: 'rollout' });
    const rolled = (await explain({ ...decoder, method: 'rollout' })).split('\n').at(-1);
    expect(whole.split('\n')).to.include(rolled);
    const dates = { ...text, text: '5 May 1979', model: 'media/models/date-transformer', query: '10' };
    const { components } = JSON.parse(await explain({ ...dates, isJson: true })) as {
      readonly components: readonly { readonly component: string }[];
    };
    expect(components.map(({ component }) => component)).to.include.members(['encoder', 'decoder', 'cross']);
    const past = await Promise.all(
      ['-1', '99', 'x', '1e1', ''].map((query) => codeOf(explain({ ...dates, query, method: 'rollout' }))),
    );
    expect(new Set(past)).to.deep.equal(new Set(['invalidArgument']));
  });

  it('which make one matrix of all heads of a layer say so of a head that is named', async () => {
    for (const method of ['summed', 'rollout', 'flow'] as const) {
      const refusal = await explain({ ...asked, head: '1.1', method }).catch(String);
      expect(refusal, method).to.match(/a layer has one matrix and no heads: 0\.0 is .* and 3\.0 that of the last/);
    }
    expect(await explain({ ...asked, head: '7.1', method: 'norm' }).catch(String)).to.include('is not a head of this');
  });

  it('are those of pictures and of encoder–decoder models, too, each with its mixing ratio where the token itself counts', async () => {
    const picture = JSON.parse(
      await explainImage({
        file: 'media/models/shapes-vit/samples/purple-ring.png',
        model: 'media/models/shapes-vit',
        head: '0.0',
        backend: 'wasm',
        isJson: true,
        method: 'residual',
      }),
    ) as { readonly weighed: unknown; readonly reads: Told['components'][number]['reads'] };
    expect(picture.weighed).to.deep.include({ id: 'residual', unit: 'norm' });
    // Each patch is most of all itself.
    picture.reads.forEach((reads, patch) => expect(reads[0].position).to.equal(patch));
    const dates = { ...asked, text: '5 May 1979', model: 'media/models/date-transformer', head: '0.0' };
    // In cross-attention no key is the token itself, which counts in the ratio alone.
    for (const component of ['encoder', 'cross'] as const) {
      const { components } = JSON.parse(await explain({ ...dates, component, method: 'residualNorm' })) as Told & {
        readonly components: readonly { readonly heads: readonly { readonly mixing: readonly number[] }[] }[];
      };
      expect(components[0].heads).to.have.length(3);
      for (const { mixing } of components[0].heads) for (const share of mixing) expect(share).to.be.within(0.01, 0.99);
    }
    const across = JSON.parse(await explain({ ...dates, component: 'cross', method: 'norm' })) as Told;
    expect(across.components[0].heads).to.have.length(12);
    expect(across.components[0].heads[0]).to.have.property('written');
    expect(await codeOf(explain({ ...dates, component: 'cross', method: 'flow' }))).to.equal('methodNotOffered');
  });

  it('what one component of a model cannot have leaves the others, with a sentence; asked for alone, it is refused', async () => {
    const hiera = {
      file: 'test/fixtures/windows/hiera.legacy/picture.png',
      model: 'test/fixtures/windows/hiera.legacy',
      backend: 'wasm',
      isJson: true,
      method: 'residual',
    } as const;
    const of = async (head: string | undefined) =>
      JSON.parse(await explainImage({ ...hiera, head })) as {
        readonly notices: readonly string[];
        readonly stages?: readonly { readonly name: string }[];
      };
    const all = await of(undefined);
    expect(all.stages?.map(({ name }) => name)).to.deep.equal(['stage1', 'stage3']);
    expect(all.notices.at(-1)).to.match(/with the residual \(stage2\) cannot be shown of this model/);
    expect((await of('0.0')).notices.filter((notice) => notice.includes('cannot be shown'))).to.deep.equal([]);
    expect(await codeOf(explainImage({ ...hiera, head: '1.0' }))).to.equal('methodNotOffered');
  });

  it('rollout is written of all layers, or of the one that is named, as any other method', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attention-rollout-'));
    try {
      const path = join(folder, 'rollout.safetensors');
      const layers = async (head: string | undefined): Promise<string[]> => {
        const out = { path, precision: undefined, threshold: undefined };
        await explain({ ...asked, head, method: 'rollout', out });
        return [...readSafetensors(readFileSync(path), 'out').keys()].filter((name) => name.startsWith('attention.'));
      };
      expect(await layers(undefined)).to.deep.equal([0, 1, 2, 3].map((layer) => `attention.self.${layer}`));
      expect(await layers('2.0')).to.deep.equal(['attention.self.2']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('parts of attention are written beside the weights, and what cannot be had is said', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attention-parts-'));
    try {
      const of = (name: string): { model: string; feeds: string; out: string; backend: 'wasm' } => ({
        model: `test/fixtures/${name}/model.onnx`,
        feeds: `test/fixtures/${name}/expected.safetensors`,
        out: join(folder, 'out.safetensors'),
        backend: 'wasm',
      });
      const said = await extract({ ...of('headParts/fused.gqa_rotary'), also: ['key', 'norm'] });
      expect(said).to.include('Norms of 1 layer exact');
      const tensors = readSafetensors(readFileSync(join(folder, 'out.safetensors')), 'out');
      expect([...tensors].map(([name, { shape }]) => `${name} ${shape.join(' ')}`)).to.include.members([
        'attention.self.0 1 4 9 9',
        'key.self.0 1 4 9 16',
        'norm.self.0 1 4 9',
      ]);
      expect(await extract({ ...of('zoo/craft.mha_plain'), also: ['norm'] })).to.include(
        'Not written: norm of 1 layer: the graph projects its result nowhere',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
