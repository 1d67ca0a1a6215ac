import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { extract } from '../../src/cli/extract';
import { inspect } from '../../src/cli/inspect';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import type { ExtractionReport } from '../../src/onnx/report/report';

/** A folder of fixtures with a model and, where its attention can be drawn, what it is fed and what the reference weights its values with. */
export interface ExtractedFixture {
  readonly folder: string;
  /** Names of what is to be drawn, `attention.<component>.<layer>`. */
  readonly names: readonly string[];
  /** The largest difference of a weight. */
  readonly tolerance: number;
}

/** Extracts a fixture's attention by WebAssembly, and holds it against the reference's. */
export async function expectExtracted({ folder, names, tolerance }: ExtractedFixture): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'attention-extracted-'));
  try {
    const [feeds, out] = [join(folder, 'expected.safetensors'), join(scratch, 'out.safetensors')];
    await extract({ model: join(folder, 'model.onnx'), feeds, out, backend: 'wasm' });
    const [own, expected] = [out, feeds].map((file) => readSafetensors(readFileSync(file), file));
    expect(drawn(own)).to.deep.equal(names).and.deep.equal(drawn(expected));
    for (const name of names) {
      const [a, b] = [own, expected].map(
        (tensors) => new Float32Array(Uint8Array.from(tensors.get(name)?.data ?? []).buffer),
      );
      expect(own.get(name)?.shape).to.deep.equal(expected.get(name)?.shape);
      expect(a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at])), 0)).to.be.at.most(tolerance);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The extraction report of a fixture, as data. */
export async function reportOf(folder: string): Promise<ExtractionReport> {
  const report = await inspect({ model: join(folder, 'model.onnx'), isJson: true });
  return JSON.parse(report) as ExtractionReport; // printed by our own command
}

function drawn(tensors: ReadonlyMap<string, StoredTensor>): string[] {
  return [...tensors.keys()].filter((key) => key.startsWith('attention.'));
}
