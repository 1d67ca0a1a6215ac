// What a measurement was made on, for its table.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { manifest, root } from './paths.mjs';

/** The names of systems, as people say them. */
const systems = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' };

/** The machine, as far as it counts and in general terms: no build of a system's kernel, which is one host's alone. */
export function describeMachine() {
  const [processor] = cpus();
  const model = (processor?.model ?? '').replaceAll(/\((?:R|TM)\)| Processor|@.*$/g, '').trim();
  return `${cpus().length} × ${model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${systems[process.platform] ?? process.platform} ${process.arch}`;
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
