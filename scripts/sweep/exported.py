"""Exports a model by PyTorch's two exporters, and makes what people make of exported files: optimised, half precision, 8 bits."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

FORMS = ("eager.legacy", "sdpa.legacy", "eager.dynamo", "sdpa.dynamo")
VARIANTS = ("int8", "fp16", "optimized", "past")


class TensorsOnly(torch.nn.Module):
    """A model that takes its inputs by place and gives all tensors of its result back, so that no part of it is left out as unused."""

    def __init__(self, model: torch.nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        result = self.model(**dict(zip(self.names, inputs)))
        return tuple(_tensors(result))


def _tensors(values: object) -> list[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        return [values] if values.is_floating_point() else []
    if hasattr(values, "values"):
        values = tuple(values.values())
    return [tensor for value in values for tensor in _tensors(value)] if isinstance(values, (list, tuple)) else []


def export(model: torch.nn.Module, feeds: dict[str, torch.Tensor], exporter: str, path: Path) -> None:
    """Writes `path`, its text's length free."""
    names = list(feeds)
    has_past = any(n.startswith("past_") for n in names)
    free = {n: {1: "all" if has_past and n == "attention_mask" else "sequence"} for n in names if feeds[n].dim() == 2 and not feeds[n].is_floating_point() and "decoder" not in n}
    free |= {n: {2: "past"} for n in names if n.startswith("past_")}
    wrapped = TensorsOnly(model, names).eval()
    if exporter == "legacy":
        torch.onnx.export(wrapped, tuple(feeds.values()), str(path), dynamo=False, opset_version=17, input_names=names, dynamic_axes=free)
    else:
        program = torch.onnx.export(wrapped, tuple(feeds.values()), dynamo=True, input_names=names, verbose=False)
        program.save(str(path))


def check_runs(path: Path, feeds: dict[str, torch.Tensor], model: torch.nn.Module) -> None:
    """Runs an exported file as it is, and compares what it gives with what the model does: else what was recorded is not what the file computes.

    Raises:
        Exception: what ONNX Runtime says where it cannot: then the export is wrong, and no one else can run it either.
    """
    session = check_loads(path)
    taken = {i.name for i in session.get_inputs()}
    given = session.run(None, {name: value.numpy() for name, value in feeds.items() if name in taken})
    with torch.no_grad():
        wanted = TensorsOnly(model, list(feeds))(*feeds.values())
    for own, other in zip(wanted, given):
        if own.shape == other.shape and not np.allclose(own.float().numpy(), other, rtol=1e-2, atol=1e-2, equal_nan=True):
            raise ValueError(f"the exported file gives another result: up to {np.nanmax(np.abs(own.float().numpy() - other)):.1e}")


def check_loads(path: Path) -> onnxruntime.InferenceSession:
    """Loads a file, which some tools write so that ONNX Runtime itself refuses it; without its optimiser where that is what fails.

    Raises:
        Exception: what ONNX Runtime says.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def vary(source: Path, variant: str, target: Path) -> None:
    """Writes a variant of an exported file."""
    if variant == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8)
    elif variant == "fp16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        onnx.save(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True), str(target))
    else:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
