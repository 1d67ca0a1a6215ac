"""Draws pictures of one coloured shape among thin lines and dots: what both vision models learn from."""

import colorsys
import math

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("circle", "ring", "square", "triangle", "star", "cross")
# Hues in degrees.
COLOURS = {"red": 0, "orange": 30, "yellow": 56, "green": 125, "blue": 220, "purple": 285}
LABELS = tuple(f"{colour} {shape}" for colour in COLOURS for shape in SHAPES)
HUE_JITTER = 8
# The radius of a shape, as a share of the picture's shorter side.
RADII = (0.13, 0.32)


def rgb(hue, saturation, value):
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def outline(shape):
    """The corners of a shape that fits in the unit circle; None for the round ones."""
    if shape in ("circle", "ring"):
        return None
    if shape in ("square", "triangle"):
        corners = 4 if shape == "square" else 3
        return [(math.cos(2 * math.pi * i / corners), math.sin(2 * math.pi * i / corners)) for i in range(corners)]
    if shape == "star":
        return [(r * math.cos(math.pi * i / 5), r * math.sin(math.pi * i / 5)) for i in range(10) for r in [1 if i % 2 == 0 else 0.42]]
    arm = 0.3
    quarter = [(arm, -0.95), (arm, -arm), (0.95, -arm)]
    points = []
    for turn in range(4):
        cosine, sine = round(math.cos(turn * math.pi / 2)), round(math.sin(turn * math.pi / 2))
        points.extend((x * cosine - y * sine, x * sine + y * cosine) for x, y in quarter)
    return points


def background(random, width, height, coarse=16):
    """A gradient between two pale, dark or grey colours; never as colourful as a shape."""
    ends = [np.array(rgb(random.uniform(0, 360), random.uniform(0, 0.22), random.uniform(0.08, 1)), dtype=np.float32) for _ in range(2)]
    if random.random() < 0.3:
        ends[1] = ends[0]
    angle = random.uniform(0, 2 * math.pi)
    steps = np.linspace(-0.5, 0.5, coarse, dtype=np.float32)
    share = np.clip(steps * math.cos(angle) + steps[:, None] * math.sin(angle) + 0.5, 0, 1)[..., None]
    return Image.fromarray((ends[0] * (1 - share) + ends[1] * share).astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)


def clutter(random, pen, width, height, lines, dots):
    """Thin lines and small dots in any colour, those of the shapes among them."""
    side = min(width, height)
    for _ in range(lines):
        ends = [(random.uniform(-0.1, 1.1) * width, random.uniform(-0.1, 1.1) * height) for _ in range(2)]
        pen.line(ends, fill=rgb(random.uniform(0, 360), random.uniform(0, 1), random.uniform(0.1, 1)), width=max(1, round(side * random.uniform(0.008, 0.02))))
    for _ in range(dots):
        x, y, r = random.uniform(0, width), random.uniform(0, height), side * random.uniform(0.01, 0.028)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=rgb(random.uniform(0, 360), random.uniform(0, 1), random.uniform(0.1, 1)))


def draw(random, width, height, label, finer=1, most_grain=8):
    """One picture, drawn `finer` times larger and reduced, so that edges are smooth, half of them with grain; random is a numpy Generator."""
    colour, shape = LABELS[label].split(" ")
    wide, high = width * finer, height * finer
    picture = background(random, wide, high)
    pen = ImageDraw.Draw(picture)
    clutter(random, pen, wide, high, int(random.integers(1, 7)), int(random.integers(0, 7)))
    side = min(wide, high)
    # Half of the shapes are stretched a little, as pictures are when they are made square.
    radius = side * random.uniform(*RADII)
    turn, stretch, axis = random.uniform(0, 2 * math.pi), 1.0, random.uniform(0, math.pi)
    if random.random() < 0.5:
        stretch = random.uniform(0.85, 1)
    x, y = random.uniform(radius + 1, wide - radius - 1), random.uniform(radius + 1, high - radius - 1)

    def place(px, py):
        px, py = px * math.cos(turn) - py * math.sin(turn), px * math.sin(turn) + py * math.cos(turn)
        along = px * math.cos(axis) + py * math.sin(axis)
        px, py = px + (stretch - 1) * along * math.cos(axis), py + (stretch - 1) * along * math.sin(axis)
        return x + radius * px, y + radius * py

    fill = rgb(COLOURS[colour] + random.uniform(-HUE_JITTER, HUE_JITTER), random.uniform(0.75, 1), random.uniform(0.75, 1))
    corners = outline(shape)
    if corners is None:
        circle = [(math.cos(t), math.sin(t)) for t in np.linspace(0, 2 * math.pi, 48, endpoint=False)]
        if shape == "ring":
            mask = Image.new("1", (wide, high))
            cutter = ImageDraw.Draw(mask)
            cutter.polygon([place(*point) for point in circle], fill=1)
            cutter.polygon([place(0.55 * px, 0.55 * py) for px, py in circle], fill=0)
            picture.paste(fill, mask=mask)
        else:
            pen.polygon([place(*point) for point in circle], fill=fill)
    else:
        pen.polygon([place(*point) for point in corners], fill=fill)
    clutter(random, pen, wide, high, int(random.integers(0, 3)), int(random.integers(0, 3)))
    if finer > 1:
        picture = picture.resize((width, height), Image.Resampling.BOX)
    grain = random.uniform(-most_grain, most_grain)
    if grain > 1:
        pixels = np.asarray(picture, dtype=np.float32) + grain * noise_tile(random, height, width)
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return picture


NOISE = np.random.default_rng(0).standard_normal((640, 640, 3), dtype=np.float32)


def noise_tile(random, height, width):
    top, left = int(random.integers(0, 641 - height)), int(random.integers(0, 641 - width))
    return NOISE[top:top + height, left:left + width]


def canvas(random):
    """Width and height of a picture to draw: half are square, the others up to half again as wide as high, or as high as wide."""
    size = int(random.integers(110, 170))
    if random.random() < 0.5:
        return size, size
    longer = round(size * random.uniform(1, 1.5))
    return (longer, size) if random.random() < 0.5 else (size, longer)


def seen(picture, size):
    """A picture as the models see it: made square by bilinear resizing, as preprocessor_config.json says."""
    return picture.resize((size, size), Image.Resampling.BILINEAR)


def covered(pixels, labels, patch):
    """Which patches [picture, row, column] show the shape: those with a quarter of their pixels or more in its colour."""
    wanted = np.array(list(COLOURS.values()))[np.asarray(labels) // len(SHAPES)]
    high, low = pixels.max(-1).astype(np.float32), pixels.min(-1).astype(np.float32)
    red, green, blue = (pixels[..., i].astype(np.float32) for i in range(3))
    spread = np.maximum(high - low, 1)
    hue = 60 * np.where(high == red, (green - blue) / spread, np.where(high == green, 2 + (blue - red) / spread, 4 + (red - green) / spread))
    away = np.abs((hue - wanted[:, None, None] + 180) % 360 - 180)
    inside = (away < 14) & (spread > 0.6 * high) & (high > 100)
    rows = pixels.shape[1] // patch
    return inside.reshape(len(pixels), rows, patch, rows, patch).mean((2, 4)) >= 0.25
