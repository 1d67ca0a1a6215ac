// This build beside the build of an older commit: both measured in turn, and the ratio of each pair.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle } from 'esbuild';
import { root } from './paths.mjs';
import { runNpm, runProcess } from './processes.mjs';

/** Makes the build of a commit in out/against, and keeps it there; resolves to its folder. */
async function buildOf(commit, log) {
  const hash = (await runProcess('git', ['rev-parse', '--short', `${commit}^{commit}`], { cwd: root })).trim();
  const folder = join(root, 'out', 'against', hash);
  if (existsSync(join(folder, 'dist', 'cli.cjs'))) return folder;
  log(`Building ${hash} in ${folder} …`);
  rmSync(folder, { recursive: true, force: true });
  await runProcess('git', ['clone', '--quiet', '--shared', root, folder]);
  await runProcess('git', ['checkout', '--quiet', '--detach', hash], { cwd: folder });
  await runNpm(['ci', '--silent'], { cwd: folder });
  await runProcess(process.execPath, ['scripts/build.mjs', '--production'], { cwd: folder });
  return folder;
}

/** What measures, by the names of files in `bench`: the engine on the clock, the work of drawing, and (only where it is named) the first paint in a real VS Code. */
export const measureNames = ['paired', 'pairedDrawing', 'pairedPanel'];
const ofPackages = 'pairedPanel';

/** The package of a build. */
async function packageOf(folder) {
  const file = join(folder, 'out', 'bench', 'attention-explorer.vsix');
  mkdirSync(dirname(file), { recursive: true });
  const { packageVsix } = await import(pathToFileURL(join(folder, 'scripts', 'package.mjs')).href);
  return packageVsix({ file, isBuilt: true, isQuiet: true });
}

/** Bundles one that measures with the sources of a build, but for what a package is measured with, which is the same for both; resolves to the bundle. */
async function measureOf(build, name) {
  const folder = name === ofPackages ? root : build;
  const outfile = join(folder, 'out', 'bench', `${name}.mjs`);
  await bundle({
    stdin: {
      contents: readFileSync(join(root, 'bench', `${name}.ts`), 'utf8'),
      resolveDir: join(folder, 'bench'),
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
}

/** The 2.5th and 97.5th percentile of the medians of resampled ratios (Efron 1979). */
function interval(ratios, numSamples = 2000) {
  let state = 1;
  const below = (n) => (state = (state * 48271) % 2147483647) % n; // the same for the same numbers
  const medians = Array.from({ length: numSamples }, () => median(ratios.map(() => ratios[below(ratios.length)]))).sort(
    (a, b) => a - b,
  );
  return [medians[Math.floor(numSamples * 0.025)], medians[Math.ceil(numSamples * 0.975) - 1]];
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Measures this build and that of a commit in turn, so many rounds; resolves to a table in Markdown. `only`: the names of those that measure, where not all. «Not slower» means that an interval begins at 1.02 at most. */
export async function benchAgainst(commit, { rounds, only, log }) {
  const trees = [await buildOf(commit, log), root];
  const names = measureNames.filter((name) => (only === undefined ? name !== ofPackages : only.includes(name)));
  const packages = names.includes(ofPackages) ? [await packageOf(trees[0]), await packageOf(trees[1])] : [];
  const measures = await Promise.all(trees.map((tree) => Promise.all(names.map((name) => measureOf(tree, name)))));
  const pairs = [];
  for (let round = 0; round < rounds; round++) {
    const pair = [];
    // Whoever comes second finds warmer files: they take turns.
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      pair[which] = {};
      for (const measure of measures[which])
        Object.assign(
          pair[which],
          JSON.parse(
            (
              await runProcess(process.execPath, [measure], {
                cwd: trees[which],
                env: { ...process.env, AE_VSIX: packages[which] ?? '' },
              })
            )
              .trim()
              .split('\n')
              .at(-1),
          ),
        );
    }
    pairs.push(pair);
    log(`Round ${round + 1} of ${rounds} is done.`);
  }
  const rows = Object.keys(pairs[0][1]).map((name) => {
    const ratios = pairs.map(([before, now]) => now[name] / before[name]);
    const [low, high] = interval(ratios);
    return `| ${name} | ${median(pairs.map(([before]) => before[name])).toFixed(1)} | ${median(pairs.map(([, now]) => now[name])).toFixed(1)} | ${median(ratios).toFixed(2)} | ${low.toFixed(2)} … ${high.toFixed(2)} | ${low <= 1.02 ? 'not slower' : '**slower**'} |`;
  });
  return ['| ms | before | now | ratio of pairs | 95 % | |', '| --- | ---: | ---: | ---: | ---: | --- |', ...rows].join(
    '\n',
  );
}
