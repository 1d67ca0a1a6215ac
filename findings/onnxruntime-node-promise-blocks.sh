#!/usr/bin/env bash
# onnxruntime-node's run() gives a promise, and nothing else of the program goes on until it is kept.
#
# Version: onnxruntime-node 1.30.0, Linux x64, Node 20.
# Source: dist/backend.js of the package: the promise's work is one call of the library, made on JavaScript's own thread by setImmediate().
# One would guess: what gives a promise, and has threads of its own, works beside the program, as the library's RunAsync and Python's
#   run_async do: timers fire meanwhile, messages come, and who waits can lose patience.
# What happens: a timer of 5 ms does not fire once while a run goes on, however long that is; a time limit
#   by Promise.race comes too late, always. A program that must go on needs a process or a thread for it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ORT_DISABLE_TELEMETRY=1
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0
cat > run.cjs <<'JS'
const { InferenceSession, Tensor } = require('onnxruntime-node');
// "y" is the product of a matrix "x" with itself, as an ONNX file of some 60 bytes.
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const field = (number, content) => bytes([number * 8 + 2, content.length], content);
const value = (name) => bytes(field(1, name), field(2, field(1, [8, 1])));
const node = bytes(field(1, 'x'), field(1, 'x'), field(2, 'y'), field(4, 'MatMul'));
const graph = bytes(field(1, node), field(2, 'graph'), field(11, value('x')), field(12, value('y')));
const model = bytes([8, 8], field(7, graph), field(8, [16, 17]));
const size = 3072;
const after = (milliseconds, what) => new Promise((settle) => setTimeout(settle, milliseconds, what));
(async () => {
  const session = await InferenceSession.create(model);
  const x = new Tensor('float32', new Float32Array(size * size).fill(1 / size), [size, size]);
  const run = async () => {
    const started = performance.now();
    await session.run({ x });
    return [started, performance.now()];
  };
  await after(50);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const [began, ended] = await run();
  clearInterval(timer);
  console.log('the run took more than 50 ms:', ended - began > 50);
  console.log('ticks of a timer of 5 ms during it:', ticks);
  console.log('first, of the run and a limit of 10 ms:', await Promise.race([run().then(() => 'the run'), after(10, 'the limit')]));
})();
JS
node run.cjs | tee output
diff output - <<'OUT'
the run took more than 50 ms: true
ticks of a timer of 5 ms during it: 0
first, of the run and a limit of 10 ms: the run
OUT
# Output seen:
# the run took more than 50 ms: true
# ticks of a timer of 5 ms during it: 0
# first, of the run and a limit of 10 ms: the run
