import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { plain } from '../../src/base/safeText';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import type { DrawnCell } from '../../src/engine/how/cellRead';
import { CellRuns } from '../../src/engine/how/cellRuns';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { agrees, howTexts, type How, type HowKind, type HowName, type HowStep } from '../../src/model/how/how';
import { numpySnippet } from '../../src/model/how/numpySnippet';
import { codeOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const softmax = 'maximum exponentials sum weight';
const projected = 'values head heads written contributors output';
const learned = 'token learnedPosition input';

/** The steps of the last attention of each model, in the order in which its graph has them. */
const expectedKinds: Readonly<Record<string, string>> = {
  'bert.eager.dynamo': `${learned} query key product scale mask ${softmax} ${projected}`,
  'bert_mlm.sdpa.dynamo': `${learned} query scaledQuery key scaledKey product mask ${softmax} guard ${projected}`,
  'craft.additive.legacy': `unknownOrigin input query key additive bias ${softmax} values head heads noProjection`,
  'craft.decomposed.legacy': `unknownOrigin query key product scale ${softmax} values head heads noProjection`,
  'craft.sigmoid.legacy': 'unknownOrigin query key product scale bias sigmoid values head heads noProjection',
  'craft.sink_logits.legacy': `unknownOrigin query key product scale sink maximum ${softmax} cut values head heads noProjection`,
  'craft.worked_example': `unknownOrigin input query key product ${softmax} values head heads noProjection`,
  'craft.gqa_rotary': `unknownOrigin query key hidden hiddenScore ${softmax} values head heads noProjection`,
  'craft.linear.legacy': 'unknownOrigin query key features linearWeight values head noProjection',
  'craft.mha_keymask': `unknownOrigin query key hidden hiddenScore ${softmax} values head heads noProjection`,
  'gemma2.eager.legacy': `token rotaryPosition input query rotatedQuery key rotatedKey product scale division softCap scale mask ${softmax} ${projected}`,
  'gpt2.eager.dynamo': `${learned} query key product scale mask ${softmax} ${projected}`,
  'llama.sdpa.dynamo': `token rotaryPosition input query rotatedQuery scaledQuery key rotatedKey scaledKey product mask ${softmax} guard ${projected}`,
  'llama.sdpa.op23': `token rotaryPosition input query rotatedQuery key rotatedKey hidden hiddenScore ${softmax} ${projected}`,
  'real.heads_as_modules.legacy': `${learned} query key product scale choice ${softmax} ${projected}`,
  't5.eager.legacy': `token noPosition input query key product scale mask mask ${softmax} ${projected}`,
  'vit.sdpa.legacy': `patch learnedPosition input query scaledQuery key scaledKey product ${softmax} ${projected}`,
  'whisper.sdpa.dynamo': `${learned} query scaledQuery key product ${softmax} ${projected}`,
};

/** How queries and keys are normalised: of each head, with one added to the factors, of all heads together, and less their mean before a rotation of a part of them. */
const expectedNorms: Readonly<Record<string, string>> = {
  'qwen3.dynamo': 'rmsNorm',
  'gemma3_text.legacy': 'rmsNorm',
  'olmo2.legacy': 'rmsNorm',
  'persimmon.legacy': 'layerNorm',
};

/** What makes queries, keys and scores in models of other forms; `+` where a step is computed anew. */
const expectedScores: Readonly<Record<string, string>> = {
  // Neighbours turn, or a part of the features; queries, keys and values are one product.
  'headParts/gptj.eager.legacy': 'query+ rotatedQuery+ key+ rotatedKey+ product+ division+ mask+',
  'headParts/phi.sdpa.dynamo': 'query+ rotatedQuery+ scaledQuery key+ rotatedKey+ scaledKey product+ mask+',
  'headParts/phi3.eager.legacy': 'query+ rotatedQuery+ key+ rotatedKey+ product+ scale+ mask+',
  'headParts/bloom.eager.legacy': 'query+ key+ product+ scale+ bias+ mask+',
  // A norm between projection and rotation.
  'headParts/qwen3.eager.dynamo':
    'query+ rmsNormQuery+ rotatedQuery+ key+ rmsNormKey+ rotatedKey+ product+ scale+ mask+',
  // Four and eight bits: the scales of bytes are no scales of queries.
  'headParts/llama.eager.legacy.q4': 'query+ rotatedQuery+ key+ rotatedKey+ product+ scale+ mask+',
  'headParts/bert.eager.legacy.int8': 'query key product+ scale+ mask+',
  // The scale is inside the product's operator, and the position in that of a norm.
  'residuals/bert.optimised': 'query+ key+ scaledProduct+ mask+',
};

function numbersOf(how: How, kind: HowKind, name: HowName): number[] {
  const step = how.steps.find((each) => each.kind === kind);
  return [...(step?.numbers.find((each) => each.name === name)?.values ?? [])];
}

const kindsOf = (steps: readonly HowStep[]): string => steps.map(({ kind }) => kind).join(' ');

/** Runs Python; undefined where there is none with NumPy. */
function runPython(source: string): { readonly status: number | null; readonly stderr: string } | undefined {
  const python = process.env['PYTHON'] ?? 'python3';
  if (spawnSync(python, ['-c', 'import numpy']).status !== 0) return undefined;
  return spawnSync(python, ['-'], { input: source, encoding: 'utf8' });
}

describe('how a weight came about', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  /** What each model's steps are in Python. */
  const snippets = new Map<string, readonly { readonly kind: HowKind; readonly source: string }[]>();
  const keepSnippets = (name: string, how: How): void => {
    const found = how.steps.flatMap((step) => {
      const source = numpySnippet(how, step);
      return source === undefined ? [] : [{ kind: step.kind, source }];
    });
    snippets.set(name, found);
  };

  /** Runs a fixture's model: what is expected of it, its first layer, and how a cell of that came about. */
  const open = async (folder: string) => {
    const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), 'expected.safetensors');
    const files = await readModelFiles(fixtureAccess, `${folder}/model.onnx`);
    const inputs = toModelInputs(files.analysis.index, expected);
    const session = await AttentionSession.create({ ort, files });
    const runs = new CellRuns([session]);
    const [{ component, layer, path, numHeads, numQueries, numKeys, weights }] = (await session.run(inputs)).layers;
    return {
      expected,
      numHeads,
      numQueries,
      howOf: async (head: number, query: number, key: number): Promise<How> => {
        const cell = { component, layer, head, query, key };
        const weight = weights[(head * numQueries + query) * numKeys + key];
        const drawn = { cell, weight, path: plain(path), numHeads, numKeys, token: '' };
        const how = await runs.how(drawn, [{ file: files.name, inputs }]);
        keepSnippets(folder, how);
        expect(how.steps.filter((step) => !agrees(step))).to.deep.equal([]);
        return how;
      },
      release: async () => {
        await runs.release();
        await session.release();
      },
    };
  };

  for (const [name, kinds] of Object.entries(expectedKinds)) {
    it(`is followed through the graph of ${name}`, async () => {
      const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), 'expected.safetensors');
      const files = await readModelFiles(fixtureAccess, `zoo/${name}/model.onnx`);
      const inputs = toModelInputs(files.analysis.index, expected);
      const session = await AttentionSession.create({ ort, files });
      const runs = new CellRuns([session]);
      const site = files.analysis.sites[files.analysis.sites.length - 1];
      const { data, shape = [] } = expected.get(`attention.${site.component}.${site.layer}`) ?? {};
      if (data === undefined) throw new Error('no reference');
      const reference = new Float32Array(data.slice().buffer);
      const [numHeads, numQueries, numKeys] = shape.length === 3 ? [1, shape[1], shape[2]] : shape.slice(1);
      const head = numHeads - 1;
      const query = numQueries - 2;
      const row = reference.subarray((head * numQueries + query) * numKeys, (head * numQueries + query + 1) * numKeys);
      const key = row.indexOf(Math.max(...row));
      const drawn: DrawnCell = {
        cell: { component: site.component, layer: site.layer, head, query, key },
        weight: row[key],
        path: plain(site.path),
        numHeads,
        numKeys,
        token: '',
      };
      const fed = [{ file: files.name, inputs }];
      const how = await runs.how(drawn, fed);
      const refused = await codeOf(runs.how({ ...drawn, weight: row[key] + 1e-4 }, fed));
      await runs.release();
      await session.release();
      keepSnippets(name, how);
      expect(kindsOf(how.steps)).to.equal(kinds);
      expect(how.steps.filter((step) => !agrees(step))).to.deep.equal([]);
      const weights = how.steps.find(({ kind }) => kind === 'weight' || kind === 'sigmoid' || kind === 'linearWeight');
      expect(weights?.check?.difference ?? 0).to.be.at.most(1e-6);
      const found = weights?.numbers.find((each) => each.name === 'weights')?.values ?? [];
      row.forEach((weight, at) => expect(found[at]).to.be.closeTo(weight, 1e-6));
      expect(refused).to.equal('howNotFollowed');
    });
  }

  for (const [folder, kinds] of Object.entries(expectedScores)) {
    it(`has each step of queries, keys and scores in ${folder}`, async () => {
      const { numHeads, numQueries, howOf, release } = await open(folder);
      const how = await howOf(numHeads - 1, numQueries - 1, 1);
      await release();
      const from = how.steps.findIndex(({ kind }) => kind === 'query');
      const to = how.steps.findIndex(({ kind }) => kind === 'maximum');
      const shown = how.steps.slice(from, to).map(({ kind, check }) => (check === undefined ? kind : `${kind}+`));
      expect(shown.join(' ')).to.equal(kinds);
      const position = how.steps[from - 2].kind;
      if (folder.includes('bloom')) expect(position).to.equal('noPosition');
      else expect(position).to.equal(kinds.includes('rotated') ? 'rotaryPosition' : 'learnedPosition');
    });
  }

  for (const [name, norm] of Object.entries(expectedNorms)) {
    it(`has the norms of queries and keys that PyTorch has, before they are rotated: ${name}`, async () => {
      const folder = `qkNorms/${name}`;
      const { expected, numHeads, numQueries, howOf, release } = await open(folder);
      for (const head of [0, numHeads - 1]) {
        const [query, keyPlace] = [numQueries - 1, 3];
        const how = await howOf(head, query, keyPlace);
        const kinds = kindsOf(how.steps);
        expect(kinds).to.match(
          new RegExp(
            `query ${norm}Query rotatedQuery (?:scaledQuery )?key ${norm}Key rotatedKey (?:scaledKey )?product`,
          ),
        );
        for (const [side, kind, place] of [
          ['query', `${norm}Query`, query],
          ['key', `${norm}Key`, keyPlace],
        ] as const) {
          const rowOf = (tensor: string): Float32Array => {
            const { data, shape = [] } = expected.get(tensor) ?? {};
            if (data === undefined) throw new Error(`no ${tensor}`);
            const [, positions, width] = shape;
            const from = (head * positions + place) * width;
            return new Float32Array(data.slice().buffer).subarray(from, from + width);
          };
          const step = how.steps.find((each) => each.kind === kind);
          // Computed anew from its map: not only what comes out of the norm is known.
          expect(how.steps.find((each) => each.kind === side)?.check).to.not.equal(undefined);
          const after = step?.numbers.find((each) => each.name === 'after')?.values ?? new Float32Array(0);
          const reference = rowOf(`norm.${side}`);
          // Of all heads together, those of a group share the group's.
          const own = after.length / reference.length;
          const from = Math.floor((head * own) / numHeads) * reference.length;
          const largest = Math.max(...reference.map(Math.abs));
          reference.forEach((value, i) => expect(after[from + i]).to.be.closeTo(value, 1e-5 * largest));
          const used = numbersOf(how, 'product', side);
          rowOf(side).forEach((value, i) => expect(used[i]).to.be.closeTo(value, 1e-5 * largest));
        }
      }
      await release();
    });
  }

  const rowOfLoop = (score: string): string =>
    `unknownOrigin query key ${score} ${softmax} values head heads noProjection`;
  const ofLayer = `unknownOrigin input query key product ${softmax} ${projected}`;
  for (const [name, kinds] of Object.entries({
    'layers.dynamo': ofLayer,
    'shared_layers.dynamo': ofLayer,
    'heads.scripted': rowOfLoop('product scale choice'),
    'products.scripted': rowOfLoop('product choice'),
    'scan_reversed.dynamo': rowOfLoop('product scale'),
  }))
    it(`follows what is in a loop, whose iterations are layers or rows: ${name}`, async () => {
      const folder = `loops/${name}`;
      const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), 'expected.safetensors');
      const files = await readModelFiles(fixtureAccess, `${folder}/model.onnx`);
      const inputs = toModelInputs(files.analysis.index, expected);
      const session = await AttentionSession.create({ ort, files });
      const runs = new CellRuns([session]);
      const { layers } = await session.run(inputs);
      expect(layers).to.have.length(kinds === ofLayer ? 3 : 1);
      for (const { component, layer, path, numHeads, numQueries, numKeys } of layers) {
        const { data } = expected.get(`attention.${component}.${layer}`) ?? {};
        const reference = new Float32Array(data?.slice().buffer ?? new ArrayBuffer(0));
        for (const [head, query, key] of [
          [0, 0, 0],
          [numHeads - 1, numQueries - 1, 1],
          [numHeads - 1, 1, numKeys - 1],
        ]) {
          const weight = reference[(head * numQueries + query) * numKeys + key];
          const cell = { component, layer, head, query, key };
          const drawn = { cell, weight, path: plain(path), numHeads, numKeys, token: '' };
          const how = await runs.how(drawn, [{ file: files.name, inputs }]);
          expect(kindsOf(how.steps)).to.equal(kinds);
          expect(how.steps.filter((step) => !agrees(step))).to.deep.equal([]);
          // Computed anew from the weights that this iteration has.
          const anew = ['product', 'weight', 'head'] as const;
          for (const kind of kinds === ofLayer ? ([...anew, 'query', 'key', 'written'] as const) : anew)
            expect(how.steps.find((step) => step.kind === kind)?.check, kind).to.not.equal(undefined);
          expect(numbersOf(how, 'weight', 'weights')[key]).to.be.closeTo(weight, 1e-5);
        }
      }
      await runs.release();
      await session.release();
    });

  /** The cell of a bundled model's first head. */
  const ofBundled = async (model: string, text: string, query: number, key: number): Promise<How> => {
    const runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
    const loaded = await LoadedModel.load({ runtime, reason: '' }, nodeFileAccess, {
      path: `${process.cwd()}/media/models/${model}`,
      backend: 'wasm',
      threads: 1,
    });
    const { layers, components, streams } = await loaded.explain({ text, tokenLimit: 0 });
    const [component] = components;
    const row = await layers[0].rows(0, query, query + 1);
    const how = await loaded.how(
      {
        cell: { component: component.component, layer: 0, head: 0, query, key },
        weight: row[key],
        path: component.layers[0].path,
        numHeads: layers[0].numHeads,
        numKeys: streams[component.keyStream].tokens.length,
        token: 'token',
      },
      loaded.fed,
    );
    await loaded.release();
    return how;
  };

  it('replays the worked example with its own numbers', async () => {
    const how = await ofBundled('worked-example', 'x1 x2 x3', 1, 2);
    expect(numbersOf(how, 'token', 'embedding')).to.deep.equal([0, 2, 0, 2]);
    expect(numbersOf(how, 'input', 'x_key')).to.deep.equal([1, 1, 1, 1]);
    expect(numbersOf(how, 'product', 'query')).to.deep.equal([2, 2, 2]);
    expect(numbersOf(how, 'product', 'key')).to.deep.equal([2, 3, 1]);
    expect(numbersOf(how, 'product', 'products')).to.deep.equal([4, 6, 2]);
    expect(numbersOf(how, 'product', 'score')).to.deep.equal([12]);
    expect(numbersOf(how, 'maximum', 'row')).to.deep.equal([4, 16, 12]);
    expect(numbersOf(how, 'values', 'value')).to.deep.equal([2, 6, 3]);
  });

  it('replays 112, 96, 14, 12, 0.88 and 0.12, and gives Python that agrees', async function () {
    const how = await ofBundled('thinking-machines', 'Thinking Machines', 0, 1);
    expect(numbersOf(how, 'product', 'score')).to.deep.equal([96]);
    expect(numbersOf(how, 'division', 'before')).to.deep.equal([112, 96]);
    expect(numbersOf(how, 'division', 'other')).to.deep.equal([8]);
    expect(numbersOf(how, 'division', 'after')).to.deep.equal([14, 12]);
    expect(numbersOf(how, 'weight', 'weights').map((weight) => weight.toFixed(2))).to.deep.equal(['0.88', '0.12']);
    keepSnippets('thinking-machines', how);
    const [first] = snippets.get('thinking-machines') ?? [];
    const run = runPython(first.source);
    if (run === undefined) return this.skip();
    expect(run).to.deep.include({ stderr: '', status: 0 });
    // What is changed does not agree.
    expect(runPython(first.source.replace('query = np.array([', 'query = 2 * np.array(['))?.status).to.equal(1);
  });

  it('shows additive attention in the body of a loop', async () => {
    const how = await ofBundled('date-seq2seq', '3rd of May 1979', 2, 4);
    expect(kindsOf(how.steps)).to.equal(
      `unknownOrigin query key additive choice ${softmax} values head heads noProjection`,
    );
    expect(how.steps.every(agrees)).to.equal(true);
    keepSnippets('date-seq2seq', how);
  });

  it('knows positions of sines and cosines', async () => {
    const how = await ofBundled('date-transformer', '3rd of May 1979', 2, 4);
    expect(kindsOf(how.steps)).to.include('sinusoidalPosition');
    expect(how.steps.every(agrees)).to.equal(true);
    keepSnippets('date-transformer', how);
  });

  it('gives Python that agrees with the model, of every kind of step that computes something', function () {
    const all = [...snippets].flatMap(([name, found]) => found.map(({ kind, source }) => ({ name, kind, source })));
    const computing = Object.entries(howTexts).flatMap(([kind, { numpy }]) => (numpy === '' ? [] : [kind]));
    expect([...new Set(all.map(({ kind }) => kind))]).to.have.members(computing);
    expect(all.length).to.be.greaterThan(200);
    const each = all.map(
      ({ name, kind, source }) =>
        `try:\n${source.replace(/^/gm, '    ')}\nexcept Exception as error:\n    failed.append(f"${name} ${kind}: {error!r}")\n`,
    );
    const run = runPython(`import sys\nfailed = []\n${each.join('')}sys.exit("\\n".join(failed) or None)\n`);
    if (run === undefined) return this.skip();
    expect(run.stderr).to.equal('');
    expect(run.status).to.equal(0);
  });
});
