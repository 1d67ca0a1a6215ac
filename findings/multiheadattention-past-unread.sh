#!/usr/bin/env bash
# ONNX Runtime's MultiHeadAttention leaves past keys unread where present keys are not asked for.
#
# Version: onnxruntime 1.30.0, processor (CPUExecutionProvider); model made with onnx 1.23.1.
# Source: com.microsoft.MultiHeadAttention in ONNX Runtime's table of operators: past_key and past_value are optional inputs, present_key
#   and present_value optional outputs, and the keys of a call are the past ones and the new ones.
# One would guess: whether an output is asked for changes nothing in the others.
# What happens: with both present outputs the new token reads the past keys and its own; without them, from the same inputs, it
#   reads its own key alone, so that the result is its own value. Nothing is said. A decoder whose caches were cut off its outputs
#   answers as if every token were the first.
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

random = np.random.default_rng(0)
shapes = {"query": (1, 1, 4), "key": (1, 1, 4), "value": (1, 1, 4), "past_key": (1, 1, 2, 4), "past_value": (1, 1, 2, 4)}
feeds = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def result(outputs):
    node = helper.make_node("MultiHeadAttention", ["query", "key", "value", "", "", "", "past_key", "past_value"], outputs, domain="com.microsoft", num_heads=1)
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph([node], "graph", inputs, [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["output"], feeds)[0].ravel()


keys = np.concatenate([feeds["past_key"], feeds["key"][None]], 2)[0, 0]
values = np.concatenate([feeds["past_value"], feeds["value"][None]], 2)[0, 0]
weights = np.exp(keys @ feeds["query"].ravel() / 2)
right = weights / weights.sum() @ values
print("with present outputs, all keys are read:", np.allclose(result(["output", "present_key", "present_value"]), right, atol=1e-5))
without = result(["output"])
print("without them, all keys are read:", np.allclose(without, right, atol=1e-5))
print("without them, the result is the token's own value:", np.allclose(without, feeds["value"].ravel(), atol=1e-5))
PY
env/bin/python check.py | tee output
grep -q '^with present outputs, all keys are read: True$' output
grep -q '^without them, all keys are read: False$' output
grep -q "^without them, the result is the token's own value: True$" output
# Output seen:
# with present outputs, all keys are read: True
# without them, all keys are read: False
# without them, the result is the token's own value: True
