"""Measures the shipped files on the held-out packages and writes the model card and its picture."""

import collections
import json

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer

from code_decoder import heads
from code_decoder.evaluate import LANGUAGES, held_out_files, picture, speed

from .card import write_card
from .data import CLS, FIRST_SPECIAL, SEP
from .export import reference
from .train import framed, masked

WINDOW = 256
MASKED = 0.15


def held_out_rows(work, tokenizer):
    """(language, ids [WINDOW] with [CLS] and [SEP]) of the held-out files, whole windows only."""
    for file in held_out_files(work):
        ids = np.array(tokenizer.encode(file["text"], add_special_tokens=False).ids)
        for start in range(0, len(ids) - WINDOW + 3, WINDOW - 2):
            yield file["language"], framed(ids[None, start:start + WINDOW - 2])[0]


class Neighbours:
    """The token seen most often between these two neighbours in the training text, else after the left one, else of all."""

    def __init__(self, ids):
        ids = ids.astype(np.int64)
        self.commonest = int(np.bincount(ids[ids != 0]).argmax())
        self.between = self.table((ids[:-2] << 12) | ids[2:], ids[1:-1])
        self.after = self.table(ids[:-1], ids[1:])

    @staticmethod
    def table(contexts, tokens):
        pairs, counts = np.unique((contexts << 12) | tokens, return_counts=True)
        order = np.lexsort((counts, pairs >> 12))
        last = np.flatnonzero(np.diff((pairs >> 12)[order], append=-1))
        return dict(zip((pairs >> 12)[order][last].tolist(), (pairs & 4095)[order][last].tolist()))

    def guess(self, left, right):
        return self.between.get((left << 12) | right, self.after.get(left, self.commonest))


def accuracy(work, out, tokenizer):
    """Share of masked tokens that the top guess gives back, by language: the model, the neighbours, the weights in full precision; and bits a masked token."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(out / "model.onnx"), options, providers=["CPUExecutionProvider"])
    full, _ = reference(work, "sdpa")
    neighbours = Neighbours(np.fromfile(work / "train.bin", dtype=np.uint16))
    random = np.random.default_rng(11)
    totals = {language: collections.Counter() for language in LANGUAGES}
    rows = list(held_out_rows(work, tokenizer))
    for index, (language, row) in enumerate(rows):
        hidden, chosen, wanted = masked(row[None], MASKED, random)
        logits = session.run(["logits"], {"input_ids": hidden, "attention_mask": np.ones_like(hidden)})[0][0, chosen[0]].astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        total = totals[language]
        total["model"] += (logits.argmax(-1) == wanted[0]).sum()
        total["bits"] += ((np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(wanted[0])), wanted[0]]) / np.log(2)).sum()
        # The baseline sees the true neighbours, hidden ones too.
        total["neighbours"] += sum(neighbours.guess(int(row[at - 1]), int(row[at + 1])) == row[at] for at in chosen[0])
        total["commonest"] += (wanted[0] == neighbours.commonest).sum()
        total["tokens"] += len(wanted[0])
        if index % 4 == 0:
            with torch.no_grad():
                exact = full(input_ids=torch.from_numpy(hidden)).logits[0, chosen[0]].argmax(-1).numpy()
            total["full"] += (exact == wanted[0]).sum()
            total["shipped"] += (logits.argmax(-1) == wanted[0]).sum()
            total["checked"] += len(wanted[0])
    totals["all"] = sum((totals[language] for language in LANGUAGES), collections.Counter())
    return {
        "rows": {language: {**{name: total[name] / total["tokens"] for name in ("model", "neighbours", "commonest", "bits")}, "tokens": total["tokens"]} for language, total in totals.items()},
        "precision": {name: totals["all"][name] / totals["all"]["checked"] for name in ("shipped", "full")},
    }


def head_metrics(work, out, tokenizer):
    """The metrics of every head on unmasked held-out code, as [layer][head] lists."""
    attention = heads.Attention(out / "model.onnx")
    result, pairs = collections.defaultdict(list), 0
    matched = collections.defaultdict(lambda: 0)
    for file in [file for file in held_out_files(work) if file["language"] != "Markdown"][:50]:
        encoding = tokenizer.encode(file["text"], add_special_tokens=False)
        ids = [CLS, *encoding.ids[:382], SEP]
        tokens = ["", *(file["text"][start:end] for start, end in encoding.offsets[:382]), ""]
        if len(ids) < 128:
            continue
        _, weights = attention(ids)
        result["previous token"].append(heads.previous_token(weights))
        result["next token"].append(heads.at_distance(weights, -1))
        result["self"].append(heads.at_distance(weights, 0))
        result["[CLS] and [SEP]"].append(weights[:, :, 1:-1, [0, -1]].sum(-1).mean(-1))
        line_end = [position for position, token in enumerate(tokens) if token.endswith("\n")]
        result["line ends"].append(weights[:, :, 1:-1][..., line_end].sum(-1).mean(-1))
        same = np.array(ids)[:, None] == np.array(ids)[None]
        np.fill_diagonal(same, False)
        result["same token elsewhere"].append((weights * same).sum(-1)[..., same.any(-1)].mean(-1))
        rows = -(weights * np.log(np.maximum(weights, 1e-30))).sum(-1)
        result["entropy"].append(rows.mean(-1) / np.log(len(ids)))
        for closer, opener in heads.bracket_pairs(heads.opener_kinds(tokens)):
            for name, query, key in (("closing → opening bracket", closer, opener), ("opening → closing bracket", opener, closer)):
                matched[name] = matched[name] + weights[:, :, query, key]
                matched[f"{name}, baseline"] = matched[f"{name}, baseline"] + heads.at_distance(weights, query - key)
            pairs += 1
    metrics = {name: np.mean(values, 0) for name, values in result.items()}
    metrics.update({name: value / pairs for name, value in matched.items()})
    return {name: value.tolist() for name, value in metrics.items()}, pairs


def main(work, out):
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == FIRST_SPECIAL + 4
    metrics, pairs = head_metrics(work, out, tokenizer)
    measured = {
        "heads": metrics, "pairs": pairs, "accuracy": accuracy(work, out, tokenizer), "speed": speed(out), "bytes": (out / "model.onnx").stat().st_size,
        "training": [json.loads(line) for line in open(work / "log.jsonl", encoding="utf-8")][-1],
    }
    (work / "evaluation.json").write_text(json.dumps(measured, indent=1))
    picture(work, out / "loss.png")
    write_card(work, out, measured)
    for language, row in measured["accuracy"]["rows"].items():
        print(language, {name: round(value, 3) for name, value in row.items()})
    for name, values in metrics.items():
        print(f"{name:40} {np.array(values).max():.3f}")
