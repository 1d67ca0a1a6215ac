"""Measures the shipped files on pictures that training never saw, and writes the model card with its pictures and the tests' fixtures."""

import gzip
import json
import pathlib

import matplotlib
import numpy as np
import torch
from safetensors.torch import save_file

from shared.onnx_files import HALF_FROM_ELEMENTS

from .card import write_card
from .data import SMALLEST
from .export import session_of, shipped_logits
from .models import CONFIGURATION, attentions_of, logits_of, normalised, restored
from .pictures import COLOURS, LABELS, SHAPES, covered, seen
from .samples import SAMPLES, sample

# Pictures that the baselines learn from.
LEARNT = 8000
# Pictures of the tests: as many of each label; bits of each colour channel that are kept.
OF_A_LABEL, BITS = 8, 5
FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "test" / "fixtures" / "shapes"


def full_logits(model, pixels):
    with torch.no_grad():
        return np.concatenate([logits_of(model, normalised(pixels[i:i + 200])).numpy() for i in range(0, len(pixels), 200)])


def colour_histograms(pixels):
    """How often each of 512 colours occurs in a picture."""
    codes = (pixels >> 5).astype(np.int64) @ np.array([64, 8, 1])
    return np.stack([np.bincount(each.ravel(), minlength=512) for each in codes]).astype(np.float32) ** 0.5


def nearest_histogram(train, labels, pixels):
    known, asked = colour_histograms(train), colour_histograms(pixels)
    known, asked = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (known, asked))
    return labels[(asked @ known.T).argmax(1)]


def reduced(pixels, times=4):
    count, side = len(pixels), pixels.shape[1] // times
    return torch.from_numpy(pixels.reshape(count, side, times, side, times, 3).mean((2, 4)).reshape(count, -1)).float() / 127.5 - 1


def logistic_regression(train, labels, pixels, steps=300):
    """On the pixels reduced to 16 × 16."""
    torch.manual_seed(0)
    model = torch.nn.Linear(reduced(train[:1]).shape[1], len(LABELS))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    inputs, wanted = reduced(train), torch.from_numpy(labels)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), wanted).backward()
        optimizer.step()
    with torch.no_grad():
        return model(reduced(pixels)).argmax(1).numpy()


