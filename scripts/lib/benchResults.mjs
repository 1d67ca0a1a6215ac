// bench/RESULTS.md: one section a benchmark, of which the part between two marks is written by the run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const begin = (name) => `<!-- written by the benchmark ${name}: begin -->`;
const end = (name) => `<!-- written by the benchmark ${name}: end -->`;

/** Puts what a run measured into its section of a Markdown file, in place of what stood there; prose around the marks stays. A new section goes to the end. */
export function writeSection(file, { name, title, text }) {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '# Benchmark results\n';
  const written = `${begin(name)}\n\n${text.trim()}\n\n${end(name)}`;
  const from = before.indexOf(begin(name));
  const to = before.indexOf(end(name));
  const after =
    from === -1 || to < from
      ? `${before.trimEnd()}\n\n## ${title}\n\n${written}\n`
      : before.slice(0, from) + written + before.slice(to + end(name).length);
  writeFileSync(file, after);
}
