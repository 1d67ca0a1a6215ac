"""Records below PyTorch's operators what really multiplies the values, whatever the model's code calls it.

A tensor is followed from the product that scores make (Q·Kᵀ), through a normaliser, to the operand of the product with the
values. Weights stay weights through views, casts and selections, so that what a router gathers from experts is none of it.
"""

from dataclasses import dataclass, field

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = {"bmm", "baddbmm"}
SELECTIONS = {"t", "transpose", "permute", "view", "_unsafe_view", "reshape", "expand", "_to_copy", "unsqueeze", "squeeze", "select", "slice",
              "index", "index_select", "gather", "clone", "detach", "alias", "split", "split_with_sizes", "chunk", "unbind", "stack", "cat", "lift_fresh"}
NORMALIZERS = {"_softmax", "_safe_softmax", "sigmoid"}
# Whatever mixes features or positions ends the trace of a score or a weight.
ENDS = {"mm", "addmm", "bmm", "baddbmm", "convolution", "native_layer_norm", "embedding", "mean", "sum", "argmax", "argsort", "sort", "topk", "max_pool2d_with_indices"}


@dataclass
class Site:
    """One product with the values: its weights [rows, query, key] or [rows, key, query], and where in the model it lies."""

    matrix: torch.Tensor
    shape: tuple[int, ...]
    path: str
    normalizer: str


@dataclass
class _Trace:
    weights: set[int] = field(default_factory=set)
    scores: set[int] = field(default_factory=set)
    probabilities: dict[int, tuple[tuple[int, ...], str, str]] = field(default_factory=dict)
    kept: list[torch.Tensor] = field(default_factory=list)


class AttentionRecorder(TorchDispatchMode):
    """Fills `sites` while a model runs inside it."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.sites: list[Site] = []
        self._trace = _Trace()
        self._path: list[str] = []
        for tensor in [*model.parameters(), *model.buffers()]:
            self._keep(tensor)
            self._trace.weights.add(id(tensor))
        for name, module in model.named_modules():
            module.register_forward_pre_hook(lambda *_, name=name: self._path.append(name))
            module.register_forward_hook(self._leave, always_call=True)

    def _leave(self, *_: object) -> None:
        self._path.pop()

    def _keep(self, tensor: torch.Tensor) -> None:
        self._trace.kept.append(tensor)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.__name__.split(".")[0].rstrip("_") if not func.__name__.startswith("_") else func.__name__.split(".")[0]
        operands = [a for a in _tensors(args)]
        outputs = [t for t in _tensors((result,))]
        trace = self._trace
        for tensor in outputs:
            self._keep(tensor)
        if name in PRODUCTS:
            left, right = operands[-2:]
            self._product(left, right)
            for tensor in outputs:
                trace.scores.add(id(tensor))
            return result
        if name in ENDS:
            return result
        if operands and name in SELECTIONS and all(id(t) in trace.weights for t in operands[:1]):
            trace.weights.update(map(id, outputs))
        scored = any(id(t) in trace.scores for t in operands)
        if name in NORMALIZERS and scored:
            for tensor in outputs:
                trace.probabilities[id(tensor)] = (tuple(tensor.shape), self._path[-1] if self._path else "", name.lstrip("_"))
            return result
        known = next((trace.probabilities[id(t)] for t in operands if id(t) in trace.probabilities), None)
        if known is not None:
            for tensor in outputs:
                trace.probabilities[id(tensor)] = known
        elif scored:
            trace.scores.update(map(id, outputs))
        return result

    def _product(self, left: torch.Tensor, right: torch.Tensor) -> None:
        for weights, values in ((left, right), (right, left)):
            known = self._trace.probabilities.get(id(weights))
            if known is not None and id(values) not in self._trace.weights:
                shape, path, normalizer = known
                self.sites.append(Site(weights.detach().float().clone(), shape, path, normalizer))
                return


def _tensors(values) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(value)
    return found


def record(model: torch.nn.Module, feeds: dict[str, torch.Tensor]) -> list[Site]:
    """All products with values of one run, in the order in which they happen."""
    recorder = AttentionRecorder(model)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), recorder:
        model(**feeds)
    return recorder.sites


def rounding(model: torch.nn.Module, feeds: dict[str, torch.Tensor], sites: list[Site]) -> float:
    """How far the largest weight of `sites`, in single precision, is from that in double: random weights make some scores so peaked
    that the order of a sum moves them. 0 where the model does not run in double precision, or takes another way there."""
    try:
        exact = record(model.double(), {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in feeds.items()})
    except Exception:
        return 0.0
    if [site.matrix.shape for site in exact] != [site.matrix.shape for site in sites]:
        return 0.0
    return max((float((a.matrix - b.matrix).abs().max()) for a, b in zip(exact, sites)), default=0.0)


def constants(model: torch.nn.Module, feeds: dict[str, torch.Tensor], sites: list[Site]) -> set[int]:
    """Which sites have the same weights whatever is read, as those of a decoder that asks itself with what it has learned: a tool may fold them away."""
    try:
        others = record(model, {name: tensor + torch.rand_like(tensor) if tensor.is_floating_point() else tensor for name, tensor in feeds.items()})
    except Exception:
        return set()
    if len(others) != len(sites) or not any(tensor.is_floating_point() for tensor in feeds.values()):
        return set()
    return {i for i, (a, b) in enumerate(zip(sites, others)) if a.matrix.shape == b.matrix.shape and torch.equal(a.matrix, b.matrix)}
