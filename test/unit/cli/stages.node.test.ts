import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { explainImage } from '../../../src/cli/explanation/explainImage';
import { extract } from '../../../src/cli/extract';
import { readSafetensors, writeSafetensors } from '../../../src/cli/safetensors';

const model = 'test/fixtures/windows/hiera.legacy';
const asked = { model, file: `${model}/picture.png`, backend: 'wasm' } as const;

describe('a picture in several grids, on the command line', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'attention-stages-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('has a stage for each, with the patches of its queries and keys', async () => {
    const told = JSON.parse(await explainImage({ ...asked, head: undefined, isJson: true })) as {
      grid: unknown;
      stages: {
        name: string;
        queries: { grid: { rows: number } };
        keys: { grid: { rows: number; patchWidth: number } };
        reads: unknown[];
      }[];
    };
    expect(told.grid).to.deep.equal({ rows: 8, columns: 8, first: 0, patchWidth: 4, patchHeight: 4 });
    expect(
      told.stages.map(({ name, queries, keys, reads }) => [
        name,
        queries.grid.rows,
        keys.grid.rows,
        keys.grid.patchWidth,
        reads.length,
      ]),
    ).to.deep.equal([
      ['stage1', 8, 8, 4, 64],
      ['stage2', 4, 8, 4, 16],
      ['stage3', 4, 4, 8, 16],
    ]);
    const text = await explainImage({ ...asked, head: '1.1', isJson: false });
    expect(text)
      .to.include('8 × 8 patches, 4 × 4 patches')
      .and.include('What each patch of 4 × 4 among 8 × 8 patches reads (head 1.1):')
      .and.not.include('of 8 × 8 among');
  });

  it('is written stage by stage, each of its grids by a name', async () => {
    const out = join(folder, 'weights.safetensors');
    await explainImage({
      ...asked,
      head: undefined,
      isJson: false,
      out: { path: out, precision: undefined, threshold: undefined },
    });
    const tensors = readSafetensors(readFileSync(out), out);
    expect(
      [...tensors]
        .filter(([name]) => name !== 'metadata')
        .map(([name, { shape }]) => `${name} ${shape.join(' ')}`)
        .sort(),
    ).to.deep.equal([
      'attention.stage1.0 1 64 64',
      'attention.stage2.1 2 16 64',
      'attention.stage3.2 2 16 16',
      'image.ids 64',
      'image.special 64',
      'image2.ids 16',
      'image2.special 16',
    ]);
    const { components } = JSON.parse(new TextDecoder().decode(tensors.get('metadata')?.data)) as {
      components: { queries: string; keys: string }[];
    };
    expect(components.map(({ queries, keys }) => `${queries} ${keys}`)).to.deep.equal([
      'image image',
      'image2 image',
      'image2 image2',
    ]);
  });

  it('is extracted as patterns over patches, not window by window', async () => {
    const [feeds, out] = [join(folder, 'feeds.safetensors'), join(folder, 'out.safetensors')];
    const values = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i));
    const file = 'test/fixtures/windows/swin.legacy/model.onnx';
    writeFileSync(
      feeds,
      writeSafetensors(
        new Map([['in.pixel_values', { dtype: 'F32', shape: [1, 3, 32, 32], data: new Uint8Array(values.buffer) }]]),
      ),
    );
    expect(await extract({ model: file, feeds, out, backend: 'wasm' }))
      .to.include('4 attention layers')
      .and.not.include('as it is computed');
    const shapes = [...readSafetensors(readFileSync(out), out)]
      .filter(([name]) => name.startsWith('attention.'))
      .map(([, { shape }]) => shape.join(' '));
    expect(shapes).to.deep.equal(['1 1 64 64', '1 1 64 64', '1 2 16 16', '1 2 16 16']);
  });
});
