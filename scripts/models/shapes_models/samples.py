"""Draws the sample pictures that ship beside shapes-vit: of several sizes, square and not, never seen in training."""

import numpy as np

from .pictures import LABELS, draw

SAMPLES = (
    ("red circle", 256, 256), ("blue star", 320, 240), ("yellow triangle", 256, 256),
    ("green cross", 240, 320), ("purple ring", 384, 256), ("orange square", 192, 192),
)


def main(name, work, out, seed=2026):
    # One set of samples serves both models.
    if name != "shapes-vit":
        return
    folder = out / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for index, (label, width, height) in enumerate(SAMPLES):
        picture = draw(np.random.default_rng([seed, index]), width, height, LABELS.index(label), finer=3, most_grain=0)
        picture.save(folder / f"{label.replace(' ', '-')}.png", optimize=True)
    print({path.name: path.stat().st_size for path in sorted(folder.iterdir())})
