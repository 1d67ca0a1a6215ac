"""Trains the decoder on the rows of batches.py."""

import json
import os

import numpy as np
import torch
from tokenizers import Tokenizer

from shared.training import Training

from .batches import Rows
from .model import Decoder

TOKENS_A_STEP = 2048
LONG = {256: 0.9, 1024: 0.1}
# Until which step: window lengths with how often each is drawn, and the shares of repeats, brackets and labelled code.
# Induction wants thousands of repetitions: a first phase of short windows, most of them repeats, gives them cheaply. The last
# phase has more brackets: with few of them, several heads share the work and none does it well.
PHASES = (
    (450, {64: 1.0}, (0.60, 0.06, 0.04)),
    (900, {64: 1.0}, (0.40, 0.06, 0.04)),
    (3400, LONG, (0.08, 0.05, 0.05)),
    (10**9, LONG, (0.06, 0.18, 0.16)),
)


def held_out_windows(work, tokenizer, rows, length):
    """The same windows of held-out files at every call, as ids [row, length]."""
    chosen = []
    with open(work / "heldout.jsonl", encoding="utf-8") as lines:
        for line in lines:
            ids = tokenizer.encode(json.loads(line)["text"]).ids
            if len(ids) >= length:
                chosen.append(ids[:length])
            if len(chosen) == rows:
                break
    return torch.tensor(chosen)


def main(work, seed, minutes, device="cpu", steps=3000):
    torch.manual_seed(seed)
    torch.set_num_threads(int(os.environ.get("TRAIN_THREADS", "1")))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    model = Decoder().to(device)
    training = Training(work, model, device)
    rows = Rows(np.fromfile(work / "train.bin", dtype=np.uint16), tokenizer, [seed, training.first])
    drawn = np.random.default_rng([seed, training.first, 1])
    held_out = held_out_windows(work, tokenizer, 24, 513).to(device)

    def loss_of(running, step):
        _, lengths, shares = next(phase for phase in PHASES if step < phase[0])
        length = int(drawn.choice(list(lengths), p=list(lengths.values())))
        ids, targets = rows.batch(TOKENS_A_STEP // length, length, shares)
        return running(torch.from_numpy(ids).to(device), torch.from_numpy(targets).to(device))

    def held_out_loss():
        return float(np.mean([model(part[:, :-1], part[:, 1:].contiguous()).item() for part in held_out.split(8)]))

    training.run(minutes, steps, loss_of, held_out_loss)
