// What a measurement was made on, for its table.
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { manifest, root } from './paths.mjs';

/** The machine, as far as it counts. */
export function describeMachine() {
  const [processor] = cpus();
  return `${cpus().length} × ${processor?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()}`;
}

/** Node, both runtimes and this extension. */
export function describeVersions() {
  const versionOf = (name) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
  return [
    `Node ${process.versions.node}`,
    ...['onnxruntime-web', 'onnxruntime-node'].map((name) => `${name} ${versionOf(name)}`),
    `Attention Explorer ${manifest.version}`,
  ].join(', ');
}
