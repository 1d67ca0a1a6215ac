#!/usr/bin/env bash
# ONNX's reference evaluator soft-caps what the Attention operator calls its raw scores; ONNX Runtime does not.
#
# Version: onnx 1.23.1 (ReferenceEvaluator), onnxruntime 1.30.0 (processor).
# Source: ONNX, operator Attention, version 23: with qk_matmul_output_mode 0 the fourth output is the product of queries and keys,
#   and the cap and the mask come in with the modes after it.
# One would guess: the two programs give the same scores in each of the four modes, and mode 0 the same with a softcap as without.
# What happens: they agree in the modes 1, 2 and 3. In mode 0 the reference evaluator gives scores that are capped already, so that
#   whoever checks raw scores against it finds the runtime, which is right, in the wrong.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet onnxruntime==1.30.0 onnx==1.23.1 numpy==2.4.6
cat > check.py <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

random = np.random.default_rng(0)
feeds = {"query": (1, 1, 2, 4), "key": (1, 1, 3, 4), "value": (1, 1, 3, 4)}
feeds = {name: random.normal(size=shape).astype(np.float32) for name, shape in feeds.items()}


def scores(mode, softcap):
    node = helper.make_node("Attention", list(feeds), ["output", "", "", "scores"], qk_matmul_output_mode=mode, softcap=softcap)
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in feeds.items()]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("output", "scores")]
    model = helper.make_model(helper.make_graph([node], "graph", inputs, outputs), opset_imports=[helper.make_opsetid("", 23)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["scores"], feeds)[0], ReferenceEvaluator(model).run(["scores"], feeds)[0]


product = feeds["query"] @ feeds["key"].swapaxes(2, 3) / 2
for mode in range(4):
    runtime, reference = scores(mode, 0.5)
    print(f"mode {mode}: they agree: {np.allclose(runtime, reference, atol=1e-5)}")
    if mode == 0:
        print(f"  runtime is the product: {np.allclose(runtime, product, atol=1e-5)}")
        print(f"  reference is the capped product: {np.allclose(reference, 0.5 * np.tanh(product / 0.5), atol=1e-5)}")
PY
env/bin/python check.py | tee output
[ "$(grep -c 'they agree: True' output)" = 3 ]
grep -q '^mode 0: they agree: False$' output
[ "$(grep -c '^  .*: True$' output)" = 2 ]
# Output seen:
# mode 0: they agree: False
#   runtime is the product: True
#   reference is the capped product: True
# mode 1: they agree: True
# mode 2: they agree: True
# mode 3: they agree: True
