#!/usr/bin/env python3
"""Tells how Pillow reads photos: `read_with_pillow.py FOLDER > pillow.json` (Pillow 13).

For each file the size after `ImageOps.exif_transpose` and the mean red, green and blue of 12 x 12 cells of what
`convert("RGB")` gives, or that Pillow refuses it. Cell (x, y) has the pixels from x * width // 12 to
(x + 1) * width // 12 - 1, and likewise down; of a picture smaller than 12 pixels a side only the mean of all is told.
HEIC and JPEG XL are read where `pillow_heif` and `pillow-jxl-plugin` are installed.
"""

import importlib
import json
import sys
import warnings
from pathlib import Path

from PIL import Image, ImageOps

for plugin in ("pillow_heif", "pillow_jxl"):
    try:
        module = importlib.import_module(plugin)
        getattr(module, "register_heif_opener", lambda: None)()
    except ImportError:
        pass
Image.MAX_IMAGE_PIXELS = None
CELLS = 12


def mean(picture):
    pixels = picture.tobytes()
    count = len(pixels) // 3
    return [round(sum(pixels[channel::3]) / count, 2) for channel in range(3)]


def read(path):
    try:
        with Image.open(path) as stored:
            picture = ImageOps.exif_transpose(stored).convert("RGB")
    except Exception as error:  # Pillow raises whatever its plugins raise.
        return {"refused": type(error).__name__}
    width, height = picture.size
    cells = CELLS if min(width, height) >= CELLS else 1
    edges = lambda length: [at * length // cells for at in range(cells + 1)]
    xs, ys = edges(width), edges(height)
    grid = [
        mean(picture.crop((xs[x], ys[y], xs[x + 1], ys[y + 1]))) for y in range(cells) for x in range(cells)
    ]
    return {"size": [width, height], "grid": grid}


def main(folder):
    warnings.simplefilter("ignore")
    files = sorted(path for path in Path(folder).iterdir() if path.suffix not in (".json", ".md", ".py"))
    readings = {path.name: read(path) for path in files if path.is_file()}
    print("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(reading)}" for name, reading in readings.items()) + "\n}")


main(sys.argv[1])
