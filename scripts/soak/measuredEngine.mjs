// A copy of the extension whose engine collects its garbage when it is asked to (SIGUSR2), and says what is left: what memory grows by
// shows only after a collection. All else is the extension as it ships.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/paths.mjs';

/** Where the copy lies, and where its engines write what they hold, PID.json each. */
export const measuredExtension = join(root, 'out', 'soak', 'extension');
const memoryFolder = join(root, 'out', 'soak', 'memory');

const prelude = `{
  const { getHeapCodeStatistics, setFlagsFromString } = require('node:v8');
  setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  const { renameSync, writeFileSync } = require('node:fs');
  process.on('SIGUSR2', () => {
    collect();
    // What a first collection hands to finalizers is free after a second one.
    setTimeout(() => {
      collect();
      const file = ${JSON.stringify(memoryFolder)} + '/' + process.pid + '.json';
      writeFileSync(file + '.part', JSON.stringify({ ...process.memoryUsage(), ...getHeapCodeStatistics() }));
      renameSync(file + '.part', file);
    }, 10);
  });
}
`;

/** Makes the copy of what is built in dist/; resolves to its folder. */
export function makeMeasuredExtension() {
  rmSync(measuredExtension, { recursive: true, force: true });
  rmSync(memoryFolder, { recursive: true, force: true });
  mkdirSync(join(measuredExtension, 'dist'), { recursive: true });
  mkdirSync(memoryFolder, { recursive: true });
  for (const name of ['package.json', 'package.nls.json']) cpSync(join(root, name), join(measuredExtension, name));
  for (const name of ['media', 'l10n', 'test']) symlinkSync(join(root, name), join(measuredExtension, name));
  for (const name of readdirSync(join(root, 'dist')))
    // VS Code knows an extension by where its script really lies, and gives one that it does not know no part in what it contributes.
    if (name === 'extension.node.cjs') cpSync(join(root, 'dist', name), join(measuredExtension, 'dist', name));
    else if (name !== 'engine.node.cjs') symlinkSync(join(root, 'dist', name), join(measuredExtension, 'dist', name));
  writeFileSync(
    join(measuredExtension, 'dist', 'engine.node.cjs'),
    prelude + readFileSync(join(root, 'dist', 'engine.node.cjs'), 'utf8'),
  );
  return measuredExtension;
}
