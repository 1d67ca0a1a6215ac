"""Writes media/models/<name>: the checkpoint through torch's ordinary ONNX exporter, with the settings of its preprocessing."""

import json
import logging
import warnings

import numpy as np
import onnxruntime
import torch

from shared import onnx_files

from .models import CONFIGURATION, LINEAR, logits_of, normalised, restored

OPSET = 17


class LogitsOnly(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return logits_of(self.model, pixel_values)


def export_plain(model, path):
    side = CONFIGURATION["image_size"]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LogitsOnly(model).eval(), (torch.zeros(1, 3, side, side),), str(path), opset_version=OPSET, dynamo=False,
            input_names=["pixel_values"], output_names=["logits"], do_constant_folding=True,
            dynamic_axes={name: {0: "batch"} for name in ("pixel_values", "logits")},
        )


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def shipped_logits(session, pixels):
    """Logits of pictures [batch, side, side, 3] of bytes, by the exported file."""
    return np.concatenate([session.run(["logits"], {"pixel_values": normalised(pixels[i:i + 64]).numpy()})[0] for i in range(0, len(pixels), 64)])


def configuration_of(name):
    first = LINEAR if name == "shapes-linear-vit" else {"architectures": ["ViTForImageClassification"], "model_type": "vit"}
    return {**first, **CONFIGURATION}


PREPROCESSING = {
    "image_processor_type": "ViTImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"height": CONFIGURATION["image_size"], "width": CONFIGURATION["image_size"]},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def main(name, work, out):
    out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    model, saved = restored(name, work)
    plain = work / name / "plain.onnx"
    export_plain(model, plain)
    exported = onnx_files.save(plain, out / "model.onnx", name)
    (out / "config.json").write_text(json.dumps(configuration_of(name), indent=2) + "\n")
    (out / "preprocessor_config.json").write_text(json.dumps(PREPROCESSING, indent=2) + "\n")
    pixels = np.load(work / "held-out.npy", mmap_mode="r")[:256]
    with torch.no_grad():
        wanted = logits_of(model, normalised(pixels)).numpy()
    difference = np.abs(wanted - shipped_logits(session_of(out / "model.onnx"), pixels))
    print({
        "step": saved["step"], "bytes": (out / "model.onnx").stat().st_size, "nodes": len(exported.graph.node),
        "largest logit difference": float(difference.max()), "mean": float(difference.mean()),
    })
