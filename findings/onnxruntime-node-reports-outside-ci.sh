#!/usr/bin/env bash
# onnxruntime-node reports what it runs to its maker, on Linux and macOS, and is silent where continuous integration looks.
#
# Version: onnxruntime-node 1.30.0 (the same library as in onnxruntime 1.30.0 for Python), Linux x64, Node 20.
# Source: ONNX Runtime, docs/Privacy.md («Disabling Telemetry»), and core/platform/telemetry_environment.h.
# One would guess: the processor's build touches no network and no file but the model, as up to version 1.28; if it did, a test would see it.
# What happens: a first session leaves a lasting number of the device and a database of events to be sent (with the graph's name and the
#   versions of operators) in the person's cache folder, and a file in the temporary one. With CI=true, or another of a dozen variables
#   of such systems, nothing of that: tests there cannot see what users get. ORT_DISABLE_TELEMETRY=1 before the first session
#   stops it; the package for Node has no function for it, and CI=false counts as no continuous integration.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0
cat > run.cjs <<'JS'
const { InferenceSession, Tensor } = require('onnxruntime-node');
// Identity from "x" to "y", a float each, as an ONNX file of 60 bytes.
const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const field = (number, content) => bytes([number * 8 + 2, content.length], content);
const type = field(1, bytes([8, 1], field(2, field(1, bytes([8, 1])))));
const value = (name) => bytes(field(1, name), field(2, type));
const node = bytes(field(1, 'x'), field(2, 'y'), field(4, 'Identity'));
const graph = bytes(field(1, node), field(2, 'graph'), field(11, value('x')), field(12, value('y')));
const model = bytes([8, 8], field(7, graph), field(8, bytes([16, 17])));
InferenceSession.create(model).then(async (session) => {
  const { y } = await session.run({ x: new Tensor('float32', [1], [1]) });
  if (y.data[0] !== 1) throw new Error('The model does not run.');
});
JS
# Of what it wants to send nothing leaves this script where the system has networks of their own for programs.
alone=()
if unshare --map-root-user --net true 2> /dev/null; then alone=(unshare --map-root-user --net); fi
left() {
  mkdir -p "home $1/temporary"
  "${alone[@]}" env -i PATH="$PATH" HOME="$PWD/home $1" TMPDIR="$PWD/home $1/temporary" ${1:+"$1"} node run.cjs > /dev/null 2>&1
  echo "${1:-nothing set}: $(find "home $1" -type f | sed -E 's/.*\///; s/[0-9]+/N/' | grep -c -E '^(deviceid|onnxruntime\.db|mat-debug-N\.log)$' || true) files"
}
{ left ''; left CI=false; left CI=true; left ORT_DISABLE_TELEMETRY=1; } | tee output
diff output - <<'OUT'
nothing set: 3 files
CI=false: 3 files
CI=true: 0 files
ORT_DISABLE_TELEMETRY=1: 0 files
OUT
# Output seen:
# nothing set: 3 files
# CI=false: 3 files
# CI=true: 0 files
# ORT_DISABLE_TELEMETRY=1: 0 files
