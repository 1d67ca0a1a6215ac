#!/usr/bin/env bash
# A link whose label is code with a backtick and a bracket is a link for one reader of Markdown and text for another.
#
# Version: marked 18.2.1 (VS Code's hover cards) beside markdown-it 15.0.3 (its preview).
# Source: CommonMark 0.31.2, §6.3: brackets in a link's text count unless they are escaped or inside of code, which binds tighter.
# One would guess: code as a label is safe whatever it holds, as nothing in code is Markdown.
# What happens: with a fence of two backticks around a backtick and a bracket, marked makes no link of it: brackets, code and the bare address are shown.
#   A token of a tokenizer can be just that. An escape of the bracket is no way out, as in code a backslash is shown.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts markdown-it@15.0.3 marked@18.2.1 2>/dev/null
cat > check.mjs <<'JS'
import MarkdownIt from 'markdown-it';
import { marked } from 'marked';
for (const code of ['`[`', '`` ` ``', '`` `[ ``', '`` `] ``']) {
  const text = `[${code}](https://example.org/)`;
  const isLink = (html) => /<a href="[^"]*"><code>/.test(html); // not that of the bare address
  console.log(`${code}: a link for markdown-it ${isLink(new MarkdownIt().render(text))}, for marked ${isLink(marked.parse(text))}`);
}
JS
node check.mjs | tee output
diff output - <<'OUT'
`[`: a link for markdown-it true, for marked true
`` ` ``: a link for markdown-it true, for marked true
`` `[ ``: a link for markdown-it true, for marked false
`` `] ``: a link for markdown-it true, for marked false
OUT
# Output seen: the four lines above.
