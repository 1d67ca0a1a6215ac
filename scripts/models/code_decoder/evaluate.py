"""Measures the shipped files on the held-out packages and writes the model card and its picture."""

import collections
import gzip
import json
import lzma
import pathlib
import subprocess

import matplotlib
import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer

from shared import onnx_files

from . import heads
from .card import write_card
from .export import reference
from .ngram import NGram

CONTEXT, STRIDE = 1024, 512
# Held-out bytes of each language that are read, at most.
BYTES_EACH = 60_000
NGRAM_ORDER = 5
LANGUAGES = ("Python", "TypeScript", "JavaScript", "JSON", "Markdown")


def held_out_files(work):
    """The same files at every call: whole packages that training never saw, at most BYTES_EACH of a language."""
    files = [json.loads(line) for line in open(work / "heldout.jsonl", encoding="utf-8")]
    room = collections.Counter({language: BYTES_EACH for language in LANGUAGES})
    chosen = []
    for file in files:
        size = len(file["text"].encode())
        if size <= 25_000 and size <= room[file["language"]]:
            room[file["language"]] -= size
            chosen.append(file)
    return chosen


def bits_of(run, ids):
    """−log₂ P of every token of a file but <|endoftext|>; windows of CONTEXT tokens, each token with at least STRIDE before it if there are."""
    bits, start, done = [], 0, 1
    while done < len(ids):
        # Every window begins with <|endoftext|>, as in training and in the editor.
        window = ids[start:start + CONTEXT] if start == 0 else [ids[0], *ids[start:start + CONTEXT - 1]]
        first = done - start + (start > 0)
        logits = run(window)
        taken = np.arange(first, len(window))
        rows = logits[taken - 1].astype(np.float64)
        rows -= rows.max(-1, keepdims=True)
        chosen = rows[np.arange(len(taken)), np.array(window)[taken]]
        bits.append((np.log(np.exp(rows).sum(-1)) - chosen) / np.log(2))
        done = start + len(window) - (start > 0)
        start += STRIDE
    return np.concatenate(bits)


def compression(work, out, tokenizer):
    """Bits per byte of each language and of all: the model, gzip, xz, the n-gram model; and of the weights in full precision."""
    files = held_out_files(work)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(out / "model.onnx"), options, providers=["CPUExecutionProvider"])
    full, _ = reference(work, "sdpa")

    def shipped(window):
        row = np.array([window], dtype=np.int64)
        return session.run(["logits"], onnx_files.feeds(session, row))[0][0]

    def exact(window):
        with torch.no_grad():
            return full(input_ids=torch.tensor([window])).logits[0].numpy()

    ngram = NGram(np.fromfile(work / "train.bin", dtype=np.uint16), NGRAM_ORDER, tokenizer.get_vocab_size())
    totals = {language: collections.Counter() for language in LANGUAGES}
    precision = collections.Counter()
    for index, file in enumerate(files):
        data = file["text"].encode()
        ids = tokenizer.encode(file["text"]).ids
        total = totals[file["language"]]
        measured = bits_of(shipped, ids)
        total["model"] += measured.sum()
        total["ngram"] += ngram.bits(np.array(ids, dtype=np.uint16)).sum()
        total["gzip"] += 8 * len(gzip.compress(data, 9))
        total["xz"] += 8 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
        total["bytes"] += len(data)
        total["tokens"] += len(ids) - 1
        total["files"] += 1
        if index % 4 == 0:
            precision["shipped"] += measured.sum()
            precision["full"] += bits_of(exact, ids).sum()
            precision["bytes"] += len(data)
    totals["all"] = sum((totals[language] for language in LANGUAGES), collections.Counter())
    # One archive of all these files: what a compressor gains from its neighbours, which the others do not see.
    everything = b"".join(file["text"].encode() for file in files)
    archives = {"gzip": 8 * len(gzip.compress(everything, 9)) / len(everything), "xz": 8 * len(lzma.compress(everything, preset=9)) / len(everything)}
    rows = {
        language: {
            **{name: total[name] / total["bytes"] for name in ("model", "ngram", "gzip", "xz")},
            "bytes": total["bytes"], "files": total["files"], "bytes_a_token": total["bytes"] / total["tokens"],
            "perplexity": 2 ** (total["model"] / total["tokens"]),
        }
        for language, total in totals.items()
    }
    return {
        "rows": rows, "archives": archives,
        "precision": {"shipped": precision["shipped"] / precision["bytes"], "full": precision["full"] / precision["bytes"]},
    }


