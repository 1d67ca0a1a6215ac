#!/usr/bin/env bash
# Pillow makes white of nearly all of a PNG of grey with 16 bits.
#
# Version: Pillow 12.3.0.
# Source: PNG (third edition) §13.12: samples of 16 bits are reduced to 8 by scaling. Pillow reads such a picture in its mode I;16, and
#   its conversion from that to L and RGB clips at 255; pictures of three colours with 16 bits it reads as their upper eight.
# One would guess: the same grey, stored once as grey and once as three equal colours, becomes the same picture of 8 bits.
# What happens: the first is clipped, and all that is lighter than a 256th is white; the second is scaled. Libraries for models that
#   open pictures with `Image.open(…).convert('RGB')` show the model the first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install --quiet --no-deps --target packages pillow==12.3.0
cat > check.py <<'PY'
import struct
import zlib

from PIL import Image


def png(name, colours, samples):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"".join(struct.pack(">H", sample) * (3 if colours == 2 else 1) for sample in samples)
    header = struct.pack(">IIBBBBB", len(samples), 1, 16, colours, 0, 0, 0)
    with open(name, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b""))


samples = [0, 200, 256, 10000, 32768, 65535]
for name, colours in (("grey", 0), ("colours", 2)):
    png(f"{name}.png", colours, samples)
    image = Image.open(f"{name}.png")
    print(f"{name}, {image.mode}:", [image.convert("RGB").getpixel((x, 0))[0] for x in range(len(samples))])
PY
PYTHONPATH=packages python3 check.py | tee output
grep -q '^grey, I;16: \[0, 200, 255, 255, 255, 255\]$' output
grep -q '^colours, RGB: \[0, 0, 1, 39, 128, 255\]$' output
# Output seen:
# grey, I;16: [0, 200, 255, 255, 255, 255]
# colours, RGB: [0, 0, 1, 39, 128, 255]
