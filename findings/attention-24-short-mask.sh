#!/usr/bin/env bash
# ONNX lets the mask of an Attention be shorter than its keys, from operator set 24 on; ONNX Runtime blames the cache and stops.
#
# Version: onnxruntime 1.30.0, processor (CPUExecutionProvider); onnx 1.23.1.
# Source: the description of attn_mask in ONNX's Attention of version 24 (keys beyond the mask's last dimension count as masked).
# One would guess: what runs operator set 24 takes such a mask, or at least says that the mask is too short.
# What happens: with three columns for four keys ONNX's own reference reads three keys, and ONNX Runtime refuses to run: it wants as many
#   columns as keys, and its message speaks of past_key and past_value, which the model does not have. The same mask with a fourth
#   column of False runs, and gives what the reference gave. Version 23 has no such rule, and there the reference does it all the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ORT_DISABLE_TELEMETRY=1
python3 -m venv env
env/bin/pip install --quiet onnxruntime==1.30.0 onnx==1.23.1 numpy==2.4.6
cat > check.py <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)


def read(opset, columns, by_reference):
    shapes = {"Q": [1, 1, 2, 4], "K": [1, 1, 4, 4], "V": [1, 1, 4, 4]}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    inputs.append(helper.make_tensor_value_info("mask", TensorProto.BOOL, [2, columns]))
    node = helper.make_node("Attention", ["Q", "K", "V", "mask"], ["Y"])
    graph = helper.make_graph([node], "graph", inputs, [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=11)
    # All scores are alike, and each value is a column of its own: the result is the weights.
    zeros = {name: np.zeros(shapes[name], np.float32) for name in ("Q", "K")}
    feeds = {**zeros, "V": np.eye(4, dtype=np.float32)[None, None], "mask": np.arange(columns)[None].repeat(2, 0) < 3}
    try:
        if by_reference:
            result = ReferenceEvaluator(model).run(["Y"], feeds)
        else:
            result = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(["Y"], feeds)
    except Exception as error:
        return "refused" + (", past_key named" if "past_key" in str(error) else "")
    return " ".join(f"{weight:.2f}" for weight in result[0][0, 0, 0])


for opset in (23, 24):
    for columns in (3, 4):
        print(f"operator set {opset}, {columns} columns: reference {read(opset, columns, True)}; ONNX Runtime {read(opset, columns, False)}")
PY
env/bin/python check.py | tee output
diff output - <<'OUT'
operator set 23, 3 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime refused, past_key named
operator set 23, 4 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime 0.33 0.33 0.33 0.00
operator set 24, 3 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime refused, past_key named
operator set 24, 4 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime 0.33 0.33 0.33 0.00
OUT
# Output seen:
# operator set 23, 3 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime refused, past_key named
# operator set 23, 4 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime 0.33 0.33 0.33 0.00
# operator set 24, 3 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime refused, past_key named
# operator set 24, 4 columns: reference 0.33 0.33 0.33 0.00; ONNX Runtime 0.33 0.33 0.33 0.00
