#!/usr/bin/env python3
"""Odd and broken files that people drop on a photo classifier, beside this script; README.md says what each is for.

expected/NAME.png is what Pillow makes of NAME with convert("RGB"): the pixels a decoder has to give.
Run: pip install pillow==13.0.0 numpy && python tests/data/photos/make_photos.py
"""
import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[2] / "web" / "samples"
EXPECTED = HERE / "expected"
EXPECTED.mkdir(exist_ok=True)

cat = Image.open(SAMPLES / "cat.jpg").convert("RGB").resize((150, 100))
coffee = Image.open(SAMPLES / "coffee.jpg").convert("RGB").resize((150, 100))
rocket = Image.open(HERE.parent / "rocket.jpg").convert("RGB").resize((150, 100))
# 0 in the top left corner, 255 in the bottom right: transparent, half and opaque.
y, x = np.mgrid[0:100, 0:150]
fade = Image.fromarray(((x + y) * 255 // (99 + 149)).astype(np.uint8))


def write(name, data):
    (HERE / name).write_bytes(data)


def save(name, image, **options):
    image.save(HERE / name, **options)


def encoded(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, scanlines):
    """A PNG from raw scanlines, for what Pillow can't write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(scanlines, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# Readable: JPEG in its many forms.
save("baseline.jpg", cat, quality=85)
save("progressive.jpg", cat, quality=85, progressive=True)
save("grey.jpg", cat.convert("L"), quality=85)
save("cmyk.jpg", cat.convert("CMYK"), quality=85)
# The same with the Adobe marker's transform byte saying YCCK. Other colours, but both readers must agree on them.
cmyk = encoded(cat.convert("CMYK"), "JPEG", quality=85)
adobe = cmyk.index(b"Adobe") + 11
assert cmyk[adobe] == 0
write("ycck.jpg", cmyk[:adobe] + b"\x02" + cmyk[adobe + 1 :])
# A phone's live photo carries a film after the picture.
write("motion-photo.jpg", encoded(cat, "JPEG", quality=85) + b"\0\0\0\x18ftypmp42" + bytes(64))
thirty = cat.resize((6000, 5000), Image.BICUBIC)
save("thirty-megapixels.jpg", thirty, quality=4, optimize=True)

# Readable: PNG.
save("one-pixel.png", Image.new("RGB", (1, 1), (180, 120, 60)))
save("one-pixel-wide.png", Image.fromarray(np.linspace(0, 255, 2000).astype(np.uint8)[:, None]))
save("palette-transparent.png", cat.quantize(64), transparency=3, optimize=True)
save("grey-alpha.png", Image.merge("LA", (cat.convert("L"), fade)), optimize=True)
save("transparent.png", Image.merge("RGBA", (*cat.resize((75, 50)).split(), fade.resize((75, 50)))), optimize=True)
deep = (np.asarray(cat.resize((75, 50))).astype(np.uint16) << 8) + 0x80 + (np.arange(75, dtype=np.uint16) % 128)[None, :, None]
write("sixteen-bit.png", png(75, 50, 16, 2, b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)))
grey16 = np.asarray(cat.resize((75, 50)).convert("L")).astype(np.uint16) * 256 + 200
save("sixteen-bit-grey.png", Image.fromarray(grey16))

# Readable: the other formats.
save("animated.gif", cat, save_all=True, append_images=[coffee, rocket], duration=200, loop=0)
save("animated.webp", cat, save_all=True, append_images=[coffee, rocket], duration=200, loop=0, quality=60)
faded = [Image.merge("RGBA", (*image.split(), fade)) for image in (cat, coffee)]
save("animated-transparent.webp", faded[0], save_all=True, append_images=faded[1:], duration=200, quality=60)
save("lossless.webp", cat.resize((75, 50)), lossless=True)
save("lossy.webp", cat, quality=60)
save("photo.bmp", cat.resize((75, 50)))
save("photo.tiff", cat.resize((75, 50)), compression="tiff_lzw")
save("sixteen-bit-grey.tiff", Image.fromarray(grey16), compression="tiff_lzw")
write("jpeg-named.png", encoded(cat, "JPEG", quality=85))

# Broken.
write("empty.jpg", b"")
write("not-a-photo.jpg", b"Shopping list\n- bread\n- milk\n- a photo of a cat\n")
whole = encoded(cat, "JPEG", quality=85)
write("truncated.jpg", whole[: len(whole) * 2 // 3])
whole = encoded(cat, "JPEG", quality=85, progressive=True)
write("truncated-progressive.jpg", whole[: len(whole) * 2 // 3])
whole = encoded(cat.resize((75, 50)), "PNG")
write("truncated.png", whole[: len(whole) // 2])
middle = len(whole) // 2
write("corrupt.png", whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
whole = encoded(cat, "GIF")
write("truncated.gif", whole[: len(whole) // 2])
whole = encoded(cat, "WEBP", quality=60)
write("truncated.webp", whole[: len(whole) // 2])
write("bomb.png", png(60000, 60000, 8, 2, bytes(1000)))

# Known, but not read.
save("picture.avif", cat, quality=30)
write("picture.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
write("drawing.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3"/></svg>\n')
never = time.gmtime(0)
save("document.pdf", cat.resize((30, 20)), creationDate=never, modDate=never)
save("icon.ico", cat.resize((16, 16)))

LOSSLESS = """one-pixel.png one-pixel-wide.png palette-transparent.png grey-alpha.png transparent.png sixteen-bit.png
animated.gif lossless.webp photo.bmp photo.tiff""".split()
LOSSY = "baseline.jpg progressive.jpg grey.jpg cmyk.jpg ycck.jpg lossy.webp animated.webp animated-transparent.webp".split()
for name in LOSSLESS + LOSSY:
    with Image.open(HERE / name) as image:
        image.convert("RGB").save(EXPECTED / f"{name}.png", optimize=True)
# Pillow clips 16-bit grey at 255; the high byte is what the picture shows.
for name in ("sixteen-bit-grey.png", "sixteen-bit-grey.tiff"):
    Image.fromarray((grey16 >> 8).astype(np.uint8)).convert("RGB").save(EXPECTED / f"{name}.png", optimize=True)

total = sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file())
print("Pillow", PIL.__version__, "total", total)
