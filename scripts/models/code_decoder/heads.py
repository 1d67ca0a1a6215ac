"""What each head attends to, from the shipped ONNX file: its softmax tensors are named as outputs of a copy in memory."""

import numpy as np
import onnx
import onnxruntime

from shared import onnx_files

KINDS = "()[]{}"


class Attention:
    """Runs the model and gives logits and the attention weights, [layer, head, query, key]."""

    def __init__(self, path):
        model = onnx.load(str(path))
        self.names = [node.output[0] for node in model.graph.node if node.op_type == "Softmax"]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in self.names)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def __call__(self, ids):
        row = np.array([ids], dtype=np.int64)
        logits, *weights = self.session.run(["logits", *self.names], onnx_files.feeds(self.session, row))
        return logits[0], np.stack(weights)[:, 0]


def previous_token(weights):
    """mean_i A_{i,i−1}."""
    return np.diagonal(weights, -1, 2, 3).mean(-1)


def entropy(weights):
    """mean_i −Σ_j A_ij log A_ij / log(i + 1)."""
    rows = -(weights * np.log(np.maximum(weights, 1e-30))).sum(-1)[..., 1:]
    return (rows / np.log(np.arange(2, weights.shape[2] + 1))).mean(-1)


def sink(weights):
    """The largest α_k = mean_{i ≥ k} A_ik of the columns that at least a quarter of the rows see."""
    length = weights.shape[2]
    columns = length * 3 // 4
    return (weights.sum(2) / np.arange(length, 0, -1))[..., :columns].max(-1)


def induction_rows(weights, ids):
    """Σ over the k ≤ i with x_{k−1} = x_i of A_ik, as [layer, head, query], and which queries have such a k."""
    ids = np.asarray(ids)
    follows = np.zeros((len(ids), len(ids)), dtype=bool)
    follows[:, 1:] = ids[:, None] == ids[None, :-1]
    follows &= np.tril(np.ones_like(follows))
    return (weights * follows).sum(-1), follows.any(-1)


def duplicate_token(weights, ids):
    """mean over the tokens that occurred before of the weight on their earlier occurrences."""
    ids = np.asarray(ids)
    same = np.tril(ids[:, None] == ids[None, :], -1)
    has = same.any(-1)
    return (weights * same).sum(-1)[..., has].mean(-1)


def bracket_pairs(kinds):
    """(closer, opener) positions of the brackets that match, by a stack; a mismatch empties it."""
    pairs, stack = [], []
    for position, kind in enumerate(kinds):
        if kind < 0:
            continue
        if kind % 2 == 0:
            stack.append((kind, position))
        elif stack and stack[-1][0] == kind - 1:
            pairs.append((position, stack.pop()[1]))
        else:
            stack.clear()
    return pairs


def at_distance(weights, distance):
    """Mean weight over all rows at this distance: what a head gives there whatever the tokens are."""
    return np.diagonal(weights, -distance, 2, 3).mean(-1)


def opener_kinds(tokens):
    return [KINDS.find(token.strip()) if len(token.strip()) == 1 else -1 for token in tokens]


def indentation(weights, tokens):
    """Mean weight from each line's first token on first tokens of earlier lines with the same indentation, and what any such distance gets."""
    starts, widths = [], []
    for position in range(1, len(tokens)):
        if tokens[position - 1].endswith("\n") and not tokens[position].endswith("\n"):
            blank = tokens[position].strip(" \t") == ""
            starts.append(position)
            widths.append(tokens[position] if blank else "")
    own, base, many = 0, 0, 0
    for later in range(1, len(starts)):
        same = [starts[earlier] for earlier in range(later) if widths[earlier] == widths[later]]
        if same:
            row = starts[later]
            own = own + weights[:, :, row, same].sum(-1)
            base = base + sum(at_distance(weights, row - key) for key in same[-40:])
            many += 1
    return own / max(many, 1), base / max(many, 1), many
