#!/usr/bin/env node
// Runs every floor of tests, set-up included, and closes with one line «N passed, N failed»:
//   npm test -- [--floor=unit,e2e] [--grep=TEXT] [--no-build]
import './lib/noTelemetry.mjs';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { option } from './lib/args.mjs';
import { findTests } from './lib/bundleTests.mjs';
import { oneFailure, sentence, sum } from './lib/counts.mjs';
import { artefacts, root } from './lib/paths.mjs';
import { temporaryFolder } from './lib/processes.mjs';
import { ensureChromium, softwareVulkan } from './lib/chromium.mjs';
import { setUpVSCode } from './lib/setUpVSCode.mjs';
import { installVsix } from './lib/vscodeServer.mjs';
import { runChecks } from './floors/checks.mjs';
import { runInChromium } from './floors/chromium.mjs';
import { runInServerAgain } from './floors/integration.mjs';
import { runInNode, runInNodeAgain } from './floors/node.mjs';
import { runSoaks } from './floors/soaks.mjs';

const { log } = console; // as it is now: while it packages, vsce is kept from printing there
const grep = option('grep');
const allFloors = [
  'check',
  'soak',
  'unit',
  'contract',
  'engine',
  'chromium',
  'webgpu',
  'integration',
  'e2e',
  'visual',
  'package',
];
const chosen = option('floor')?.split(',') ?? allFloors;
const unknown = chosen.filter((floor) => !allFloors.includes(floor));
if (unknown.length > 0) {
  console.error(`There is no floor ${unknown.join(', ')}; there are ${allFloors.join(', ')}.`);
  process.exit(2);
}
const isChosen = (...floors) => floors.some((floor) => chosen.includes(floor));
process.chdir(root);
rmSync(artefacts, { recursive: true, force: true });
mkdirSync(artefacts, { recursive: true });

