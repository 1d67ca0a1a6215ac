"""Draws the training pictures and the held-out ones, each from random numbers of its own."""

import time

import numpy as np

from .pictures import LABELS, canvas, draw, seen

SIZE = 64
TRAINING, HELD_OUT = 1000 * len(LABELS), 100 * len(LABELS)


def pictures_of(seed, count, size=SIZE):
    """`count` pictures [count, size, size, 3] of bytes and their labels, every label equally often."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % len(LABELS))
    pixels = np.stack([np.asarray(seen(draw(random, *canvas(random), label), size)) for label in labels])
    return pixels, labels


def main(work, seed):
    work.mkdir(parents=True, exist_ok=True)
    started = time.time()
    for part, count, stream in (("held-out", HELD_OUT, 1), ("train", TRAINING, 0)):
        pixels, labels = pictures_of([seed, stream], count)
        np.save(work / f"{part}.npy", pixels)
        np.save(work / f"{part}-labels.npy", labels)
    print({"training pictures": TRAINING, "held-out pictures": HELD_OUT, "seconds": round(time.time() - started)})
