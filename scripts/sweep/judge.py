"""Runs the product on one file and compares what it draws with what was recorded."""

import json
import os
import re
import select
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file

from placed import Whole
from truth import Site

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["node", str(ROOT / "scripts/sweep/commands.mjs")]
BUNDLE = str(ROOT / "out/sweep/commands.mjs")
SECONDS = 400
# Largest absolute difference of a weight; half precision changes scores, which are scaled to be peaked.
TOLERANCE = {"": 2e-5, "optimized": 2e-5, "past": 2e-5, "fp16": 3e-2}
# Where PyTorch's own single precision is further than that from double, another order of the same sums may be so many times as far, up to a limit.
ROUNDINGS, MOST_ROUNDED = 10, 1e-3
# With weights of 8 bits a number that is rounded otherwise, as sums come in another order, moves others by a few hundredths, and rows
# that choose one of several (GroupViT's assignment) by more.
COMPUTED, ROUGH = 0.2, 0.3


Tensors = dict[str, np.ndarray]


@dataclass
class Verdict:
    """What became of one file: right, told (rightly or wrongly refused, with the reason), missed, mislabelled, wrong or crashed."""

    kind: str
    detail: str
    drawn: int = 0
    real: int = 0


class Commands:
    """The command line in a process of its own, which takes one request after another; whoever is forked from here asks it too."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([*COMMANDS, BUNDLE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)

    @staticmethod
    def bundle() -> None:
        """Makes what is run of the sources as they are."""
        subprocess.run([*COMMANDS, "--bundle", BUNDLE], check=True)

    def ask(self, command: str, **options: object) -> dict[str, str]:
        """What a command prints (`output`), or its error (`code`, `sentence`)."""
        try:
            os.write(self._process.stdin.fileno(), (json.dumps({"command": command, "options": options}) + "\n").encode())
        except BrokenPipeError:
            return {"code": "ended", "sentence": "the process is gone"}
        return self._read(SECONDS)

    def is_alive(self) -> bool:
        """Whether it takes requests."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()

    def _read(self, seconds: float) -> dict[str, str]:
        source, said = self._process.stdout.fileno(), b""
        while not said.endswith(b"\n"):
            if not select.select([source], [], [], seconds)[0]:
                return {"code": "ended", "sentence": f"no answer within {seconds} s"}
            more = os.read(source, 1 << 20)
            if not more:
                return {"code": "ended", "sentence": "the process ended without a word"}
            said += more
        return json.loads(said)


def judge(commands: Commands, model: Path, feeds: dict[str, torch.Tensor], sites: list[Site], variant: str, plain: Path | None = None, rounded: float = 0.0, folded: frozenset[int] = frozenset(), wholes: list[Whole] | None = None) -> Verdict:
    """Extracts from a file and compares every drawn matrix with the recorded ones, which single precision has `rounded` so far. Of 8 bits, and of
    half precision where it is further off, the tensors of the same names in the `plain` file are compared. Sites that may be `folded` into constants need not be drawn, and what was
    recorded in parts is drawn as one of the `wholes` that they make."""
    given, out = model.with_suffix(".in.safetensors"), model.with_suffix(".out.safetensors")
    # What the export has left out as unused would be taken for a misspelt name.
    inputs = {each.name for each in onnx.load(str(model), load_external_data=False).graph.input}
    save_file({f"in.{name}": np.ascontiguousarray(value.numpy()) for name, value in feeds.items() if name in inputs}, str(given))
    report = commands.ask("inspect", model=str(model), isJson=True)
    run = commands.ask("extract", model=str(model), feeds=str(given), out=str(out), backend="wasm")
    real = len(sites)
    for said in (report, run):
        if said.get("code") in ("ended", "internal"):
            return Verdict("crashed", said["sentence"], 0, real)
    if "output" not in run:
        reason = f"{run['sentence']} {_told(report.get('output', ''))}"
        is_right = real == 0 or ("not finite" in reason and not _is_finite(model, feeds))
        return Verdict("refused rightly" if is_right else "refused", reason, 0, real)
    drawn = {key: value for key, value in load_file(str(out)).items() if key.startswith("attention.")}
    found: dict[str, int] = {}
    free = set(range(real))
    before = None if plain is None else (_tensors(plain, feeds), _tensors(model, feeds))
    single = max(TOLERANCE[""], min(MOST_ROUNDED, ROUNDINGS * rounded))
    for key in sorted(drawn, key=_order):
        whole = _whole_of(drawn[key], wholes or [], free, (variant, single, before))
        if whole is not None:
            if isinstance(whole, str):
                return Verdict("wrong", f"{key} {list(drawn[key].shape)} {whole}", len(drawn), real)
            found[key] = min(whole.parts)
            free -= whole.parts
            continue
        matrix = drawn[key] if before is None or variant == "fp16" else _in_plain(drawn[key], *before)
        if matrix is None:
            return Verdict("wrong", f"{key} is no tensor of the quantised graph", len(drawn), real)
        best, where = _nearest(matrix, sites, free)
        if variant == "fp16" and before is not None and best > TOLERANCE["fp16"]:
            matrix = _in_plain(drawn[key], *before)
            best, where = (best, where) if matrix is None else _nearest(matrix, sites, free)
        if best > (ROUGH if variant == "int8" and matrix is drawn[key] else max(single, TOLERANCE.get(variant, 0))):
            return Verdict("wrong", f"{key} {list(matrix.shape)} is {best:.1e} from every matrix that was recorded", len(drawn), real)
        found[key] = where
        free.discard(where)
    free -= folded | _told_again(free, set(found.values()), sites)
    named = _labels(found, sites)
    if named:
        return Verdict("mislabelled", named, len(drawn), real)
    if free:
        told = _told(report.get("output", "")) or _not_written(run.get("output", ""))
        paths = ", ".join(sorted({sites[i].path for i in free})[:3])
        return Verdict("told" if told else "missed", f"{len(free)} of {real} not drawn ({paths}): {told or 'nothing said'}", len(drawn), real)
    return Verdict("right", "", len(drawn), real)


