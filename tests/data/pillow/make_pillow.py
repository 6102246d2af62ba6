#!/usr/bin/env python3
"""Preprocessing goldens from Pillow, beside this script.

NAME.png is a photo, NAME.S.C.png what Pillow makes of it: short side S (bicubic, antialiased), centre crop C.
Run: pip install pillow==13.0.0 numpy && python tests/data/pillow/make_pillow.py
"""
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[2] / "web" / "samples"


def crop(image, s, c):
    w, h = image.size
    w2, h2 = (s, int(s * h / w)) if w <= h else (int(s * w / h), s)
    image = image.resize((w2, h2), Image.BICUBIC)
    left, top = int(round((w2 - c) / 2.0)), int(round((h2 - c) / 2.0))
    return image.crop((left, top, left + c, top + c))


cat = Image.open(SAMPLES / "cat.jpg").convert("RGB")
rocket = Image.open(HERE.parent / "rocket.jpg").convert("RGB")
y, x = np.mgrid[0:613, 0:977]
rings = ((np.sin((x * x + y * y) / 2000.0) * 0.5 + 0.5) * 255).astype(np.uint8)  # aliases at once without antialiasing
images = {
    "landscape": cat,
    "portrait": rocket.transpose(Image.Transpose.ROTATE_90),
    "small": cat.resize((50, 37)),
    "one-pixel": Image.new("RGB", (1, 1), (10, 200, 30)),
    "exact": cat.resize((256, 256)),
    "odd": cat.resize((257, 331)),
    "strip": rocket.resize((1999, 31)),
    "rings": Image.fromarray(np.stack([rings, rings[::-1], rings[:, ::-1]], -1)),
}
for name, image in images.items():
    image.save(HERE / f"{name}.png", optimize=True)
    for s, c in ((256, 224), (128, 112)):
        crop(image, s, c).save(HERE / f"{name}.{s}.{c}.png", optimize=True)
print("Pillow", PIL.__version__)
