"""Whole patterns of attention that a model computes in parts (bands, blocks, windows), put together by the model itself in PyTorch.

Of texts, values are replaced by ones that say where they stand, a few positions at a time: what the attention makes of them are its weights.
Of windows, a block is given the numbers of its positions, and its attention tells which of them each window has.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from tiny import HEADS, WIDTH
from truth import Site

SIZE = WIDTH // HEADS
# By architecture: the module of an attention, the projections of its values, and that of what it gives.
IN_PARTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "longformer": (r"encoder\.layer\.\d+\.attention", ("self.value", "self.value_global"), "output.dense"),
    "led": (r"encoder\.layers\.\d+\.self_attn", ("longformer_self_attn.value", "longformer_self_attn.value_global"), "output"),
    "big_bird": (r"encoder\.layer\.\d+\.attention", ("self.value",), "output.dense"),
    "bigbird_pegasus": (r"encoder\.layers\.\d+\.self_attn", ("self.value",), "output"),
    "longt5": (r"encoder\.block\.\d+\.layer\.0\.LocalSelfAttention", ("v",), "o"),
    "pegasus_x": (r"encoder\.layers\.\d+\.self_attn", ("v_proj",), "out_proj"),
}


@dataclass
class Whole:
    """The weights [head, query, key] of one attention, and which of the recorded sites are its parts."""

    matrix: np.ndarray
    parts: frozenset[int]


def wholes(model: torch.nn.Module, feeds: dict[str, torch.Tensor], sites: list[Site]) -> list[Whole]:
    """All attentions of a model that are recorded in parts, each as one pattern over tokens or patches."""
    with torch.no_grad():
        return [*_of_texts(model, feeds, sites), *_of_windows(model, feeds, sites), *_of_pieces(sites)]


def _of_texts(model: torch.nn.Module, feeds: dict[str, torch.Tensor], sites: list[Site]) -> Iterator[Whole]:
    if model.config.model_type not in IN_PARTS:
        return
    pattern, values, output = IN_PARTS[model.config.model_type]
    length = feeds["input_ids"].shape[1]
    for name, module in model.named_modules():
        if not re.fullmatch(pattern, name):
            continue
        layer = model.get_submodule(name.rsplit(".", 1)[0])
        # Every second layer of Pegasus-X begins half a block before the text.
        before = layer.block_size // 2 if getattr(layer, "stagger_blocks_this_layer", False) else 0
        projections = [module.get_submodule(each) for each in values if _has(module, each)]
        matrix = np.zeros((HEADS, length, length), np.float32)
        for first in range(0, length, SIZE):
            given = _given_for(model, feeds, (projections, module.get_submodule(output)), before + first)
            count = min(SIZE, length - first)
            matrix[:, :, first : first + count] = given[before : before + length, :, :count].swapaxes(0, 1)
        yield Whole(matrix, _parts(sites, name) - _of_own_tokens(model, sites))


def _of_own_tokens(model: torch.nn.Module, sites: list[Site]) -> frozenset[int]:
    """Sites that tokens of the model's own ask, and that something reads: of the last layer nothing does."""
    own = [i for i, site in enumerate(sites) if "encoder" in site.path and site.shape[-2] == getattr(model.config, "num_global_tokens", -1)]
    return frozenset(own[:-1])


