"""Writes media/models/code-decoder: the checkpoint as transformers' LlamaForCausalLM through torch's ordinary ONNX exporter."""

import json
import logging
import shutil
import warnings

import numpy as np
import onnxruntime
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from shared import onnx_files

from .data import END_OF_TEXT
from .model import to_transformers

OPSET = 17


class LogitsOnly(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        # What was read before is not wanted as an output; an encoder has no such option.
        self.options = {"use_cache": False} if isinstance(model, LlamaForCausalLM) else {}

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, **self.options).logits


def in_transformers(work, model_type, configuration_type, attention, **special):
    """A checkpoint as a model of transformers, in single precision, and the checkpoint itself."""
    saved = torch.load(work / "checkpoint.pt", map_location="cpu")
    values = dict(saved["configuration"])
    theta = values.pop("rope_theta")
    configuration = configuration_type(
        **values, rope_parameters={"rope_type": "default", "rope_theta": theta}, attn_implementation=attention,
        architectures=[model_type.__name__], **special,
    )
    model = model_type(configuration)
    model.load_state_dict(to_transformers(saved["model"]), strict=True)
    return model.eval(), saved


def reference(work, attention="eager"):
    return in_transformers(work, LlamaForCausalLM, LlamaConfig, attention, bos_token_id=0, eos_token_id=0)


def export_plain(model, path):
    ids = torch.randint(1, 100, (1, 9))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LogitsOnly(model), (ids, torch.ones_like(ids)), str(path), opset_version=OPSET, dynamo=False,
            input_names=["input_ids", "attention_mask"], output_names=["logits"], do_constant_folding=True,
            dynamic_axes={name: {0: "batch", 1: "sequence"} for name in ("input_ids", "attention_mask", "logits")},
        )


def agreement(model, path, rows=8, length=256):
    """Largest and mean difference of the file's log-probabilities from the full-precision model's, on random text."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = torch.randint(1, model.config.vocab_size, (rows, length))
    feeds = {"input_ids": ids.numpy(), "attention_mask": np.ones_like(ids.numpy())}
    with torch.no_grad():
        wanted = model(input_ids=ids).logits.log_softmax(-1).numpy()
    got = torch.from_numpy(session.run(["logits"], feeds)[0]).log_softmax(-1).numpy()
    difference = np.abs(wanted - got)
    return float(difference.max()), float(difference.mean())


def write(work, out, reference, special):
    """Writes the model's folder; `special` are the special tokens of its tokenizer_config.json."""
    out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.manual_seed(0)
    model, saved = reference(work)
    plain = work / "plain.onnx"
    export_plain(model, plain)
    path = out / "model.onnx"
    exported = onnx_files.save(plain, path, out.name)
    shutil.copyfile(work / "tokenizer.json", out / "tokenizer.json")
    configuration = json.loads(model.config.to_json_string(use_diff=False))
    wanted = (
        "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "rms_norm_eps",
        "rope_parameters", "attention_bias", "mlp_bias", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
        "mask_token_id", "initializer_range",
    )
    kept = {key: configuration[key] for key in wanted if configuration.get(key) is not None}
    kept["rope_theta"] = saved["configuration"]["rope_theta"]
    (out / "config.json").write_text(json.dumps(kept, indent=2) + "\n")
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", **special, "model_max_length": saved["configuration"]["max_position_embeddings"],
        "clean_up_tokenization_spaces": False, "add_prefix_space": False,
    }, indent=2) + "\n")
    largest, mean = agreement(model, path)
    print({
        "step": saved["step"], "bytes": path.stat().st_size, "nodes": len(exported.graph.node),
        "largest log-probability difference": largest, "mean": mean,
    })


def main(work, out):
    write(work, out, reference, {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT})