def shares(given, wanted):
    """Accuracy of the label, of its colour and of its shape."""
    per = len(SHAPES)
    return [float((given == wanted).mean()), float((given // per == wanted // per).mean()), float((given % per == wanted % per).mean())]


def accuracies(name, work, out, model):
    pixels, labels = np.load(work / "held-out.npy"), np.load(work / "held-out-labels.npy")
    train, train_labels = np.load(work / "train.npy", mmap_mode="r")[:LEARNT], np.load(work / "train-labels.npy")[:LEARNT]
    given = shipped_logits(session_of(out / "model.onnx"), pixels).argmax(1)
    exact = full_logits(model, pixels).argmax(1)
    size = covered(pixels, labels, CONFIGURATION["patch_size"]).sum((1, 2))
    return {
        "held_out": len(labels), "training": len(np.load(work / "train-labels.npy")), "shipped": shares(given, labels), "full": shares(exact, labels), "agree": float((given == exact).mean()),
        "nearest histogram": shares(nearest_histogram(train, train_labels, pixels), labels),
        "logistic regression": shares(logistic_regression(train, train_labels, pixels), labels),
        "by shape": {shape: float((given == labels)[labels % len(SHAPES) == i].mean()) for i, shape in enumerate(SHAPES)},
        "by colour": {colour: float((given == labels)[labels // len(SHAPES) == i].mean()) for i, colour in enumerate(COLOURS)},
        "by size": {bounds: float((given == labels)[(size >= bounds[0]) & (size < bounds[1])].mean()) for bounds in ((SMALLEST, 10), (10, 14), (14, 65))},
    }


def on_shape(work, model, count=360):
    """The share of the class token's attention that lies on the shape, [layer][head], and the share of patches that do."""
    pixels, labels = np.load(work / "held-out.npy", mmap_mode="r")[:count], np.load(work / "held-out-labels.npy")[:count]
    shown = torch.from_numpy(covered(pixels, labels, CONFIGURATION["patch_size"])).flatten(1).float()
    patterns = attentions_of(model, normalised(pixels))
    return [(each[:, :, 0, 1:] * shown[:, None]).sum(-1).mean(0).tolist() for each in patterns], float(shown.mean())


def draw_loss(folder, path):
    matplotlib.use("Agg")
    from matplotlib import pyplot

    log = [json.loads(line) for line in open(folder / "log.jsonl", encoding="utf-8")]
    figure, axes = pyplot.subplots(figsize=(7, 3), dpi=90)
    axes.plot([entry["step"] for entry in log], [entry["loss"] for entry in log], lw=1, label="loss, training pictures")
    axes.set(xlabel="step", ylabel="cross-entropy, nats", ylim=(0, 3.7))
    axes.grid(alpha=0.3)
    held, beside = [entry for entry in log if "held_out" in entry], axes.twinx()
    beside.plot([entry["step"] for entry in held], [100 * entry["held_out"] for entry in held], "o-", ms=3, color="C1", label="accuracy, held-out pictures")
    beside.set(ylabel="%", ylim=(0, 101))
    figure.legend(loc="center", bbox_to_anchor=(0.55, 0.55))
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def draw_attention(model, path, count=4):
    """Sample pictures as the model sees them, and beside each what the class token attends to, the mean over heads, for every layer."""
    from matplotlib import pyplot

    side, layers = CONFIGURATION["image_size"], CONFIGURATION["num_hidden_layers"]
    grid = side // CONFIGURATION["patch_size"]
    figure, axes = pyplot.subplots(count, layers + 1, figsize=(1.5 * (layers + 1), 1.5 * count + 0.2), dpi=80)
    for index in range(count):
        picture = np.asarray(seen(sample(index), side))
        axes[index][0].imshow(picture)
        for layer, pattern in enumerate(attentions_of(model, normalised(picture[None]))):
            lit = pattern[0, :, 0, 1:].mean(0).view(grid, grid).numpy()
            axes[index][layer + 1].imshow(picture.mean(-1), cmap="gray", vmin=-60, vmax=400)
            axes[index][layer + 1].imshow(lit / lit.max(), cmap="magma", alpha=0.75, extent=(-0.5, side - 0.5, side - 0.5, -0.5))
            axes[0][layer + 1].set_title(f"layer {layer}", fontsize=9)
    for each in axes.flat:
        each.axis("off")
    figure.tight_layout(pad=0.3)
    figure.savefig(path)
    pyplot.close(figure)


def write_fixtures(name, work, out, saved_model):
    """Held-out pictures in few bits with their labels, and what PyTorch attends to with the weights as they are shipped."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    pixels, labels = np.load(work / "held-out.npy", mmap_mode="r"), np.load(work / "held-out-labels.npy")
    # The first of each label, in the order in which they lie.
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == label)[:OF_A_LABEL] for label in range(len(LABELS))]))
    few = np.asarray(pixels[chosen]) >> (8 - BITS)
    # Channels one by one, so that neighbours are alike and compress well.
    content = np.concatenate([labels[chosen].astype(np.uint8), few.transpose(0, 3, 1, 2).ravel()])
    (FIXTURES / "heldOut.bin.gz").write_bytes(gzip.compress(content.tobytes(), 9, mtime=0))
    (FIXTURES / "heldOut.json").write_text(json.dumps({"count": len(chosen), "side": CONFIGURATION["image_size"], "bits": BITS}) + "\n")
    with torch.no_grad():
        for parameter in saved_model.parameters():
            if parameter.numel() >= HALF_FROM_ELEMENTS:
                parameter.copy_(parameter.half().float())
    values = normalised(np.asarray(pixels[chosen[:1]]))
    tensors = {f"attention.{layer}": pattern.contiguous() for layer, pattern in enumerate(attentions_of(saved_model, values))}
    with torch.no_grad():
        tensors["logits"] = logits_of(saved_model, values)
    save_file({"in.pixel_values": values.contiguous(), **tensors}, str(FIXTURES / f"{name}.safetensors"))
    # Pictures in few bits are other pictures: the accuracy that the tests find.
    widened = ((few.astype(np.uint16) * 255 + 15) // 31).astype(np.uint8)
    right = shipped_logits(session_of(out / "model.onnx"), widened).argmax(1) == labels[chosen]
    print({"pictures of the tests": len(chosen), "bytes": (FIXTURES / "heldOut.bin.gz").stat().st_size, "accuracy": float(right.mean())})


def main(name, work, out):
    torch.set_num_threads(1)
    model, saved = restored(name, work)
    measured = accuracies(name, work, out, model)
    attended, area = on_shape(work, model)
    measured |= {"on shape": attended, "area": area, "step": saved["step"], "seconds": saved["seconds"], "parameters": sum(p.numel() for p in model.parameters())}
    (work / name / "measured.json").write_text(json.dumps({key: value for key, value in measured.items() if key != "by size"}, indent=1) + "\n")
    draw_loss(work / name, out / "loss.png")
    draw_attention(model, out / "attention.png")
    write_card(name, out, measured)
    write_fixtures(name, work, out, model)
    print(measured)
