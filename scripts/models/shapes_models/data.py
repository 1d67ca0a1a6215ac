"""Draws the training pictures and the held-out ones, each from random numbers of its own."""

import time

import numpy as np

from .pictures import LABELS, canvas, covered, draw, seen

SIZE, PATCH = 64, 8
# Pictures drawn, and the patches that a shape must show in: smaller ones are left out.
TRAINING, HELD_OUT, SMALLEST = 1000 * len(LABELS), 100 * len(LABELS), 7


def pictures_of(seed, count, size=SIZE):
    """Of `count` pictures [picture, size, size, 3] of bytes, drawn for every label equally often, those whose shape is not too small, and their labels."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % len(LABELS))
    pixels = np.stack([np.asarray(seen(draw(random, *canvas(random), label), size)) for label in labels])
    kept = np.concatenate([covered(pixels[i:i + 500], labels[i:i + 500], PATCH).sum((1, 2)) >= SMALLEST for i in range(0, count, 500)])
    return pixels[kept], labels[kept]


def balanced(pixels, labels):
    """As many pictures of every label as there are of the rarest, the first of each."""
    many = np.bincount(labels, minlength=len(LABELS)).min()
    kept = np.sort(np.concatenate([np.flatnonzero(labels == label)[:many] for label in range(len(LABELS))]))
    return pixels[kept], labels[kept]


def main(work, seed):
    work.mkdir(parents=True, exist_ok=True)
    started = time.time()
    held_out, training = balanced(*pictures_of([seed, 1], HELD_OUT)), pictures_of([seed, 0], TRAINING)
    for part, (pixels, labels) in (("held-out", held_out), ("train", training)):
        np.save(work / f"{part}.npy", pixels)
        np.save(work / f"{part}-labels.npy", labels)
    print({"training pictures": len(training[1]), "held-out pictures": len(held_out[1]), "seconds": round(time.time() - started)})
