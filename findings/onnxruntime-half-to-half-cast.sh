#!/usr/bin/env bash
# ONNX Runtime refuses a cast from half precision to half precision when it does not optimise.
#
# Version: onnxruntime 1.30.0 (processor; its WebAssembly build does the same).
# Source: `graph_optimization_level`, and a model in half precision whose softmax is cast to the type that it has, as exporters of PyTorch leave it.
# One would guess: what loads with optimisation loads without, only runs slower.
# What happens: where the processor has no kernel of half precision, single precision is put in between, also behind the cast, whose own
#   result is then of another type than it says. With the level `basic` the cast is gone before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ORT_DISABLE_TELEMETRY=1
python3 -m venv env
env/bin/pip install --quiet onnxruntime==1.30.0 onnx numpy
cat > check.py <<'PY'
import onnxruntime
from onnx import helper

HALF = 10
nodes = [
    helper.make_node("MatMul", ["q", "kt"], ["scores"]),
    helper.make_node("Softmax", ["scores"], ["weights"]),
    helper.make_node("Cast", ["weights"], ["same"], to=HALF),
    helper.make_node("MatMul", ["same", "v"], ["y"]),
]
inputs = [helper.make_tensor_value_info(name, HALF, [1, 2, 2]) for name in ("q", "kt", "v")]
graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("y", HALF, None)])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC"):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    try:
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        print(f"{level}: loaded")
    except Exception as error:
        print(f"{level}: {'Type Error' if 'Type Error' in str(error) else error}")
PY
env/bin/python check.py | tee output
grep -q '^ORT_DISABLE_ALL: Type Error$' output
grep -q '^ORT_ENABLE_BASIC: loaded$' output
# Output seen:
# ORT_DISABLE_ALL: Type Error
# ORT_ENABLE_BASIC: loaded
