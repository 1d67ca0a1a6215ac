"""Trains one of the date models on a fresh batch of made-up pairs at every step; resumes from its checkpoint, logs the loss.

Adam; for the model whose module says so, Muon on the matrices of its layers.
"""

import json
import time

import torch
from torch.nn import functional

from shared.training import Muon

from .characters import source_rows, target_rows
from .forms import Draws, held_out

BATCH = 64
# Batches drawn together and sorted by length, so that little is padding.
TOGETHER = 16
DECAY = 0.6


def rate(step, kind, steps):
    """Warm-up, plateau, linear decay over the last part."""
    start = (1 - DECAY) * steps
    return min(1, (step + 1) / kind.WARM_UP) * (1 if step < start else max(0.01, 1 - (step - start) / (DECAY * steps)))


def batches(seed, first, random):
    """Batches of (source ids, mask, decoder inputs, targets), from step `first` on."""
    draws = Draws([seed, 1, first])
    while True:
        pairs = sorted((draws.pair() for _ in range(BATCH * TOGETHER)), key=lambda pair: len(pair[0]))
        for index in torch.randperm(TOGETHER, generator=random).tolist():
            texts, dates = zip(*pairs[index * BATCH:(index + 1) * BATCH])
            yield [torch.from_numpy(array) for array in (*source_rows(texts), *target_rows(dates))]


@torch.no_grad()
def held_out_measures(model, pairs):
    """Loss in nats a character, and the share of dates of which every character is the model's first guess."""
    ids, mask, given, wanted = (torch.from_numpy(array) for array in (*source_rows([text for text, _ in pairs]), *target_rows([date for _, date in pairs])))
    logits = model(ids, mask, given)
    return functional.cross_entropy(logits.flatten(0, 1), wanted.flatten()).item(), (logits.argmax(-1) == wanted).all(1).float().mean().item()


def main(kind, work, seed, minutes, steps=None):
    steps = steps or kind.STEPS
    work.mkdir(parents=True, exist_ok=True)
    started = time.time()
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model = kind.make().train()
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    matrices = [parameter for name, parameter in trained if kind.MUON_RATE and parameter.dim() == 2 and ".layers." in name]
    others = [parameter for _, parameter in trained if not any(parameter is matrix for matrix in matrices)]
    optimizers = {"adam": (torch.optim.Adam(others, lr=0.0, betas=(0.9, 0.98)), kind.RATE)}
    if matrices:
        optimizers["muon"] = (Muon(matrices, weight_decay=0.01), kind.MUON_RATE)
    first, spent, checkpoint = 0, 0.0, work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        for name, (optimizer, _) in optimizers.items():
            optimizer.load_state_dict(saved[name])
        first, spent = saved["step"], saved["seconds"]
    random = torch.Generator().manual_seed(seed + first)
    drawn = batches(seed, first, random)
    # None of these is ever trained on; the card's numbers come from others.
    watched = held_out(seed + 1000, 256, False)

    def save(step):
        state = {"model": model.state_dict(), "step": step, "seconds": spent + time.time() - started, "steps": steps}
        torch.save({**state, **{name: optimizer.state_dict() for name, (optimizer, _) in optimizers.items()}}, work / "checkpoint.new")
        (work / "checkpoint.new").replace(checkpoint)

    recent = []
    with open(work / "log.jsonl", "a", encoding="utf-8") as log:
        for step in range(first, steps):
            for optimizer, base in optimizers.values():
                for group in optimizer.param_groups:
                    group["lr"] = base * rate(step, kind, steps)
            ids, mask, given, wanted = next(drawn)
            loss = functional.cross_entropy(model(ids, mask, given).flatten(0, 1), wanted.flatten())
            model.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer, _ in optimizers.values():
                optimizer.step()
            recent.append(loss.item())
            done = step + 1 == steps or time.time() - started > 60 * minutes
            if (step + 1) % 50 == 0 or done:
                entry = {"step": step + 1, "loss": sum(recent) / len(recent), "seconds": round(spent + time.time() - started)}
                recent = []
                if (step + 1) % 250 == 0 or done:
                    entry["held_out"], entry["exact"] = held_out_measures(model, watched)
                log.write(json.dumps(entry) + "\n")
                log.flush()
                print(entry, flush=True)
            if (step + 1) % 100 == 0 or done:
                save(step + 1)
            if done:
                break
