import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ExplorerError } from '../../../../src/base/errors';
import { readAttentionFile } from '../../../../src/engine/attentionFile/readAttentionFile';
import { openLocalAttention } from '../../../../src/engine/serve/attentionFileEngine';
import { maxOutputUnpackedBytes, outputType, readOutput } from '../../../../src/notebook/readOutput';
import { codeOf } from '../../../harness/codeOf';

const python = process.env['PYTHON'] ?? 'python3';
const environment = { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' };

/** A tiny GPT-2 with a tokenizer of words, in the place of a model of the hub. */
const model = `
import sys
sys.modules['torchvision'] = None
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
torch.manual_seed(0)
own = Tokenizer(models.WordLevel({'the': 0, 'cat': 1, 'sat': 2, '🐈': 3, '?': 4}, unk_token='?'))
own.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=own, unk_token='?')
model = GPT2LMHeadModel(GPT2Config(vocab_size=5, n_positions=16, n_embd=8, n_layer=2, n_head=2, attn_implementation='eager')).eval()
text = 'the 🐈 sat the cat'
`;

/** Skips tests where Python lacks something, and says so: what it would write has been read from the fixtures. */
function needs(test: Mocha.Context, packages: string): void {
  if (spawnSync(python, ['-c', packages === '' ? '' : `import ${packages}`], { env: environment }).status === 0) return;
  console.log(
    `      ${python} lacks ${packages || 'everything'}: only what it wrote for the fixtures is read (PYTHON names another)`,
  );
  test.skip();
}

describe('An attention file that Python wrote for the fixtures', () => {
  const folder = 'test/fixtures/attentionFiles';
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    readonly lines: readonly string[];
    readonly text: string;
    readonly tokens: readonly string[];
    readonly weights: readonly (readonly (readonly number[][])[])[];
  };
  const guide = readFileSync('media/attention-files.md', 'utf8');

  it('was written by the lines that the documentation has now', () => {
    const lines = [...guide.matchAll(/```python\n(.*?)```/gs)].map(([, each]) => each);
    expect(expected.lines).to.deep.equal(lines.slice(0, 2));
  });

  for (const [name, tolerance] of [
    ['transformers.attention.npz', 0],
    ['packed.attention.npz', 2 ** -11],
    ['tensors.attention.safetensors', 0],
    ['notebook.json', 0],
  ] as const)
    it(`is read as what was given: ${name}`, async () => {
      const bytes = readFileSync(join(folder, name));
      const bundle = name.endsWith('.json') ? (JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>) : {};
      const file = name.endsWith('.json') ? readOutput(JSON.stringify(bundle[outputType])) : bytes;
      const { streams, components, layers } = readAttentionFile(file, name, name);
      expect(components).to.have.length(1);
      expect(components[0]).to.deep.include({ component: 'self', isCausal: true });
      expect(streams[0].text).to.equal(expected.text);
      expect(streams[0].tokens.map(({ piece }) => piece)).to.deep.equal(expected.tokens);
      for (const [layer, heads] of expected.weights.entries())
        for (const [head, rows] of heads.entries())
          for (const [at, weight] of (await layers[layer].rows(head, 0, rows.length)).entries())
            expect(weight).to.be.closeTo(rows.flat()[at], tolerance);
    });
});

