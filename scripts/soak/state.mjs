// What a soak came to so far: out/soak/NAME.jsonl (NAME.short.jsonl for a short form), whose first line says what it ran on and whose others are parts to be added up.
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine, describeVersions } from '../lib/machine.mjs';
import { root } from '../lib/paths.mjs';
import { slopeOf, warmPoints } from './slope.mjs';
import { soaks } from './soaks.mjs';

export const soakFolder = join(root, 'out', 'soak');
const fileOf = (name, isShort) => join(soakFolder, `${name}${isShort ? '.short' : ''}.jsonl`);

/** Begins a soak anew. */
export function beginState(name, { seed, isShort = false }) {
  mkdirSync(soakFolder, { recursive: true });
  writeFileSync(
    fileOf(name, isShort),
    `${JSON.stringify({ began: new Date().toISOString(), seed, machine: describeMachine(), versions: describeVersions() })}\n`,
  );
}

/** What is kept in the repository of a soak that takes longer than one machine lasts: the same, in two lines. */
const keptFolder = join(root, 'bench', 'soaks');
const keptFile = (name) => join(keptFolder, `${name}.jsonl`);

/** Goes on from what the repository keeps, where this machine has gone no further itself. */
export function takeKept(name) {
  if (existsSync(fileOf(name, false)) || !existsSync(keptFile(name))) return;
  mkdirSync(soakFolder, { recursive: true });
  copyFileSync(keptFile(name), fileOf(name, false));
}

/** Keeps in the repository what a soak came to so far. */
export function keep(name) {
  const total = readTotal(name);
  if (total === undefined) return;
  const { done, seconds, counts, most, samples, failures, skipped, ...header } = total;
  const part = { done, seconds: Math.round(seconds), counts, most, samples, failures, skipped };
  mkdirSync(keptFolder, { recursive: true });
  writeFileSync(keptFile(name), `${JSON.stringify(header)}\n${JSON.stringify(part)}\n`);
}

/** Adds a part. */
export function addPart(name, part, isShort = false) {
  appendFileSync(fileOf(name, isShort), `${JSON.stringify(part)}\n`);
}

/** All parts together; undefined where the soak was never begun. */
export function readTotal(name, isShort = false) {
  if (!existsSync(fileOf(name, isShort))) return undefined;
  const [header, ...parts] = readFileSync(fileOf(name, isShort), 'utf8').split('\n').flatMap(parsed);
  const total = { ...header, done: 0, seconds: 0, counts: {}, most: {}, samples: {}, failures: [], skipped: undefined };
  let kept = {};
  for (const {
    isSession,
    done = 0,
    seconds = 0,
    counts = {},
    most = {},
    samples = {},
    failures = [],
    skipped,
  } of parts) {
    // Another session has other processes, which warm up anew: a line goes through the longest of them.
    if (isSession) [kept, total.samples] = [longer(kept, total.samples), {}];
    total.done += done;
    total.seconds += seconds;
    for (const [key, times] of Object.entries(counts)) total.counts[key] = (total.counts[key] ?? 0) + times;
    for (const [key, value] of Object.entries(most)) total.most[key] = Math.max(total.most[key] ?? -Infinity, value);
    for (const [key, points] of Object.entries(samples)) (total.samples[key] ??= []).push(...points);
    total.failures.push(...failures);
    total.skipped ??= skipped;
  }
  total.samples = longer(kept, total.samples);
  return total;
}

const longer = (one, other) =>
  Math.max(0, ...Object.values(one).map(({ length }) => length)) >
  Math.max(0, ...Object.values(other).map(({ length }) => length))
    ? one
    : other;

/** A line that a kill cut off is nothing. */
function parsed(line) {
  try {
    return line === '' ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}

/** What was measured, and what of it is a difference. */
function pointsOf({ differences = {} }, { samples }) {
  const less = ([whole, part]) =>
    (samples[whole] ?? []).flatMap(([x, y], i) => {
      const beside = samples[part]?.[i];
      return beside?.[0] === x ? [[x, y - beside[1]]] : [];
    });
  return { ...samples, ...Object.fromEntries(Object.entries(differences).map(([key, of]) => [key, less(of)])) };
}

/** What does not hold, a sentence each. */
export function verdictOf(soak, total) {
  if (total === undefined) return ['it left no result'];
  const measured = pointsOf(soak, total);
  const grows = Object.entries(soak.slopes ?? {}).flatMap(([key, limit]) => {
    const fit = slopeOf(warmPoints(measured[key] ?? []));
    // Only what surely grows is wrong: the lower end of the interval says so.
    return fit !== undefined && fit.low > limit
      ? [`${key} grows by ${fit.slope.toFixed(0)} bytes each, more than ${limit}`]
      : [];
  });
  const empty = total.done === 0 && total.skipped === undefined ? ['nothing was done'] : [];
  return [
    ...total.failures
      .slice(0, 20)
      .map(
        ({ at, what, details }) =>
          `${at}: ${what}${details === undefined ? '' : `\n    ${details.replaceAll('\n', '\n    ')}`}`,
      ),
    ...grows,
    ...empty,
  ];
}

const number = (value) => value.toLocaleString('en-GB');

/** Results as a table in Markdown. */
export function tableOf(results, isShort = false) {
  const rows = results.map(({ name, total }) => {
    if (total === undefined) return [name, '–', '–', 'not run', '', ''];
    const { title, unit, runs } = soaks[name];
    const ofAll = isShort ? '' : ` of ${number(runs)}`;
    const counts = Object.entries(total.counts)
      .sort(([, a], [, b]) => b - a)
      .map(([key, times]) => `${key} ${number(times)}`);
    const most = Object.entries(total.most).map(([key, value]) => `${key} ${number(Math.round(value))} at most`);
    const fits = Object.entries(pointsOf(soaks[name], total)).flatMap(([key, points]) => {
      const fit = slopeOf(warmPoints(points));
      return fit === undefined
        ? []
        : [
            `${key}: ${signed(fit.slope)} bytes each (${signed(fit.low)} to ${signed(fit.high)}; ${points.length} points)`,
          ];
    });
    const what = total.skipped === undefined ? [...counts, ...most, ...fits].join(', ') : `skipped: ${total.skipped}`;
    return [
      `${name}: ${title}`,
      `${number(total.done)}${ofAll} ${unit}`,
      duration(total.seconds),
      what,
      String(total.failures.length),
      total.began.slice(0, 10),
    ];
  });
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(['soak', 'done', 'time', 'what came of it', 'failures', 'begun']),
    line(['---', '---:', '---:', '---', '---:', '---']),
    ...rows.map(line),
  ].join('\n');
}

const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(Math.abs(value) < 10 ? 1 : 0)}`;

function duration(seconds) {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
