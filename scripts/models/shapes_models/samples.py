"""Draws the sample pictures that ship beside shapes-vit: of several sizes, square and not, never seen in training."""

import numpy as np

from .data import PATCH, SIZE, SMALLEST
from .pictures import LABELS, covered, draw, seen

SAMPLES = (
    ("red circle", 256, 256), ("blue star", 320, 240), ("yellow triangle", 256, 256),
    ("green cross", 240, 320), ("purple ring", 384, 256), ("orange square", 192, 192),
)


def sample(index, seed=2026):
    """The sample picture of that number: the first whose shape is as large as those of training."""
    label, width, height = SAMPLES[index]
    number = LABELS.index(label)
    for attempt in range(100):
        picture = draw(np.random.default_rng([seed, index, attempt]), width, height, number, finer=3, most_grain=0)
        if covered(np.asarray(seen(picture, SIZE))[None], [number], PATCH).sum() >= SMALLEST:
            return picture
    raise SystemExit(f"no picture of a {label} is large enough")


def main(name, work, out):
    # One set of samples serves both models.
    if name != "shapes-vit":
        return
    folder = out / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for index, (label, _, _) in enumerate(SAMPLES):
        sample(index).save(folder / f"{label.replace(' ', '-')}.png", optimize=True)
    print({path.name: path.stat().st_size for path in sorted(folder.iterdir())})