const started = Date.now();
const results = [];
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(0)} s`;

/** Runs one leg of the tests and keeps its counts; what throws is one failure. `run` is given the function that prints a line. */
async function leg(title, run, print = log) {
  const since = Date.now();
  const lines = [];
  const note = (line) => {
    lines.push(line);
    print(line);
  };
  let counts;
  print(`\n── ${title}`);
  try {
    counts = sum(await run(note));
  } catch (error) {
    note(`  ✘ ${error.message}${error.cause ? `\n    ${error.cause.message}` : ''}`);
    counts = oneFailure;
  }
  results.push({ title, counts, failures: counts.failed > 0 ? failuresIn(lines) : [] });
  print(`── ${title}: ${sentence(counts)} (${seconds(since)})`);
}

/**
 * Runs lines of legs in three places: those that drive a whole VS Code in the first, with the `others` in the second, the long ones first, and
 * whichever are left in both. A test's patience, as a person's, ends where more share two processors; `patient` lines have more of it, and run
 * in the third place, one after another, at a low priority: they take what the others leave of the processor, until those are done and take
 * what is left of them. While VS Code is not there yet (`isVSCodeReady`), the shortest of the others take its place. What
 * runs in the first place prints as it goes, the rest when it is done. A line is a function that is given its own `leg`, and whether it is to be patient.
 */
async function inPlaces({ ofVSCode, isVSCodeReady, others, patient }) {
  const printAfter = async (line, isPatient) => {
    const printed = [];
    await line((title, run) => leg(title, run, (text) => printed.push(text)), isPatient);
    for (const text of printed) log(text);
  };
  const [drivers, rest, left] = [[...ofVSCode], [...others], [...patient]];
  const places = [
    {
      place: (line) => line((title, run) => leg(title, run), false),
      next: () =>
        (drivers.length > 0 && !isVSCodeReady() ? rest.pop() : undefined) ??
        drivers.shift() ??
        rest.shift() ??
        left.shift(),
    },
    { place: (line) => printAfter(line, false), next: () => rest.shift() ?? drivers.shift() ?? left.shift() },
    { place: (line) => printAfter(line, true), next: () => left.shift() },
  ];
  await Promise.all(
    places.map(async ({ place, next }) => {
      for (let line = next(); line !== undefined; line = next()) await place(line);
    }),
  );
}

/** The tests of a floor; a floor without any is a failure, as a glob that finds nothing would otherwise pass. */
function tests(floors, platform) {
  return floors.flatMap((floor) => {
    const files = findTests([floor], platform);
    if (files.length === 0) throw new Error(`test/${floor} has no tests: a floor must not be empty.`);
    return files;
  });
}

let isVSCodeReady = false;
const { vscode, vsix } = await setUp();
const nodeFloors = ['unit', 'contract', 'engine'].filter((floor) => chosen.includes(floor));
await inPlaces({
  ofVSCode: [...(isChosen('e2e') ? endToEnd() : []), ...(isChosen('integration') ? integration() : [])],
  isVSCodeReady: () => isVSCodeReady,
  others: [
    ...(isChosen('visual')
      ? [
          (leg) =>
            leg('Visual', (log) => runInNodeAgain({ name: 'visual', files: tests(['visual'], 'node'), grep, log })),
        ]
      : []),
    ...(isChosen('chromium') ? [(leg) => leg('Chromium: contract, engine', chromiumFloors)] : []),
    ...(isChosen('webgpu') ? webGpu() : []),
    ...(isChosen('soak') ? [(leg) => leg('Soaks, short', (log) => runSoaks({ grep, log }))] : []),
  ],
  patient: [
    ...(nodeFloors.length > 0
      ? [
          (leg, isPatient) =>
            leg(`Node: ${nodeFloors.join(', ')}`, (log) =>
              runInNode({ name: 'node', files: tests(nodeFloors, 'node'), grep, isPatient, log }),
            ),
        ]
      : []),
    ...(isChosen('package')
      ? [
          (leg, isPatient) =>
            leg('Package', async (log) => {
              await vsix;
              return runInNodeAgain({ name: 'package', files: tests(['package'], 'node'), grep, isPatient, log });
            }),
        ]
      : []),
    ...(isChosen('check')
      ? [(leg, isPatient) => leg('Types, lint and strings', (log) => runChecks({ isPatient, log }))]
      : []),
  ],
});
finish();

/**
 * Builds the extension and finds Chromium, which almost all legs need, and begins what only some do: resolves to `vscode`, when each of both releases is
 * ready, and `vsix`, the path of the package, for each of which the legs wait that need it.
 */
async function setUp() {
  const needsVSCode = isChosen('integration', 'e2e');
  const needsChromium = needsVSCode || isChosen('chromium', 'webgpu', 'visual');
  const since = Date.now();
  log(
    'Setting up: building the extension' +
      (needsVSCode ? ', looking for Chromium and VS Code.' : needsChromium ? ', looking for Chromium.' : '.'),
  );
  const begun = (promise) => {
    promise?.catch(() => undefined); // who waits for it is told
    return promise;
  };
  try {
    const { build } = await import('./build.mjs');
    const newest = needsVSCode ? begun(setUpVSCode('newest', log)) : undefined;
    const oldest = begun(newest?.then(() => ((isVSCodeReady = true), setUpVSCode('oldest', log))));
    await Promise.all([
      option('no-build') ? undefined : build({ production: true }),
      needsChromium ? ensureChromium(log) : undefined,
    ]);
    log(`Set up (${seconds(since)}).`);
    return {
      vscode: newest && { newest, oldest },
      vsix: isChosen('package', 'e2e') ? begun(packageOnce()) : undefined,
    };
  } catch (error) {
    log(`${error.message}${error.cause ? `\n${error.cause.message}` : ''}`);
    results.push({ title: 'Set-up', counts: oneFailure, failures: [] });
    finish();
  }
}

async function packageOnce() {
  const { packageVsix } = await import('./package.mjs');
  const file = join(temporaryFolder('vsix'), 'attention-explorer.vsix');
  process.env.AE_VSIX = file;
  return packageVsix({ file, isBuilt: true, isQuiet: true });
}

// A page has the channels alone, as the webview does; a worker has all, as the engine does in the web.
async function chromiumFloors(log) {
  const contract = tests(['contract'], 'browser');
  // What is made of what a session gives is the same code over the same build of the runtime (WebAssembly) in Node. The zoo, sessions, predictions,
  // long texts, pictures and their codecs stand for the rest here.
  const isMadeOfRuns = (file) =>
    /\/(?:batchAxis|blocks|generation|languages|longPairs|pairs|pictured|writes)\.test/.test(file);
  const engine = tests(['engine'], 'browser').filter((file) => !isMadeOfRuns(file));
  return sum(
    await runInChromium({ name: 'chromium-page', files: contract, places: ['a page'], grep, log }),
    await runInChromium({ name: 'chromium-worker', files: [...contract, ...engine], places: ['a worker'], grep, log }),
    // Shared memory changes what is sent and what the runtime's outputs lie in, not what is computed.
    await runInChromium({
      name: 'chromium-shared',
      files: [...contract, ...engine.filter((file) => /attentionSession|modelFolder/.test(file))],
      places: ['a worker with shared memory'],
      grep,
      log,
    }),
  );
}

function webGpu() {
  const environment = softwareVulkan();
  if (environment === undefined)
    log('\nWebGPU in Node is left out: no software graphics adapter lies beside this Chromium.');
  return [
    (leg) =>
      leg('WebGPU: Chromium', (log) =>
        runInChromium({
          name: 'webgpu-chromium',
          files: tests(['webgpu'], 'browser'),
          places: ['a worker'],
          grep,
          hasWebGpu: true,
          log,
        }),
      ),
    (leg) =>
      leg('WebGPU: Node', (log) =>
        runInNode({
          name: 'webgpu-node',
          files: tests(['webgpu'], 'node'),
          grep,
          env: environment,
          timeout: 120_000,
          log,
        }),
      ),
  ];
}

function integration() {
  // What happens between the extension and its engine, the model's files or a changed text is not for VS Code's release to change.
  const isOfOldest = (file) =>
    !/(?:badInput|course\.node|editing|engine|git\.node|live|profile\.node)\.test/.test(file);
  // What the extension does with the editor once a text is explained is the same code in both hosts, beside the same VS Code.
  const isOfWeb = (file) => !/(?:editing|hover|live|selection)\.test/.test(file);
  const isRestricted = (file) => /restricted/.test(file);
  const inHost = (host, isWeb) => (leg) =>
    leg(`Integration: ${host} VS Code, ${isWeb ? 'web' : 'Node'} host`, async (log) => {
      await vscode[host];
      const isOfHost = (file) =>
        !isRestricted(file) && (host !== 'oldest' || isOfOldest(file)) && (!isWeb || isOfWeb(file));
      const files = tests(['integration'], isWeb ? 'browser' : 'node').filter(isOfHost);
      return runInServerAgain({ host, isWeb, files, grep, log });
    });
  // What is restricted is ours to see to, and here VS Code lets the most through.
  const restricted = (leg) =>
    leg('Integration: oldest VS Code, Node host, workspace not trusted', async (log) => {
      await vscode.oldest;
      return runInServerAgain({
        host: 'oldest',
        isWeb: false,
        needsTrust: true,
        files: tests(['integration'], 'node').filter(isRestricted),
        grep,
        log,
      });
    });
  return [inHost('newest', true), inHost('newest', false), inHost('oldest', false), restricted];
}

function endToEnd() {
  // The smoke test is a part of what `explain` does: it is for the oldest release, where not all of that is repeated. Panel, lists and settings are
  // the same in the web host, and its integration tests run the rest: there only files that the engine gets otherwise, its own backend, and one way through
  // what is asked of the engine's worker.
  const isOfWeb = (file) => /(?:picture|webGpu|webHost|attentionFiles)\.test/.test(file);
  const installed = new Map();
  /** The folder of extensions in which this VS Code has installed ours, once for all legs in it. */
  const extensionsIn = (host, log) => {
    if (!installed.has(host)) installed.set(host, install(host, log));
    return installed.get(host);
  };
  const install = async (host, log) => {
    await vscode[host];
    const folder = temporaryFolder('extensions');
    await installVsix(host, await vsix, folder, log);
    return folder;
  };
  const inHost = (host, kind, files) => (leg) =>
    leg(`End to end: ${host} VS Code, ${kind} host`, async (log) => {
      const extensionsDir = await extensionsIn(host, log);
      return runInNodeAgain({
        attempts: 3,
        name: `e2e-${host}-${kind}`,
        files,
        grep,
        env: { AE_HOST: kind, AE_RELEASE: host, AE_EXTENSIONS_DIR: extensionsDir },
        timeout: 180_000,
        log,
      });
    });
  const files = tests(['e2e'], 'node');
  return [
    inHost(
      'newest',
      'node',
      files.filter((file) => !/(?:smoke|webGpu|webHost|attentionFiles)\.test/.test(file)),
    ),
    inHost('newest', 'web', files.filter(isOfWeb)),
    inHost(
      'oldest',
      'node',
      files.filter((file) => file.includes('smoke')),
    ),
  ];
}

/** What a leg printed of its failures: what mocha lists of them, else the crosses with what stands around them. */
function failuresIn(lines) {
  const list = lines.findLastIndex((line) => /^\s+\d+ failing/.test(line));
  const told =
    list >= 0
      ? lines.slice(list)
      : lines.filter((_, at) => lines.slice(Math.max(0, at - 8), at + 1).some((line) => line.includes('✘')));
  return (told.length > 0 ? told : lines).slice(-120);
}

function finish() {
  const total = sum(...results.map(({ counts }) => counts));
  // Once more at the end, where somebody who has but that finds them.
  for (const { title, failures } of results) if (failures.length > 0) log(`\n✘ ${title}:\n${failures.join('\n')}`);
  log(
    `\n${results.map(({ title, counts }) => `${counts.failed > 0 ? '✘' : '✔'} ${title}: ${sentence(counts)}`).join('\n')}`,
  );
  log(
    `All in ${seconds(started)}${total.skipped > 0 ? `; ${total.skipped} skipped` : ''}. Screenshots, traces and logs are in test/artefacts.`,
  );
  log(`${total.passed} passed, ${total.failed} failed`);
  process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
}
