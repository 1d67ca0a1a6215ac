"""What both teaching models have in common: a word is a token, one attention, weights written by hand; nothing is trained."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

OPSET = 17
UNKNOWN = "<unk>"
MAX_LENGTH = 64


def write_tokenizer(out, words):
    """Words between blanks are tokens; any other word is <unk>, whose embedding is zero."""
    vocabulary = {word: number for number, word in enumerate((UNKNOWN, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocab=vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken(UNKNOWN, special=True, normalized=False)])
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": UNKNOWN, "model_max_length": MAX_LENGTH,
        "clean_up_tokenization_spaces": False,
    }, indent=2) + "\n")


def write_config(out, architecture, vocabulary, width, head_width):
    (out / "config.json").write_text(json.dumps({
        "architectures": [architecture], "model_type": "self-attention", "vocab_size": vocabulary, "hidden_size": width,
        "num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": head_width, "max_position_embeddings": MAX_LENGTH,
    }, indent=2) + "\n")


def node(operator, inputs, output, name, **attributes):
    return helper.make_node(operator, inputs, [output], name=name, **attributes)


def write_model(out, name, nodes, weights, width):
    """`input_ids` [batch, sequence] in, `last_hidden_state` [batch, sequence, width] out."""
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", width])],
        [numpy_helper.from_array(np.asarray(values), key) for key, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(out / "model.onnx"))


def softmax(scores):
    """Of each row, in double precision."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def table(rows, columns, numbers, form="{:g}"):
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    return "\n".join([*lines, *(f"| {row} | " + " | ".join(form.format(value) for value in values) + " |" for row, values in zip(rows, numbers))])


def foot(name, out):
    return f"""* Tokenizer: words between blanks are tokens; a word that is not known is `{UNKNOWN}`, whose embedding is zero.
* Files: `model.onnx` ({(out / 'model.onnx').stat().st_size / 1000:.1f} kB; input `input_ids`, output `last_hidden_state`, opset {OPSET}), `tokenizer.json`, `tokenizer_config.json`, `config.json`.
* Built by `python scripts/models/build.py {name}` (pinned requirements in `scripts/models/requirements.txt`), this card included. Nothing is trained: it knows nothing but how the numbers go.

The weights are under the licence of this project.
"""
