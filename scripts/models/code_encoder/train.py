"""Trains the encoder to fill in masked tokens (Devlin et al. 2019; the share masked after Wettig et al. 2023)."""

import os

import numpy as np
import torch
from tokenizers import Tokenizer

from code_decoder.batches import Rows
from code_decoder.model import CONFIGURATION as DECODER
from code_decoder.model import Decoder
from code_decoder.train import held_out_windows
from shared.training import Training

from .data import CLS, FIRST_SPECIAL, MASK, SEP, SPECIAL

CONFIGURATION = {**DECODER, "vocab_size": FIRST_SPECIAL + len(SPECIAL)}
# Heads that begin with a look at the token after: (layer, head, tokens back). code-decoder, whose weights this model begins
# with, has heads for the token before and cannot have these.
LOOK_AHEAD = ((0, 1, -1), (0, 3, -2), (1, 0, -1))
TOKENS_A_STEP = 2048
MASKED = 0.3
# Window lengths with how often each is drawn, and the shares of repeats, brackets and labelled code (batches.py).
LENGTHS = {256: 0.9, 1024: 0.1}
SHARES = (0.05, 0.03, 0.0)


def begin_with_decoder(model, work):
    """Takes the weights of code-decoder, as encoders are made from decoders (BehnamGhader et al. 2024, arXiv 2404.05961), where there are any."""
    checkpoint = work.parent / "code-decoder" / "checkpoint.pt"
    if not checkpoint.exists():
        return
    state = torch.load(checkpoint, map_location="cpu")["model"]
    known = state["embed_tokens.weight"]
    added = known.mean(0) + 0.1 * torch.randn(len(SPECIAL), known.shape[1])
    model.load_state_dict({**state, "embed_tokens.weight": torch.cat([known, added])})
    for layer, head, back in LOOK_AHEAD:
        model.layers[layer].self_attn.look_back(head, back, model.frequencies)


def masked(ids, share, random):
    """(ids with some hidden, their positions [row, many], what stood there): of the chosen 80 % become [MASK], 10 % another token, 10 % stay."""
    rows, length = ids.shape
    many = max(1, int(share * (length - 2)))
    # Never the first or the last, which are [CLS] and [SEP].
    chosen = 1 + np.sort(np.argsort(random.random((rows, length - 2)), -1)[:, :many], -1)
    wanted = np.take_along_axis(ids, chosen, -1)
    kind = random.random(chosen.shape)
    hidden = np.where(kind < 0.8, MASK, np.where(kind < 0.9, random.integers(1, FIRST_SPECIAL, chosen.shape), wanted))
    changed = ids.copy()
    np.put_along_axis(changed, chosen, hidden, -1)
    return changed, chosen, wanted


def framed(windows):
    """[CLS] window [SEP], with [SEP] where a file ends."""
    windows = np.where(windows == 0, SEP, windows)
    edge = np.ones((len(windows), 1), dtype=np.int64)
    return np.concatenate([CLS * edge, windows, SEP * edge], -1)


def main(work, seed, minutes, device="cpu", steps=4000):
    torch.manual_seed(seed)
    torch.set_num_threads(int(os.environ.get("TRAIN_THREADS", "1")))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    model = Decoder(CONFIGURATION, LOOK_AHEAD, is_causal=False)
    begin_with_decoder(model, work)
    model.to(device)
    training = Training(work, model, device)
    rows = Rows(np.fromfile(work / "train.bin", dtype=np.uint16), tokenizer, [seed, training.first])
    random = np.random.default_rng([seed, training.first, 1])

    def tensors(parts):
        return [torch.from_numpy(part).to(device) for part in parts]

    windows = held_out_windows(work, tokenizer, 24, 512).numpy()
    held_out = tensors(masked(framed(windows[:, 1:-1]), 0.15, np.random.default_rng(seed)))

    def loss_of(running, step):
        length = int(random.choice(list(LENGTHS), p=list(LENGTHS.values())))
        ids, _ = rows.batch(TOKENS_A_STEP // length, length - 1, SHARES)
        ids, chosen, wanted = tensors(masked(framed(ids[:, 1:]), MASKED, random))
        return running(ids, wanted, chosen)

    def held_out_loss():
        return float(np.mean([model(ids, wanted, chosen).item() for ids, chosen, wanted in zip(*(part.split(8) for part in held_out))]))

    training.run(minutes, steps, loss_of, held_out_loss)
