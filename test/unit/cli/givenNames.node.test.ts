import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { extract } from '../../../src/cli/extract';
import { predict } from '../../../src/cli/predict';
import { relations } from '../../../src/cli/relations';
import { writeSafetensors } from '../../../src/cli/safetensors';
import { errorOf } from '../../harness/codeOf';

describe('what a command is given by name', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-names-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is an input of the model, or refused: a misspelt one would change the numbers', async () => {
    const feeds = join(folder, 'feeds.safetensors');
    const model = 'test/fixtures/predictions/bert.legacy/model.onnx';
    const refusal = async (...names: readonly string[]): Promise<string> => {
      const ids = { dtype: 'I64', shape: [1, 2], data: new Uint8Array(BigInt64Array.of(3n, 4n).buffer) };
      writeFileSync(feeds, writeSafetensors(new Map(names.map((name) => [name, ids]))));
      const asked = { model, feeds, out: join(folder, 'out.safetensors'), backend: 'wasm', isStaged: false } as const;
      return (await errorOf(extract(asked))).args.join(': ');
    };
    expect(await refusal('in.input_ids', 'in.attention_maks')).to.match(
      /^in\.attention_maks: the model has no such input: it has input_ids, /,
    );
    expect(await refusal('input_ids')).to.equal('--feeds: it has no tensor for an input, such as in.input_ids');
  });

  it('is the file, where its language is known by no option', async () => {
    const file = join(folder, 'note.txt');
    writeFileSync(file, 'hello');
    const asked = { file, backend: 'wasm', isJson: true } as const;
    const { code } = await errorOf(relations(asked as unknown as Parameters<typeof relations>[0])); // the rest is not asked for
    expect(code).to.equal('noGrammar');
  });

  it('is each label of a picture with its probability', async () => {
    const told = await predict({
      file: 'test/fixtures/pictureEffects/picture.png',
      model: 'test/fixtures/pictureEffects/beit.dynamo',
      backend: 'wasm',
      isJson: true,
    } as unknown as Parameters<typeof predict>[0]); // the rest is for texts
    const { labels } = JSON.parse(String(told)) as {
      readonly labels: readonly (readonly { readonly label: string; readonly probability: number }[])[];
    };
    expect(labels.map((each) => each.map(({ label }) => label))).to.deep.equal([['low', 'middle', 'high']]);
    expect(labels[0].reduce((sum, { probability }) => sum + probability, 0)).to.be.closeTo(1, 1e-5);
  });
});
