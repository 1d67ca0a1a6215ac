"""The training loop of the code models: Muon on the matrices, Adam on the rest; resumes from its checkpoint, logs the loss."""

import json
import shutil
import time

import torch

WARM_UP = 30
DECAY = 0.35
MUON_RATE, EMBEDDING_RATE, BIAS_RATE, NORM_RATE = 0.02, 0.01, 0.01, 0.003


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


class Training:
    """A model with its optimizers and its checkpoint in the folder `work`."""

    def __init__(self, work, model, device):
        self.work, self.model, self.started = work, model, time.time()
        matrices = [parameter for parameter in model.layers.parameters() if parameter.dim() == 2]
        biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
        norms = [parameter for name, parameter in model.named_parameters() if parameter.dim() == 1 and not name.endswith("bias")]
        groups = [(model.embed_tokens.parameters(), EMBEDDING_RATE), (biases, BIAS_RATE), (norms, NORM_RATE)]
        self.muon = Muon(matrices)
        self.adam = torch.optim.Adam([{"params": list(members), "base": base} for members, base in groups], betas=(0.9, 0.95))
        self.first, self.spent, self.checkpoint = 0, 0.0, work / "checkpoint.pt"
        if self.checkpoint.exists():
            saved = torch.load(self.checkpoint, map_location=device)
            model.load_state_dict(saved["model"])
            self.muon.load_state_dict(saved["muon"])
            self.adam.load_state_dict(saved["adam"])
            self.first, self.spent = saved["step"], saved["seconds"]
        # Compiling halves the time of a step, where there is a compiler.
        self.running = torch.compile(model, dynamic=False) if shutil.which("g++") else model

    def seconds(self):
        return self.spent + time.time() - self.started

    def save(self, step):
        torch.save({
            "model": self.model.state_dict(), "muon": self.muon.state_dict(), "adam": self.adam.state_dict(), "step": step,
            "seconds": self.seconds(), "configuration": self.model.configuration,
        }, self.work / "checkpoint.new")
        (self.work / "checkpoint.new").replace(self.checkpoint)

    def run(self, minutes, steps, loss_of, held_out):
        """Trains to `steps` steps in all, or as far as `minutes` go; `loss_of(running, step)` gives a batch's loss, `held_out()` what the log gets beside it."""
        recent = []
        with open(self.work / "log.jsonl", "a", encoding="utf-8") as log:
            for step in range(self.first, steps):
                factor = rate(step, steps)
                for group in [*self.muon.param_groups, *self.adam.param_groups]:
                    group["lr"] = group.get("base", MUON_RATE) * factor
                loss = loss_of(self.running, step)
                loss.backward()
                self.muon.step()
                self.adam.step()
                self.model.zero_grad(set_to_none=True)
                recent.append(loss.item())
                done = step + 1 == steps or time.time() - self.started > 60 * minutes
                if (step + 1) % 25 == 0 or done:
                    entry = {"step": step + 1, "loss": sum(recent) / len(recent), "seconds": round(self.seconds())}
                    recent = []
                    if (step + 1) % 250 == 0 or done:
                        with torch.no_grad():
                            entry["held_out"] = held_out()
                    log.write(json.dumps(entry) + "\n")
                    log.flush()
                    print(entry, flush=True)
                if (step + 1) % 100 == 0 or done:
                    self.save(step + 1)
                if done:
                    break
