"""Writes media/models/<name>: the checkpoint through torch's ordinary ONNX exporter, with the files around it."""

import json
import logging
import warnings

import numpy as np
import onnxruntime
import torch

from shared.onnx_files import save

from .characters import END_ID, START_ID, TARGET_LENGTH, source_rows, target_rows, write_tokenizer
from .forms import held_out

OPSET = 17
INPUTS = ("input_ids", "attention_mask", "decoder_input_ids")


def example(is_sorted):
    """Rows of different lengths, the longest first, which is what a packed sequence asks of the exporter's example."""
    pairs = held_out(0, 3, False)
    texts, dates = zip(*(sorted(pairs, key=lambda pair: -len(pair[0])) if is_sorted else pairs))
    return tuple(torch.from_numpy(array) for array in (*source_rows(texts), target_rows(dates)[0]))


def export_plain(model, path):
    axes = {"input_ids": "source", "attention_mask": "source", "decoder_input_ids": "target", "logits": "target"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, example(is_sorted=True), str(path), opset_version=OPSET, dynamo=False, input_names=list(INPUTS),
            output_names=["logits"], do_constant_folding=True,
            dynamic_axes={name: {0: "batch", 1: axis} for name, axis in axes.items()},
        )


class Shipped:
    """The exported file in onnxruntime."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, *given):
        return self.session.run(["logits"], dict(zip(INPUTS, given)))[0]

    def greedy(self, texts):
        """Target ids [batch, at most 12] by greedy generation with a growing prefix."""
        ids, mask = source_rows(texts)
        given = np.full((len(texts), 1), START_ID, dtype=np.int64)
        while given.shape[1] <= TARGET_LENGTH and not (given == END_ID).any(1).all():
            given = np.concatenate([given, self(ids, mask, given)[:, -1].argmax(-1)[:, None]], 1)
        return given[:, 1:]


def agreement(model, path, pairs):
    """Largest and mean difference of the file's log-probabilities from the full-precision model's."""
    given = (*source_rows([text for text, _ in pairs]), target_rows([date for _, date in pairs])[0])
    with torch.no_grad():
        wanted = model(*map(torch.from_numpy, given)).log_softmax(-1).numpy()
    difference = np.abs(wanted - torch.from_numpy(Shipped(path)(*given)).log_softmax(-1).numpy())
    return float(difference.max()), float(difference.mean())


def main(kind, work, out):
    out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    saved = torch.load(work / "checkpoint.pt")
    export_plain(kind.exportable(saved["model"]), work / "plain.onnx")
    exported = save(work / "plain.onnx", out / "model.onnx", kind.NAME)
    write_tokenizer(out)
    (out / "config.json").write_text(json.dumps(kind.config_file(), indent=2) + "\n")
    model = kind.make().eval()
    model.load_state_dict(saved["model"])
    # Of several lengths and in no order, unlike the exporter's example.
    largest, mean = agreement(model, out / "model.onnx", held_out(1, 64, False))
    print({
        "step": saved["step"], "bytes": (out / "model.onnx").stat().st_size, "nodes": len(exported.graph.node),
        "largest log-probability difference": largest, "mean": mean,
    })