def _told_again(free: set[int], found: set[int], sites: list[Site]) -> set[int]:
    """Sites of a module whose matrix is drawn already: it weights values several times (DiffLlama's), and is one attention."""
    return {i for i in free for j in found if sites[i].path == sites[j].path and sites[i].matrix.shape == sites[j].matrix.shape and torch.allclose(sites[i].matrix, sites[j].matrix, rtol=0, atol=1e-6)}


def _order(key: str) -> tuple[str, int]:
    _, component, layer = key.split(".")
    return component, int(layer)


def _whole_of(matrix: np.ndarray, wholes: list[Whole], free: set[int], how: tuple[str, float, tuple[Tensors, Tensors] | None]) -> Whole | str | None:
    """The whole that a drawn layer is; None where none that is left has its size, and why it is none of those that have."""
    variant, single, before = how
    near = [(float(np.abs(whole.matrix - matrix[0]).max()), i) for i, whole in enumerate(wholes) if matrix.shape == (1, *whole.matrix.shape) and whole.parts <= free]
    if not near:
        return None
    difference, i = min(near)
    if difference <= (ROUGH if variant == "int8" else max(single, TOLERANCE.get(variant, 0))):
        return wholes[i]
    if before is not None:
        for _, i in sorted(near):
            if _is_placed(matrix[0], wholes[i].matrix, *before):
                return wholes[i]
    return f"is {difference:.1e} from every whole pattern"


def _is_placed(matrix: np.ndarray, whole: np.ndarray, plain: Tensors, varied: Tensors) -> bool:
    """Whether a drawn matrix has the numbers of a varied graph where the whole has those of the graph that it was made of: each cell is found there by its number."""
    names = [name for name, tensor in plain.items() if name in varied and varied[name].shape == tensor.shape and tensor.min(initial=0) >= 0 and tensor.max(initial=0) <= 1]
    numbers, others = (np.concatenate([tensors[name].reshape(-1) for name in names] or [np.zeros(0)]) for tensors in (plain, varied))
    order = np.argsort(numbers)
    numbers, others = numbers[order], others[order]
    differences = []
    cells = [(cell, drawn) for cell, drawn in zip(whole.reshape(-1), matrix.reshape(-1)) if cell > 1e-4]
    for cell, drawn in cells:
        first, last = np.searchsorted(numbers, (cell - 1e-6, cell + 1e-6))
        if first < last:
            differences.append(float(np.abs(others[first:last] - drawn).min()))
    return len(differences) > len(cells) / 2 and float(np.mean(differences)) < COMPUTED * float(np.abs(matrix).mean())


