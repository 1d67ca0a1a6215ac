"""Trains the decoder: Muon on the matrices, Adam on the rest; resumes from its checkpoint, logs the loss."""

import json
import os
import shutil
import time

import numpy as np
import torch
from tokenizers import Tokenizer

from .batches import Rows
from .model import CONFIGURATION, Decoder

TOKENS_A_STEP = 2048
LONG = {256: 0.9, 1024: 0.1}
# Until which step: window lengths with how often each is drawn, and the shares of repeats, brackets and labelled code.
# Induction wants thousands of repetitions: a first phase of short windows, most of them repeats, gives them cheaply.
PHASES = (
    (450, {64: 1.0}, (0.60, 0.06, 0.04)),
    (900, {64: 1.0}, (0.40, 0.06, 0.04)),
    (10**9, LONG, (0.08, 0.05, 0.05)),
)
WARM_UP = 30
DECAY = 0.35
# The biases of queries and keys must grow large before a head can look one token back, and nowhere else.
MUON_RATE, EMBEDDING_RATE, BIAS_RATE, NORM_RATE = 0.02, 0.01, 0.04, 0.003


def orthogonal(matrix, steps=5):
    """The nearest orthogonal matrix, nearly: Newton-Schulz with the coefficients of Muon (Jordan et al. 2024)."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, momentum=0.95, weight_decay=0.02):
        super().__init__(parameters, {"lr": 0.0, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                buffer = self.state[parameter].setdefault("buffer", torch.zeros_like(parameter))
                buffer.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonal(parameter.grad.lerp(buffer, group["momentum"]))
                scale = max(1, parameter.shape[0] / parameter.shape[1]) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)


def rate(step, steps):
    """Warm-up, plateau, linear decay over the last part: the plateau may be prolonged by resuming with more steps."""
    start = (1 - DECAY) * steps
    return min(1, (step + 1) / WARM_UP) * (1 if step < start else max(0.02, 1 - (step - start) / (DECAY * steps)))


def held_out_batch(work, tokenizer, rows=24, length=512):
    """The same windows of held-out files at every call."""
    chosen = []
    with open(work / "heldout.jsonl", encoding="utf-8") as lines:
        for line in lines:
            ids = tokenizer.encode(json.loads(line)["text"]).ids
            if len(ids) > length:
                chosen.append(ids[:length + 1])
            if len(chosen) == rows:
                return torch.tensor(chosen)


def main(work, seed, minutes, device="cpu", steps=3000):
    started = time.time()
    torch.manual_seed(seed)
    torch.set_num_threads(int(os.environ.get("TRAIN_THREADS", "1")))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    model = Decoder().to(device)
    matrices = [parameter for name, parameter in model.layers.named_parameters() if parameter.dim() == 2]
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    norms = [parameter for name, parameter in model.named_parameters() if parameter.dim() == 1 and not name.endswith("bias")]
    groups = [(model.embed_tokens.parameters(), EMBEDDING_RATE), (biases, BIAS_RATE), (norms, NORM_RATE)]
    muon = Muon(matrices)
    adam = torch.optim.Adam([{"params": list(members), "base": base} for members, base in groups], betas=(0.9, 0.95))
    first, spent, checkpoint = 0, 0.0, work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        muon.load_state_dict(saved["muon"])
        if "adam" in saved:
            adam.load_state_dict(saved["adam"])
        first, spent = saved["step"], saved["seconds"]
    rows = Rows(np.fromfile(work / "train.bin", dtype=np.uint16), tokenizer, [seed, first])
    drawn = np.random.default_rng([seed, first, 1])
    held_out = held_out_batch(work, tokenizer).to(device)
    running = torch.compile(model, dynamic=False) if shutil.which("g++") else model

    def save(step):
        torch.save({
            "model": model.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(), "step": step,
            "seconds": spent + time.time() - started, "configuration": CONFIGURATION,
        }, work / "checkpoint.new")
        (work / "checkpoint.new").replace(checkpoint)

    log = open(work / "log.jsonl", "a", encoding="utf-8")
    recent = []
    for step in range(first, steps):
        _, lengths, shares = next(phase for phase in PHASES if step < phase[0])
        length = int(drawn.choice(list(lengths), p=list(lengths.values())))
        ids, targets = rows.batch(TOKENS_A_STEP // length, length, shares)
        factor = rate(step, steps)
        for group in [*muon.param_groups, *adam.param_groups]:
            group["lr"] = group.get("base", MUON_RATE) * factor
        loss = running(torch.from_numpy(ids).to(device), torch.from_numpy(targets).to(device))
        loss.backward()
        muon.step()
        adam.step()
        model.zero_grad(set_to_none=True)
        recent.append(loss.item())
        done = step + 1 == steps or time.time() - started > 60 * minutes
        if (step + 1) % 25 == 0 or done:
            entry = {"step": step + 1, "loss": sum(recent) / len(recent), "seconds": round(spent + time.time() - started)}
            recent = []
            if (step + 1) % 250 == 0 or done:
                with torch.no_grad():
                    entry["held_out"] = np.mean([model(part[:, :-1], part[:, 1:].contiguous()).item() for part in held_out.split(8)])
            log.write(json.dumps(entry) + "\n")
            log.flush()
            print(entry, flush=True)
        if (step + 1) % 100 == 0 or done:
            save(step + 1)
        if done:
            break
