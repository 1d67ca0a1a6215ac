"""Writes media/models/code-decoder: the checkpoint as transformers' LlamaForCausalLM through torch's ordinary ONNX exporter."""

import json
import logging
import shutil
import warnings

import numpy as np
import onnxruntime
import torch
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import DynamicLayer

from shared import onnx_files

from .data import END_OF_TEXT
from .model import to_transformers

OPSET = 17


class LogitsOnly(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


class Continued(torch.nn.Module):
    """A decoder that goes on from the keys and values of what it has read (none at first), and gives those of all of it."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, *pasts):
        cache = DynamicCache()
        for keys, values in zip(pasts[::2], pasts[1::2]):
            # The cache would join what it is given to nothing, which would be a copy in the graph.
            layer = DynamicLayer()
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values
            cache.layers.append(layer)
        read = pasts[0].shape[2]
        positions = torch.arange(read, read + input_ids.shape[1]).unsqueeze(0)
        made = self.model(input_ids=input_ids, attention_mask=attention_mask, position_ids=positions, past_key_values=cache, use_cache=True)
        return made.logits, *(part for layer in cache.layers for part in (layer.keys, layer.values))


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


def cache_names(prefix, layers):
    """Names of keys and values as optimum gives them, layer by layer."""
    return [f"{prefix}.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]


def export_plain(model, path):
    ids = torch.randint(1, 100, (1, 9))
    feeds = [ids, torch.ones_like(ids)]
    names, outputs = ["input_ids", "attention_mask"], ["logits"]
    axes = {name: {0: "batch", 1: "sequence"} for name in (*names, *outputs)}
    goes_on = isinstance(model, LlamaForCausalLM)
    if goes_on:
        values = model.config
        pasts, presents = (cache_names(prefix, values.num_hidden_layers) for prefix in ("past_key_values", "present"))
        read = 4
        feeds = [ids, torch.ones(1, read + ids.shape[1], dtype=torch.int64)]
        feeds += [torch.randn(1, values.num_key_value_heads, read, values.head_dim) for _ in pasts]
        axes["attention_mask"] = {0: "batch", 1: "past + sequence"}
        axes |= {name: {0: "batch", 2: "past"} for name in pasts} | {name: {0: "batch", 2: "past + sequence"} for name in presents}
        names, outputs = names + pasts, outputs + presents
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            (Continued if goes_on else LogitsOnly)(model), tuple(feeds), str(path), opset_version=OPSET, dynamo=False,
            input_names=names, output_names=outputs, do_constant_folding=True, dynamic_axes=axes,
        )


def agreement(model, path, rows=8, length=256):
    """Largest and mean difference of the file's log-probabilities from the full-precision model's, on random text."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = torch.randint(1, model.config.vocab_size, (rows, length))
    feeds = onnx_files.feeds(session, ids.numpy())
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
