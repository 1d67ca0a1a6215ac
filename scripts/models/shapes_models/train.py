"""Trains one of the vision models: Muon on the matrices, Adam on the rest; resumes from its checkpoint, logs the loss."""

import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as functional

from shared.training import Muon

from .models import CONFIGURATION, build, logits_of, normalised, token_logits_of
from .pictures import covered

BATCH = 64
STEPS = {"shapes-vit": 13400, "shapes-linear-vit": 2400}
WARM_UP = 60
MUON_RATE, ADAM_RATE = 0.02, 0.003
# Pixels that a batch is moved by at most.
SHIFT = 4
# The weight of what patches on the shape say of it beside what the class token says.
PATCHES = 0.5


class Loss(torch.nn.Module):
    """Cross-entropy of the class token, and of the patches on the shape through the same classifier (token labelling, Jiang et al. 2021)."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values, labels, shown):
        logits = token_logits_of(self.model, pixel_values)
        own = functional.cross_entropy(logits[:, 0], labels)
        each = functional.cross_entropy(logits[:, 1:].flatten(0, 1), labels.repeat_interleave(logits.shape[1] - 1), reduction="none")
        share = shown.flatten().float()
        return own, (each * share).sum() / share.sum()


def rate(step, steps):
    """Warm-up, then a straight way down to nothing."""
    return min(1, (step + 1) / WARM_UP) * max(0.01, 1 - step / steps)


def turned(pixels, turn):
    """A batch turned by quarters and mirrored: one of the eight ways that a square picture lies."""
    pixels = np.rot90(pixels, turn % 4, axes=(1, 2))
    return np.ascontiguousarray(pixels[:, :, ::-1] if turn >= 4 else pixels)


def shifted(pixels, down, right, most=SHIFT):
    """A batch moved by up to `most` pixels each way; what comes in at an edge repeats it."""
    side = pixels.shape[1]
    wide = np.pad(pixels, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    return np.ascontiguousarray(wide[:, most - down:most - down + side, most - right:most - right + side])


@torch.no_grad()
def accuracy(model, pixels, labels):
    model.eval()
    right = sum((logits_of(model, normalised(pixels[i:i + 200])).argmax(-1).numpy() == labels[i:i + 200]).sum() for i in range(0, len(labels), 200))
    model.train()
    return float(right) / len(labels)


def main(name, work, seed, minutes, steps=None):
    started = time.time()
    steps = steps or STEPS[name]
    torch.manual_seed(seed)
    torch.set_num_threads(int(os.environ.get("TRAIN_THREADS", "1")))
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    pixels, labels = np.load(work / "train.npy", mmap_mode="r"), torch.from_numpy(np.load(work / "train-labels.npy"))
    held_out = np.load(work / "held-out.npy")[:360], np.load(work / "held-out-labels.npy")[:360]
    model = build(name, "sdpa")
    matrices = [parameter for part, parameter in model.named_parameters() if parameter.dim() == 2 and ".layer" in f".{part}"]
    taken = {id(parameter) for parameter in matrices}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    muon = Muon(matrices)
    adam = torch.optim.Adam(rest, betas=(0.9, 0.98))
    first, spent, checkpoint = 0, 0.0, folder / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location="cpu")
        model.load_state_dict(saved["model"])
        muon.load_state_dict(saved["muon"])
        adam.load_state_dict(saved["adam"])
        first, spent = saved["step"], saved["seconds"]
    random = np.random.default_rng([seed, first])
    running = Loss(model)
    log = open(folder / "log.jsonl", "a", encoding="utf-8")
    recent = []
    for step in range(first, steps):
        # Sorted, since the pictures lie in a file.
        chosen = np.sort(random.choice(len(labels), BATCH, replace=False))
        batch, wanted = turned(pixels[chosen], int(random.integers(8))), labels[chosen]
        batch = shifted(batch, *random.integers(-SHIFT, SHIFT + 1, 2))
        shown = torch.from_numpy(covered(batch, wanted.numpy(), CONFIGURATION["patch_size"]))
        factor = rate(step, steps)
        for optimizer, base in ((muon, MUON_RATE), (adam, ADAM_RATE)):
            for group in optimizer.param_groups:
                group["lr"] = base * factor
        loss, patches = running(normalised(batch), wanted, shown)
        (loss + PATCHES * patches).backward()
        muon.step()
        adam.step()
        model.zero_grad(set_to_none=True)
        recent.append(loss.item())
        done = step + 1 == steps or time.time() - started > 60 * minutes
        if (step + 1) % 25 == 0 or done:
            entry = {"step": step + 1, "loss": sum(recent) / len(recent), "seconds": round(spent + time.time() - started)}
            recent = []
            if (step + 1) % 200 == 0 or done:
                entry["held_out"] = accuracy(model, *held_out)
            log.write(json.dumps(entry) + "\n")
            log.flush()
            print(entry, flush=True)
        if (step + 1) % 100 == 0 or done:
            torch.save({
                "model": model.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(), "step": step + 1,
                "steps": steps, "seconds": spent + time.time() - started,
            }, folder / "checkpoint.new")
            (folder / "checkpoint.new").replace(checkpoint)
        if done:
            break
