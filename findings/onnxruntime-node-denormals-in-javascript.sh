#!/usr/bin/env bash
# An option of one session of onnxruntime-node changes how all of JavaScript computes, for good.
#
# Version: onnxruntime-node 1.30.0, Linux x64, Node 20.
# Source: the session's entry "session.set_denormal_as_zero", which the header of ONNX Runtime says is for the session and its threads. Flushing to zero is
#   a mode of a processor's core as a thread uses it, and the binding opens sessions on JavaScript's own thread.
# One would guess: what is set for a session holds while it runs, or in its own threads.
# What happens: where the first session of a program has it, all of JavaScript computes so from then on, after the session is released too: the smallest number equals
#   zero, and so does whatever is below 2.2e-308, or 1.2e-38 in single precision. Where the first session has it not, a later one that asks for it changes nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ORT_DISABLE_TELEMETRY=1
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0
cat > run.cjs <<'JS'
const { InferenceSession } = require('onnxruntime-node');
// "y" is "x" as it is, as an ONNX file of some 40 bytes.
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const field = (number, content) => bytes([number * 8 + 2, content.length], content);
const value = (name) => bytes(field(1, name), field(2, field(1, [8, 1])));
const node = bytes(field(1, 'x'), field(2, 'y'), field(4, 'Identity'));
const graph = bytes(field(1, node), field(2, 'graph'), field(11, value('x')), field(12, value('y')));
const model = bytes([8, 8], field(7, graph), field(8, [16, 17]));
const say = (when) => {
  const [small, half, single] = [Number(process.argv[2]), Number('0.5'), Float32Array.of(1)];
  single[0] = Number('1.2e-38') * half;
  console.log(`${when}: the smallest number is ${small > 0 ? 'above zero' : 'zero'}, half of 3e-308 is ${3e-308 * half}, of 1.2e-38 in single precision ${single[0]}`);
};
(async () => {
  say('before');
  for (const isFlushed of process.argv.slice(3).map((each) => each === 'flushed')) {
    await (await InferenceSession.create(model, isFlushed ? { extra: { session: { set_denormal_as_zero: '1' } } } : {})).release();
    say(isFlushed ? 'after a session with the option' : 'after one as usual');
  }
})();
JS
for sessions in 'flushed usual' 'usual flushed'; do node run.cjs 5e-324 $sessions; done | tee output
diff output - <<'OUT'
before: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
after a session with the option: the smallest number is zero, half of 3e-308 is 0, of 1.2e-38 in single precision 0
after one as usual: the smallest number is zero, half of 3e-308 is 0, of 1.2e-38 in single precision 0
before: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
after one as usual: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
after a session with the option: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
OUT
# Output seen:
# before: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
# after a session with the option: the smallest number is zero, half of 3e-308 is 0, of 1.2e-38 in single precision 0
# after one as usual: the smallest number is zero, half of 3e-308 is 0, of 1.2e-38 in single precision 0
# before: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
# after one as usual: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
# after a session with the option: the smallest number is above zero, half of 3e-308 is 1.5000000000000004e-308, of 1.2e-38 in single precision 5.999999890533535e-39