def _nearest(matrix: np.ndarray, sites: list[Site], free: set[int]) -> tuple[float, int]:
    """The smallest difference, over all weights the largest, to a recorded matrix of the same size, whatever its layout, and which one it is."""
    batch, heads, queries, keys = matrix.shape
    best, where = float("inf"), -1
    for i in sorted(free):
        recorded = sites[i].matrix.numpy()
        # A text that is shorter than one block of its encoder stands at the block's beginning, and at one place among its keys.
        for _, cut in _cuts(recorded, matrix.shape):
            difference = float(np.max(np.abs(cut - matrix.reshape(-1, queries, keys))))
            if difference < best:
                best, where = difference, i
        for candidate in (recorded, recorded.swapaxes(-1, -2)):
            if candidate.size != matrix.size or candidate.shape[-1] != keys or candidate.shape[-2] != queries:
                continue
            flat = candidate.reshape(-1, queries, keys)
            for order in (flat, flat.reshape(heads, batch, queries, keys).swapaxes(0, 1).reshape(-1, queries, keys)):
                difference = np.max(np.abs(order - matrix.reshape(-1, queries, keys)))
                if difference < best:
                    best, where = float(difference), i
    return best, where


def _cuts(blocks: np.ndarray, shape: tuple[int, ...]) -> list[tuple[int, np.ndarray]]:
    """Parts of a larger block of as many matrices, which begin with its first query, each with the key that it begins with."""
    batch, heads, queries, keys = shape
    if blocks.ndim < 3 or queries >= blocks.shape[-2] or keys >= blocks.shape[-1] or blocks.size != batch * heads * blocks.shape[-2] * blocks.shape[-1]:
        return []
    block = blocks.reshape(-1, *blocks.shape[-2:])[:, :queries]
    return [(at, block[:, :, at : at + keys]) for at in range(blocks.shape[-1] - keys + 1)]


def _tensors(path: Path, feeds: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """All tensors of numbers of a graph, by name, as ONNX Runtime computes them in Python."""
    model = onnx.load(str(path))
    own = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for node in model.graph.node for name in node.output if name and name not in own)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    taken = {i.name for i in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    given = session.run(None, {n: v.numpy() for n, v in feeds.items() if n in taken})
    return {name: tensor.astype(np.float32) for name, tensor in zip(names, given) if isinstance(tensor, np.ndarray) and tensor.dtype in (np.float32, np.float16)}


def _is_finite(path: Path, feeds: dict[str, torch.Tensor]) -> bool:
    """Whether all weights of a file are numbers, as ONNX Runtime computes them in Python: half precision overflows in some."""
    weights = {name for node in onnx.load(str(path), load_external_data=False).graph.node if node.op_type == "Softmax" for name in node.output}
    return all(np.isfinite(tensor).all() for name, tensor in _tensors(path, feeds).items() if name in weights)


def _in_plain(matrix: np.ndarray, plain: dict[str, np.ndarray], quantised: dict[str, np.ndarray]) -> np.ndarray | None:
    """What a drawn matrix of a quantised or halved graph is in the graph that it was made of: the tensor of the same name; itself where no tensor is of its size, as of windows that were put together."""
    flat = matrix.reshape(-1)
    near = [(float(np.abs(tensor.reshape(-1) - flat).mean()), name) for name, tensor in quantised.items() if tensor.size == flat.size and name in plain and plain[name].size == flat.size]
    difference, name = min(near, default=(np.inf, ""))
    if not near:
        cuts = [(float(np.abs(cut - matrix.reshape(cut.shape)).mean()), each, at) for each, tensor in quantised.items() if each in plain for at, cut in _cuts(tensor, matrix.shape)]
        difference, name, at = min(cuts, default=(np.inf, "", 0))
        if difference < COMPUTED * np.abs(flat).mean():
            return dict(_cuts(plain[name], matrix.shape))[at].reshape(matrix.shape)
        return matrix
    return plain[name].reshape(matrix.shape) if difference < COMPUTED * np.abs(flat).mean() else None


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
        seen = set[str]()
        for _, index in sorted(layers):
            if sites[index].path in seen:  # what a module does beside its attention, as that of tokens of its own, is called after all layers
                continue
            seen.add(sites[index].path)
            parts.setdefault(re.split(r"\.\d+(?=\.|$)", sites[index].path)[0], []).append(index)
        if any(order != sorted(order) for order in parts.values()):
            return f"{component}: layers stand in another order than they run"
        numbers = [_number(sites[index].path) for _, index in sorted(layers)]
        called = [layer for layer, _ in sorted(layers)]
        stack, left = next(iter(parts)), set(range(len(sites))) - set(found.values())
        is_whole = not any(re.split(r"\.\d+(?=\.|$)", sites[i].path)[0] == stack for i in left)
        if is_whole and len(parts) == 1 and None not in numbers and len(set(numbers)) == len(numbers) and numbers != called:
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


def _not_written(printed: str) -> str:
    """Layers that were found and not written (a rounded model's numbers may overflow), each with the reason."""
    return "; ".join(line.removeprefix("Not written: ") for line in printed.splitlines() if line.startswith("Not written: "))[:200]