def _given_for(model: torch.nn.Module, feeds: dict[str, torch.Tensor], modules: tuple[list[torch.nn.Module], torch.nn.Module], first: int) -> np.ndarray:
    """What an attention gives [position, head, feature] where feature i of each head is one in the value of position `first` + i alone."""
    length, given = feeds["input_ids"].shape[1], []

    def placed(_: torch.nn.Module, __: object, result: torch.Tensor) -> torch.Tensor:
        ones = torch.zeros(result.numel() // WIDTH, HEADS, SIZE)
        if len(ones) >= length:  # fewer are tokens of the model's own
            for i in range(min(SIZE, len(ones) - first)):
                ones[first + i, :, i] = 1
        return ones.view(result.shape)

    def keep(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if inputs[0].numel() // WIDTH >= length:
            given.append(inputs[0].reshape(-1, HEADS, SIZE).numpy().copy())

    projections, output = modules
    with _hooked([each.register_forward_hook(placed) for each in projections] + [output.register_forward_pre_hook(keep)]):
        model(**feeds)
    return given[0]


def _of_windows(model: torch.nn.Module, feeds: dict[str, torch.Tensor], sites: list[Site]) -> Iterator[Whole]:
    blocks = {}
    for site in sites:
        name = re.match(r"(.*)\.(?:attention|attn)(?:\.|$)", site.path)
        if name and _heads(model.get_submodule(name[1])):
            blocks[name[1]] = model.get_submodule(name[1])
    places = dict[str, np.ndarray]()
    with _hooked([hook for name, block in blocks.items() for hook in _tells(name, block, places)]):
        model(**feeds)
    for name, windows in places.items():
        parts = _parts(sites, name)
        heads = _heads(blocks[name])
        if len(windows) < 2 or len(parts) != 1:
            continue
        recorded = sites[next(iter(parts))].matrix.numpy()
        matrices = recorded.reshape(len(windows), heads, *recorded.shape[-2:])
        rows = {position: row for row, position in enumerate(sorted({*windows.flatten().tolist()} - {0}))}
        matrix = np.zeros((heads, len(rows), len(rows)), np.float32)
        for window, weights in zip(windows.tolist(), matrices):
            at = [i for i, position in enumerate(window) if position > 0]
            to = [rows[window[i]] for i in at]
            matrix[:, np.array(to)[:, None], to] = weights[:, np.array(at)[:, None], at]
        yield Whole(matrix, parts)


def _of_pieces(sites: list[Site]) -> Iterator[Whole]:
    """Attentions that cut their sequence into pieces, each of which reads itself, and join what these give (Qwen2.5-VL's)."""
    for path in dict.fromkeys(site.path for site in sites):
        parts = [i for i, site in enumerate(sites) if site.path == path]
        matrices = [sites[i].matrix.numpy().reshape(-1, *sites[i].matrix.shape[-2:]) for i in parts]
        if len(parts) < 2 or any(each.shape[1] != each.shape[2] or len(each) != len(matrices[0]) for each in matrices):
            continue
        length, at = sum(each.shape[1] for each in matrices), 0
        whole = np.zeros((len(matrices[0]), length, length), np.float32)
        for each in matrices:
            whole[:, at : at + each.shape[1], at : at + each.shape[1]] = each
            at += each.shape[1]
        yield Whole(whole, frozenset(parts))


def _tells(name: str, block: torch.nn.Module, places: dict[str, np.ndarray]) -> list[torch.utils.hooks.RemovableHandle]:
    """Hooks by which a block is given the numbers of its positions, from one, and tells which of them each of its windows has; 0 is padding."""

    def numbered(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden = inputs[0]
        numbers = 1 + torch.arange(hidden.numel() // hidden.shape[-1]).view(*hidden.shape[:-1], 1)
        return (numbers.to(hidden.dtype).expand(hidden.shape).clone(), *inputs[1:])

    def keep(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...], more: dict[str, torch.Tensor]) -> None:
        hidden = inputs[0] if inputs else next(iter(more.values()))
        if hidden.dim() > 2:
            places[name] = hidden[..., 0].reshape(hidden.shape[0], -1).round().int().numpy().copy()

    attention = block.attention if hasattr(block, "attention") else block.attn
    norms = [child for child in block.children() if isinstance(child, torch.nn.LayerNorm) or "LayerNorm" in type(child).__name__]
    return [
        block.register_forward_pre_hook(numbered),
        attention.register_forward_pre_hook(keep, with_kwargs=True),
        *(norm.register_forward_hook(lambda _, inputs, __: inputs[0]) for norm in norms),
    ]


def _heads(block: torch.nn.Module) -> int:
    """The number of heads, as the attention of a block has it."""
    return next((value for module in block.modules() for value in (getattr(module, "num_attention_heads", None), getattr(module, "num_heads", None)) if isinstance(value, int)), 0)


def _parts(sites: list[Site], name: str) -> frozenset[int]:
    return frozenset(i for i, site in enumerate(sites) if site.path == name or site.path.startswith(f"{name}."))


def _has(module: torch.nn.Module, name: str) -> bool:
    try:
        return module.get_submodule(name) is not None
    except AttributeError:
        return False


@contextmanager
def _hooked(hooks: list[torch.utils.hooks.RemovableHandle]) -> Iterator[None]:
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