describe('An attention file that Python has written', function () {
  this.timeout(120_000);
  before(function () {
    needs(this, 'numpy, torch, transformers');
  });

  it('by the lines of the documentation is read as what transformers gave', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attention-file-'));
    try {
      const lines = /```python\n(.*?)```/s.exec(readFileSync('media/attention-files.md', 'utf8'))?.[1] ?? '';
      expect(lines.trim().split('\n')).to.have.length.lessThan(14);
      const printed = execFileSync(
        python,
        ['-c', `${model}\n${lines}\nimport json; print(json.dumps([layer[0].tolist() for layer in attentions]))`],
        { cwd: folder, encoding: 'utf8', env: environment },
      );
      const expected = JSON.parse(printed) as readonly (readonly (readonly number[][])[])[];
      const path = join(folder, 'run.attention.npz');
      const { streams, components, layers } = readAttentionFile(readFileSync(path), path, 'run.attention.npz');
      expect(components[0]).to.deep.include({ component: 'self', isCausal: true });
      expect(streams[0].tokens.map(({ id, start, end }) => [id, streams[0].text.slice(start, end)])).to.deep.equal([
        [0, 'the'],
        [3, '🐈'],
        [2, 'sat'],
        [0, 'the'],
        [1, 'cat'],
      ]);
      for (const [layer, heads] of expected.entries())
        for (const [head, rows] of heads.entries())
          expect([...(await layers[layer].rows(head, 0, 5))]).to.deep.equal(rows.flat());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('An attention file in which a bit is another than Python wrote', function () {
  this.timeout(60_000);
  before(function () {
    needs(this, 'numpy');
  });

  for (const name of ['transformers.attention.npz', 'packed.attention.npz'])
    it(`is refused wherever Python's zipfile finds it damaged: ${name}`, () => {
      const path = join('test/fixtures/attentionFiles', name);
      const whole = readFileSync(path);
      // What NumPy says of each of its bytes with one bit changed, in turn.
      const printed = execFileSync(
        python,
        [
          '-c',
          `import io, json, numpy, sys
whole = open(sys.argv[1], 'rb').read()
told = []
for at, byte in enumerate(whole):
    changed = bytearray(whole)
    changed[at] = byte ^ 1 << at % 8
    try:
        with numpy.load(io.BytesIO(changed)) as file:
            for each in file.files:
                file[each]
        told.append('')
    except Exception as error:
        told.append(f'{type(error).__name__}: {error}')
print(json.dumps(told))`,
          path,
        ],
        { encoding: 'utf8', maxBuffer: 2 ** 24 },
      );
      const told = JSON.parse(printed) as readonly string[];
      const found = told.flatMap((each, at) => (/^BadZipFile: (Bad CRC-32|File name)/.test(each) ? [at] : []));
      expect(found.length).to.be.greaterThan(whole.length / 3);
      for (const at of found) {
        const changed = new Uint8Array(whole.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte)));
        expect(() => readAttentionFile(changed, name, name), `byte ${at}`).to.throw(ExplorerError);
      }
    });
});

describe('An output of a notebook that Python has written', function () {
  this.timeout(60_000);
  before(function () {
    needs(this, '');
  });

  it('by the lines of the documentation, which need no package, is read as what was given', async () => {
    const guide = readFileSync('media/attention-files.md', 'utf8');
    const lines =
      [...guide.matchAll(/```python\n(.*?)```/gs)].map(([, each]) => each).find((each) => each.includes('class')) ?? '';
    expect(lines.split('\n').filter((line) => line.trim() !== '')).to.have.lengthOf.at.most(20);
    const weights = [[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]]; // prettier-ignore
    const printed = execFileSync(
      python,
      [
        '-c',
        `${lines}\nprint(json.dumps(Attention(["The", " 🐈", " sat"], [[w], [w, w]])._repr_mimebundle_(include=None)))`.replace(
          'class Attention',
          `w = ${JSON.stringify(weights)}\nclass Attention`,
        ),
      ],
      { encoding: 'utf8' },
    );
    const bundle = JSON.parse(printed) as Readonly<Record<string, unknown>>;
    const { info, remote } = openLocalAttention({
      bytes: readOutput(JSON.stringify(bundle[outputType])),
      name: 'This output',
      mostBytes: maxOutputUnpackedBytes,
    });
    expect(info.streams[0].text).to.equal('The 🐈 sat');
    expect(info.components[0].layers.map(({ numHeads }) => numHeads)).to.deep.equal([1, 2]);
    const pattern = await remote.pattern({
      runId: info.runId,
      selection: { component: 'self', heads: [{ layer: 1, head: 1 }], aggregation: 'mean' },
    });
    expect([...pattern.weights]).to.deep.equal(weights.flat());
    const asked = { runId: info.runId, cell: { component: 'self', layer: 0, head: 0, query: 1, key: 0 } } as const;
    expect(await codeOf(remote.how(asked))).to.equal('noModelHere');
  });
});
