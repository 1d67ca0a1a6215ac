"""Writes media/models/code-decoder: the checkpoint as transformers' LlamaForCausalLM through torch's ordinary ONNX exporter."""

import json
import logging
import re
import shutil
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import LlamaConfig, LlamaForCausalLM

from .data import END_OF_TEXT
from .model import to_transformers

OPSET = 17
# What is smaller than this stays in single precision: norms, constants, shapes.
HALF_FROM_ELEMENTS = 2048


class LogitsOnly(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


def reference(work, attention="eager"):
    """The trained model in transformers, in single precision, and its checkpoint."""
    saved = torch.load(work / "checkpoint.pt", map_location="cpu")
    values = dict(saved["configuration"])
    theta = values.pop("rope_theta")
    configuration = LlamaConfig(
        **values, rope_parameters={"rope_type": "default", "rope_theta": theta}, bos_token_id=0, eos_token_id=0,
        attn_implementation=attention, architectures=["LlamaForCausalLM"],
    )
    model = LlamaForCausalLM(configuration)
    model.load_state_dict(to_transformers(saved["model"]), strict=True)
    return model.eval(), saved


def export_plain(model, path):
    ids = torch.randint(1, 100, (1, 9))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LogitsOnly(model), (ids, torch.ones_like(ids)), str(path), opset_version=OPSET, dynamo=False,
            input_names=["input_ids", "attention_mask"], output_names=["logits"], do_constant_folding=True,
            dynamic_axes={name: {0: "batch", 1: "sequence"} for name in ("input_ids", "attention_mask", "logits")},
        )


def halve(model):
    """Large weights in half precision, each cast back to single precision in the graph; the tied embedding is kept once."""
    graph = model.graph
    kept, nodes, same = [], [], {}
    for initializer in graph.initializer:
        values = numpy_helper.to_array(initializer)
        if values.dtype != np.float32 or values.size < HALF_FROM_ELEMENTS:
            kept.append(initializer)
            continue
        halved = values.astype(np.float16)
        content = (halved.shape, halved.tobytes())
        transposed = (halved.T.shape, np.ascontiguousarray(halved.T).tobytes()) if halved.ndim == 2 else None
        if content in same:
            nodes.append(helper.make_node("Identity", [same[content]], [initializer.name], name=f"{initializer.name}/Identity"))
        elif transposed in same:
            nodes.append(helper.make_node("Transpose", [same[transposed]], [initializer.name], name=f"{initializer.name}/Transpose", perm=[1, 0]))
        else:
            name = f"{initializer.name}.half"
            kept.append(numpy_helper.from_array(halved, name))
            nodes.append(helper.make_node("Cast", [name], [initializer.name], name=f"{initializer.name}/Cast", to=TensorProto.FLOAT))
            same[content] = initializer.name
    del graph.initializer[:]
    graph.initializer.extend(kept)
    ordered = nodes + list(graph.node)
    del graph.node[:]
    graph.node.extend(ordered)


def strip(model):
    """Takes out what tells of the machine: doc strings and metadata (the exporter puts source paths there)."""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        value.doc_string = ""
    del model.graph.value_info[:]
    del model.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    model.graph.name = "code-decoder"


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


def main(work, out):
    out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.manual_seed(0)
    model, saved = reference(work)
    plain = work / "plain.onnx"
    export_plain(model, plain)
    exported = onnx.load(str(plain))
    strip(exported)
    halve(exported)
    onnx.checker.check_model(exported)
    path = out / "model.onnx"
    onnx.save(exported, str(path))
    if re.search(rb"/(work|root|home|usr|tmp)/", path.read_bytes()):
        raise SystemExit("model.onnx holds a path of this machine")
    shutil.copyfile(work / "tokenizer.json", out / "tokenizer.json")
    configuration = json.loads(model.config.to_json_string(use_diff=False))
    wanted = (
        "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "rms_norm_eps",
        "rope_parameters", "attention_bias", "mlp_bias", "tie_word_embeddings", "bos_token_id", "eos_token_id", "initializer_range",
    )
    kept = {key: configuration[key] for key in wanted if key in configuration}
    kept["rope_theta"] = saved["configuration"]["rope_theta"]
    (out / "config.json").write_text(json.dumps(kept, indent=2) + "\n")
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT,
        "model_max_length": saved["configuration"]["max_position_embeddings"], "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
    }, indent=2) + "\n")
    largest, mean = agreement(model, path)
    print({
        "step": saved["step"], "bytes": path.stat().st_size, "nodes": len(exported.graph.node),
        "largest log-probability difference": largest, "mean": mean,
    })
