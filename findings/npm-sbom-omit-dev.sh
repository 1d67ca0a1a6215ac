#!/usr/bin/env bash
# npm's bill of materials without development dependencies lacks packages that ship.
#
# Version: npm 11.6.2, on any Node that it runs on.
# Source: lib/commands/sbom.js of that version selects what it lists with `:root *:not(.dev)`, and the class `.dev` of its tree holds
#   every package that can be reached through a development dependency, not only those that nothing else needs.
# One would guess: `npm sbom --omit=dev` lists what `npm ls --omit=dev` and `npm ci --omit=dev` keep, so a direct dependency is on it.
# What happens: a package that a development dependency needs too, and that is shared with it, is left out, even where the manifest
#   itself names it under "dependencies". Whoever feeds a scanner of vulnerabilities with that file never hears of it.
# Way around: take the bill of everything, and keep what its own graph reaches from the runtime dependencies.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix tool npm@11.6.2
npm() { node "$folder/tool/node_modules/npm/bin/npm-cli.js" "$@"; }
mkdir project && cd project
# glob needs path-scurry, which needs the same lru-cache.
cat > package.json <<'JSON'
{ "name": "project", "version": "1.0.0", "dependencies": { "lru-cache": "11.2.2" }, "devDependencies": { "glob": "11.0.3" }, "overrides": { "lru-cache": "$lru-cache" } }
JSON
npm install --silent --no-audit --no-fund --ignore-scripts
listed=$(npm ls --omit=dev --parseable | grep -c 'node_modules/lru-cache$')
bill() { npm sbom --silent --sbom-format=cyclonedx "$@" | node -e 'let text = ""; process.stdin.on("data", (part) => (text += part)).on("end", () => console.log(JSON.parse(text).components.filter(({ name }) => name === "lru-cache").length))'; }
whole=$(bill)
omitted=$(bill --omit=dev)
echo "npm $(npm --version): lru-cache is listed by npm ls --omit=dev: $listed, in the bill of everything: $whole, in the bill with --omit=dev: $omitted"
[ "$listed" = 1 ] && [ "$whole" = 1 ] && [ "$omitted" = 0 ]
# Output seen:
# npm 11.6.2: lru-cache is listed by npm ls --omit=dev: 1, in the bill of everything: 1, in the bill with --omit=dev: 0
