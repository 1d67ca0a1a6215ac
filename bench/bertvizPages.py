"""Writes BertViz's head view and model view of attention that the caller made.

    python bench/bertvizPages.py FOLDER SIZE [SIZE ...]

For every size N it reads FOLDER/attention-N.f32 (float32, [layer, head, query, key]) and FOLDER/tokens-N.json, and writes
FOLDER/head-N.html and FOLDER/model-N.html. It prints BertViz's version. BertViz must be installed: pip install bertviz.
"""

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import torch
from bertviz import head_view, model_view

NUM_LAYERS = 12
NUM_HEADS = 12


def version() -> str:
    try:
        return importlib.metadata.version("bertviz")
    except importlib.metadata.PackageNotFoundError:
        return "of its repository"


folder = Path(sys.argv[1])
for size in map(int, sys.argv[2:]):
    numbers = np.fromfile(folder / f"attention-{size}.f32", dtype=np.float32)
    layers = torch.from_numpy(numbers.reshape(NUM_LAYERS, 1, NUM_HEADS, size, size))
    tokens = json.loads((folder / f"tokens-{size}.json").read_text(encoding="utf-8"))
    for name, view in (("head", head_view), ("model", model_view)):
        html = view(attention=list(layers), tokens=tokens, html_action="return")
        (folder / f"{name}-{size}.html").write_text(html.data, encoding="utf-8")
print(version())