def head_metrics(work, out, tokenizer, seed=7):
    """The metrics of every head, as [layer][head] lists."""
    attention = heads.Attention(out / "model.onnx")
    random = np.random.default_rng(seed)
    result, loss = collections.defaultdict(list), []
    for size, times in ((32, 4), (64, 3), (100, 2), (100, 4)):
        for _ in range(3):
            segment = random.choice(np.arange(1, tokenizer.get_vocab_size()), size, replace=False)
            ids = [0, *np.tile(segment, times).tolist()]
            logits, weights = attention(ids)
            share, has = heads.induction_rows(weights, ids)
            result[f"induction {size}x{times}"].append(share[..., has].mean(-1))
            result["induction"].append(share[..., has].mean(-1))
            result[f"induction over all rows {size}x{times}"].append(share.mean(-1))
            loss.append(np.mean(logits[size + 1:-1].argmax(-1) == np.array(ids[size + 2:])))
    pairs_seen = collections.Counter()
    matched = collections.defaultdict(lambda: 0)
    files = [file for file in held_out_files(work) if file["language"] in ("Python", "TypeScript", "JavaScript", "JSON")][:60]
    for file in files:
        encoding = tokenizer.encode(file["text"])
        ids = encoding.ids[:512]
        tokens = [file["text"][start:end] for start, end in encoding.offsets[:512]]
        if len(ids) < 128:
            continue
        _, weights = attention(ids)
        result["previous token"].append(heads.previous_token(weights))
        result["entropy"].append(heads.entropy(weights))
        result["sink"].append(heads.sink(weights))
        result["duplicate token"].append(heads.duplicate_token(weights, ids))
        own, base, many = heads.indentation(weights, tokens)
        if many >= 8:
            result["indentation"].append(own)
            result["indentation baseline"].append(base)
        for closer, opener in heads.bracket_pairs(heads.opener_kinds(tokens)):
            distance = closer - opener
            for name in ("bracket", "bracket, three tokens apart or more") if distance > 2 else ("bracket",):
                matched[name] = matched[name] + weights[:, :, closer, opener]
                matched[f"{name}, baseline"] = matched[f"{name}, baseline"] + heads.at_distance(weights, distance)
                pairs_seen[name] += 1
    metrics = {name: np.mean(values, 0) for name, values in result.items()}
    for name, many in pairs_seen.items():
        metrics[name] = matched[name] / many
        metrics[f"{name}, baseline"] = matched[f"{name}, baseline"] / many
    return {name: value.tolist() for name, value in metrics.items()}, dict(pairs_seen), float(np.mean(loss))


def picture(work, path):
    matplotlib.use("Agg")
    from matplotlib import pyplot

    log = [json.loads(line) for line in open(work / "log.jsonl", encoding="utf-8")]
    figure, axes = pyplot.subplots(figsize=(7, 3.2), dpi=90)
    axes.plot([entry["step"] for entry in log], [entry["loss"] for entry in log], lw=1, label="training mix")
    held = [entry for entry in log if "held_out" in entry]
    axes.plot([entry["step"] for entry in held], [entry["held_out"] for entry in held], "o-", ms=3, label="held-out code")
    axes.set(xlabel="step", ylabel="loss, nats a token", ylim=(1.5, 6.5))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def speed(out):
    """Milliseconds a run of 256 tokens in onnxruntime-web on one thread, where Node and the package are at hand."""
    script = pathlib.Path(__file__).with_name("time.mjs")
    done = subprocess.run(["node", str(script), str(out / "model.onnx")], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def main(work, out):
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    metrics, pairs, copied = head_metrics(work, out, tokenizer)
    for name in ("previous token", "induction", "bracket", "bracket, three tokens apart or more", "indentation", "duplicate token", "sink"):
        values = np.array(metrics[name])
        layer, head = np.unravel_index(values.argmax(), values.shape)
        beside = metrics.get(f"{name}, baseline", metrics.get(f"{name} baseline"))
        print(f"{name:40} {values.max():.3f} at layer {layer} head {head}", "" if beside is None else f"baseline {beside[layer][head]:.4f}")
    measured = {
        "heads": metrics, "pairs": pairs, "copied": copied, "compression": compression(work, out, tokenizer),
        "speed": speed(out), "bytes": (out / "model.onnx").stat().st_size,
        "training": [json.loads(line) for line in open(work / "log.jsonl", encoding="utf-8")][-1],
    }
    (work / "evaluation.json").write_text(json.dumps(measured, indent=1))
    picture(work, out / "loss.png")
    write_card(work, out, measured)
    for language, row in measured["compression"]["rows"].items():
        print(language, {name: round(value, 3) for name, value in row.items()})
    print(measured["compression"]["precision"], measured["speed"])
