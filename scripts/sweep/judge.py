"""Runs the product on one file and compares what it draws with what was recorded."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file

from truth import Site

ROOT = Path(__file__).resolve().parents[2]
CLI = ["node", str(ROOT / "dist/cli.cjs")]
# Largest absolute difference of a weight; half precision changes scores, which are scaled to be peaked.
TOLERANCE = {"": 2e-5, "optimized": 2e-5, "fp16": 3e-2}
# Weights of 8 bits change them more than that: on average they are near, and they are what the runtime itself computes.
MEAN_OF_INT8, COMPUTED = 0.15, 1e-4


@dataclass
class Verdict:
    """What became of one file: right, told (rightly or wrongly refused, with the reason), missed, mislabelled, wrong or crashed."""

    kind: str
    detail: str
    drawn: int = 0
    real: int = 0


def judge(model: Path, feeds: dict[str, torch.Tensor], sites: list[Site], variant: str) -> Verdict:
    """Extracts from a file and compares every drawn matrix with the recorded ones."""
    given, out = model.with_suffix(".in.safetensors"), model.with_suffix(".out.safetensors")
    save_file({f"in.{name}": np.ascontiguousarray(value.numpy()) for name, value in feeds.items()}, str(given))
    report = _run(["inspect", str(model), "--json"])
    run = _run(["extract", str(model), "--feeds", str(given), "--out", str(out)])
    real = len(sites)
    if run.returncode != 0:
        reason = (run.stderr.strip().splitlines() or [f"exit {run.returncode} without a word"])[-1]
        if re.search(r"\n\s+at |unexpected|TypeError|RangeError", run.stderr) or not run.stderr.strip():
            return Verdict("crashed", reason, 0, real)
        return Verdict("refused rightly" if real == 0 else "refused", reason, 0, real)
    drawn = {key: value for key, value in load_file(str(out)).items() if key.startswith("attention.")}
    found: dict[str, int] = {}
    free = set(range(real))
    for key in sorted(drawn, key=_order):
        best, where = _nearest(drawn[key], sites, free, np.mean if variant == "int8" else np.max)
        if best > TOLERANCE.get(variant, MEAN_OF_INT8):
            return Verdict("wrong", f"{key} {list(drawn[key].shape)} is {best:.1e} from every matrix that was recorded", len(drawn), real)
        found[key] = where
        free.discard(where)
    if variant == "int8" and (key := _not_computed(model, feeds, drawn)):
        return Verdict("wrong", f"{key} is no tensor of the quantised graph", len(drawn), real)
    named = _labels(found, sites)
    if named:
        return Verdict("mislabelled", named, len(drawn), real)
    if free:
        told = _told(report.stdout)
        paths = ", ".join(sorted({sites[i].path for i in free})[:3])
        return Verdict("told" if told else "missed", f"{len(free)} of {real} not drawn ({paths}): {told or 'nothing said'}", len(drawn), real)
    return Verdict("right", "", len(drawn), real)


def _run(arguments: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, timeout=120)


def _order(key: str) -> tuple[str, int]:
    _, component, layer = key.split(".")
    return component, int(layer)


def _nearest(matrix: np.ndarray, sites: list[Site], free: set[int], over: Callable[[np.ndarray], float]) -> tuple[float, int]:
    """The smallest difference, the largest or the mean one of all weights, to a recorded matrix of the same size, whatever its layout, and which one it is."""
    batch, heads, queries, keys = matrix.shape
    best, where = float("inf"), -1
    for i in sorted(free):
        recorded = sites[i].matrix.numpy()
        if heads * batch < recorded.size // (recorded.shape[-1] * recorded.shape[-2]) and queries >= recorded.shape[-2]:
            difference = _put_together(matrix, recorded)
            if difference < best:
                best, where = difference, i
        for candidate in (recorded, recorded.swapaxes(-1, -2)):
            if candidate.size != matrix.size or candidate.shape[-1] != keys or candidate.shape[-2] != queries:
                continue
            flat = candidate.reshape(-1, queries, keys)
            for order in (flat, flat.reshape(heads, batch, queries, keys).swapaxes(0, 1).reshape(-1, queries, keys)):
                difference = over(np.abs(order - matrix.reshape(-1, queries, keys)))
                if difference < best:
                    best, where = float(difference), i
    return best, where


def _put_together(matrix: np.ndarray, recorded: np.ndarray) -> float:
    """How far the numbers of windows that were put together are from those of the windows, wherever they stand; what pads a window is in none."""
    placed, windows = np.sort(matrix[matrix > 0]), np.sort(recorded[recorded > 0])
    if not 0 < placed.size <= windows.size:
        return float("inf")
    if placed.size == windows.size:
        return float(np.abs(placed - windows).max())
    after = np.clip(np.searchsorted(windows, placed), 1, windows.size - 1)
    return float(np.minimum(np.abs(windows[after] - placed), np.abs(windows[after - 1] - placed)).max())


def _not_computed(path: Path, feeds: dict[str, torch.Tensor], drawn: dict[str, np.ndarray]) -> str:
    """The first drawn matrix that is no tensor of the graph as ONNX Runtime computes it in Python."""
    model = onnx.load(str(path))
    own = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for node in model.graph.node for name in node.output if name and name not in own)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    taken = {i.name for i in session.get_inputs()}
    tensors = [t for t in session.run(None, {n: v.numpy() for n, v in feeds.items() if n in taken}) if isinstance(t, np.ndarray) and t.dtype == np.float32]
    for key, matrix in drawn.items():
        flat = matrix.reshape(-1)
        if not any(t.size == flat.size and np.abs(t.reshape(-1) - flat).max() < COMPUTED for t in tensors):
            return key
    return ""


def _component(path: str) -> str | None:
    """What a module's name says that it is; most say nothing, and a pooling head that asks with a token of its own is cross-attention."""
    if re.search(r"cross|encoder_attn|enc_dec|EncDec|src_attn|encoder_decoder_attention", path):
        return "cross"
    return "self" if re.search(r"self_?attn|self_?attention|SelfAttention", path) else None


def _labels(found: dict[str, int], sites: list[Site]) -> str:
    """What is called otherwise than the model calls it: cross or not, and the order of the layers within what is drawn as one stack."""
    stacks: dict[str, list[tuple[int, int]]] = {}
    for key, index in found.items():
        component, layer = _order(key)
        path = sites[index].path
        named = _component(path)
        if named is not None and (component == "cross") != (named == "cross"):
            return f"{key} is {path}"
        stacks.setdefault(component, []).append((layer, index))
    for component, layers in stacks.items():
        parts: dict[str, list[int]] = {}
        for _, index in sorted(layers):
            parts.setdefault(re.split(r"\.\d+(?=\.|$)", sites[index].path)[0], []).append(index)
        if any(order != sorted(order) for order in parts.values()):
            return f"{component}: layers stand in another order than they run"
        numbers = [_number(sites[index].path) for _, index in sorted(layers)]
        called = [layer for layer, _ in sorted(layers)]
        if len(parts) == 1 and None not in numbers and len(set(numbers)) == len(numbers) and numbers != called:
            return f"{component}: layers are called {called}, they are {numbers}"
    return ""


def _number(path: str) -> int | None:
    numbers = re.findall(r"(?<=\.)\d+(?=\.|$)", path)
    return int(numbers[0]) if len(numbers) == 1 else None


def _told(report: str) -> str:
    try:
        view = json.loads(report)
    except ValueError:
        return ""
    return "; ".join(f"{missed['path']}: {missed['reason']}" for missed in view["missed"])[:200]
