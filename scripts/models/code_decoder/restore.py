"""Makes a checkpoint of the shipped model.onnx again, so that the export can be repeated without training. Weights are the halved ones."""

import json
import re
import shutil

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from .model import CONFIGURATION


def weights_of(path):
    """The weights of a file that export.py wrote, under the names of the checkpoint; large ones are rounded to half precision."""
    graph = onnx.load(str(path)).graph
    values = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    values.update({node.output[0]: values[node.input[0]] for node in graph.node if node.op_type == "Cast" and node.input[0] in values})
    state = {}
    for name, value in values.items():
        if name.startswith("model.model.") and not name.endswith(".half"):
            state[name.removeprefix("model.model.")] = value
    for node in graph.node:
        # The exporter names products by their module, not by their weight, which it has transposed.
        module = re.match(r"/model/model/(layers\.\d+/.*)/MatMul$", node.name)
        weight = next((values[name] for name in node.input if name in values), None)
        if node.op_type == "MatMul" and module is not None and weight is not None:
            state[module[1].replace("/", ".") + ".weight"] = weight.T
    return {name: torch.from_numpy(np.array(value, dtype=np.float32, order="C")) for name, value in state.items()}


def main(work, out):
    work.mkdir(parents=True, exist_ok=True)
    written = json.loads((out / "config.json").read_text())
    configuration = {key: written.get(key, value) for key, value in CONFIGURATION.items()}
    torch.save({"configuration": configuration, "model": weights_of(out / "model.onnx"), "step": None}, work / "checkpoint.pt")
    shutil.copyfile(out / "tokenizer.json", work / "tokenizer.json")
