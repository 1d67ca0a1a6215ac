#!/usr/bin/env bash
# Two readers of GitHub's Markdown see different cells where a backslash stands before an escaped bar.
#
# Version: markdown-it 15.0.3 and marked 18.2.1, which VS Code reads Markdown with: the one in its preview, the other in its hover cards.
# Source: GitHub Flavored Markdown, §4.10: a cell may hold a bar where it is escaped; it does not say whose the backslash before is.
# One would guess: as `\\` is an escaped backslash everywhere else, the bar of `a\\|b` ends the cell for both, or for neither.
# What happens: for markdown-it one backslash right before the bar escapes it, so `a\\|b` is one cell; marked counts backslashes, and has two.
#   Whoever escapes foreign text for tables cannot please both by backslashes: another character has to stand for the bar.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts markdown-it@15.0.3 marked@18.2.1 2>/dev/null
cat > check.mjs <<'JS'
import MarkdownIt from 'markdown-it';
import { marked } from 'marked';
const cellsOf = (html) => [...html.split('<tbody>')[1].matchAll(/<td>([^]*?)<\/td>/g)].map(([, text]) => text);
for (const text of ['a\\|b', 'a\\\\|b', 'a\\\\\\|b']) {
  const table = `| x | y |\n|---|---|\n| ${text} | z |\n`;
  console.log(`${text}: markdown-it ${JSON.stringify(cellsOf(new MarkdownIt().render(table)))}, marked ${JSON.stringify(cellsOf(marked.parse(table)))}`);
}
JS
node check.mjs | tee output
diff output - <<'OUT'
a\|b: markdown-it ["a|b","z"], marked ["a|b","z"]
a\\|b: markdown-it ["a|b","z"], marked ["a\\","b"]
a\\\|b: markdown-it ["a\\|b","z"], marked ["a\\|b","z"]
OUT
# Output seen: the three lines above.
