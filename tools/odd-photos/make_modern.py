#!/usr/bin/env python3
"""Makes HEIC, AVIF, JPEG XL and JPEG 2000 photos over the product of encoders' options:
`make_modern.py SAMPLE.jpg FOLDER`.

Needs Pillow 13 with pillow_heif; `heif-enc` (libheif with x265), `avifenc`, `cjxl` and `opj_compress` where they are on
the PATH: what is missing is told and left out.
"""

import itertools
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import pillow_heif
from PIL import Image

SAMPLE, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
FOLDER.mkdir(parents=True, exist_ok=True)
SIZES = [(480, 320), (359, 241), (256, 256), (301, 450)]
PHOTO = Image.open(SAMPLE).convert("RGB")
photos = {size: PHOTO.resize(size) for size in SIZES}
sides = {size: f"{size[0]}x{size[1]}" for size in SIZES}
TEMPORARY = Path(tempfile.mkdtemp())
made = 0


def source(size, mode="RGB", suffix=".png"):
    path = TEMPORARY / f"{sides[size]}-{mode}{suffix}"
    if not path.exists():
        picture = photos[size]
        if mode == "RGBA":
            picture = picture.copy()
            picture.putalpha(picture.convert("L"))
        elif mode == "I;16":
            path.write_bytes(sixteen_bits(picture))
            return path
        else:
            picture = picture.convert(mode)
        picture.save(path)
    return path


def sixteen_bits(picture):
    """A PNG of 16 bits a sample, so that encoders of 10 and 12 bits have something to code."""
    width, height = picture.size
    samples = picture.tobytes()
    # The lower byte is made up.
    rows = b"".join(
        b"\0" + bytes(byte for at in range(y * width * 3, (y + 1) * width * 3) for byte in (samples[at], samples[at - 1]))
        for y in range(height)
    )
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def run_plain(*command):
    return subprocess.run([str(part) for part in command], capture_output=True)


def run(name, *command):
    """A program that writes the file itself: `OUT` among its arguments stands for it."""
    global made
    if not shutil.which(command[0]):
        return
    out = FOLDER / name
    done = run_plain(*(out if part == "OUT" else part for part in command))
    if done.returncode == 0 and out.exists():
        made += 1
    else:
        out.unlink(missing_ok=True)
        print(f"not made: {name}: {done.stderr.decode(errors='replace')[-120:]}")


def save(name, picture, **options):
    global made
    try:
        picture.save(FOLDER / name, **options)
        made += 1
    except Exception as error:
        print(f"not made: {name}: {error}")


def heic():
    for size, side in sides.items():
        for quality, chroma in itertools.product((20, 60, 95), ("420", "422", "444")):
            run(f"heic-{side}-q{quality}-{chroma}.heic", "heif-enc", "-q", quality, "-p", f"chroma={chroma}",
                "-o", "OUT", source(size))
        for matrix, full in itertools.product((1, 5, 6, 9), (0, 1)):
            run(f"heic-{side}-m{matrix}-r{full}.heic", "heif-enc", f"--matrix_coefficients={matrix}",
                f"--full_range_flag={full}", "-o", "OUT", source(size))
        for depth in (10, 12):
            run(f"heic-{side}-b{depth}.heic", "heif-enc", "-b", depth, "-o", "OUT", source(size, "I;16"))
        for mode in ("L", "RGBA"):
            run(f"heic-{side}-{mode}.heic", "heif-enc", "-o", "OUT", source(size, mode))
        for tune, preset in itertools.product(("psnr", "ssim", "grain"), ("ultrafast", "medium", "placebo")):
            run(f"heic-{side}-{tune}-{preset}.heic", "heif-enc", "-p", f"tune={tune}", "-p", f"preset={preset}",
                "-o", "OUT", source(size))
        for parameter in ("ctu=16", "ctu=32", "min-cu-size=16", "tskip=1", "cu-lossless=1", "sao=0", "deblock=0",
                          "strong-intra-smoothing=0", "constrained-intra=1", "slices=2", "wpp=1", "scaling-list=default",
                          "cu-qp-delta-abs=1"):
            run(f"heic-{side}-{parameter.replace('=', '-')}.heic", "heif-enc", "-p", f"x265:{parameter}",
                "-o", "OUT", source(size))
        run(f"heic-{side}-lossless.heic", "heif-enc", "-L", "-p", "chroma=444", "--matrix_coefficients=0",
            "-o", "OUT", source(size))
        run(f"heic-{side}-thumbnail.heic", "heif-enc", "-t", "32", "-o", "OUT", source(size))
        for orientation in range(1, 9):
            exif = b"Exif\0\0II" + struct.pack("<HIHHHIH2xI", 42, 8, 1, 0x0112, 3, 1, orientation, 0)
            save(f"heic-{side}-o{orientation}.heic", photos[size], quality=80, exif=exif)
        # The second picture is the main one.
        two = pillow_heif.HeifFile()
        two.add_from_pillow(PHOTO.resize((64, 64)).transpose(Image.Transpose.ROTATE_180))
        two.add_from_pillow(photos[size])
        two.save(FOLDER / f"heic-{side}-second-of-two.heic", primary_index=1)


def avif():
    for size, side in sides.items():
        for quality, yuv, depth in itertools.product((20, 80), ("420", "422", "444", "400"), (8, 10, 12)):
            run(f"avif-{side}-q{quality}-{yuv}-b{depth}.avif", "avifenc", "--min", 63 - quality * 63 // 100,
                "--max", 63 - quality * 63 // 100, "-y", yuv, "-d", depth, "-s", "8", source(size), "OUT")
        for cicp, full in itertools.product(("1/13/1", "1/13/6", "9/16/9", "1/13/0"), ("full", "limited")):
            layout = "444" if cicp.endswith("/0") else "420"
            run(f"avif-{side}-{cicp.replace('/', '_')}-{full}.avif", "avifenc", "--cicp", cicp, "-r", full, "-y", layout,
                "-s", "8", source(size), "OUT")
        run(f"avif-{side}-alpha.avif", "avifenc", "-s", "8", source(size, "RGBA"), "OUT")
        run(f"avif-{side}-lossless.avif", "avifenc", "-l", "-s", "8", source(size), "OUT")
        for turn, mirror in itertools.product((0, 1, 2, 3), (None, 0, 1)):
            options = ["--irot", turn] + ([] if mirror is None else ["--imir", mirror])
            run(f"avif-{side}-turn{turn}-mirror{mirror}.avif", "avifenc", *options, "-s", "8", source(size), "OUT")
    run("avif-480x320-grid.avif", "avifenc", "--grid", "2x2", "-s", "8", source((480, 320)), "OUT")


def jpeg_xl():
    for size, side in sides.items():
        for distance, effort in itertools.product((0, 0.5, 1, 3), (1, 3, 7)):
            run(f"jxl-{side}-d{distance}-e{effort}.jxl", "cjxl", "-d", distance, "-e", effort, source(size), "OUT")
        run(f"jxl-{side}-modular.jxl", "cjxl", "-d", "1", "-m", "1", source(size), "OUT")
        run(f"jxl-{side}-progressive.jxl", "cjxl", "-d", "1", "-p", source(size), "OUT")
        run(f"jxl-{side}-container.jxl", "cjxl", "-d", "1", "--container=1", source(size), "OUT")
        for mode in ("L", "RGBA"):
            for distance in (0, 1):
                run(f"jxl-{side}-{mode}-d{distance}.jxl", "cjxl", "-d", distance, source(size, mode), "OUT")
        run(f"jxl-{side}-jpeg.jxl", "cjxl", "--lossless_jpeg=1", source(size, "RGB", ".jpg"), "OUT")
        run(f"jxl-{side}-16.jxl", "cjxl", "-d", "0", source(size, "I;16"), "OUT")


def jpeg_2000():
    for size, side in sides.items():
        for rate, lossy, end in itertools.product((1, 10, 40), (True, False), ("jp2", "j2k")):
            options = ["-r", rate] + (["-I"] if lossy else [])
            run(f"jp2-{side}-r{rate}-{lossy}.{end}", "opj_compress", "-i", source(size), "-o", "OUT", *options)
        for order in ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL"):
            run(f"jp2-{side}-{order}.jp2", "opj_compress", "-i", source(size), "-o", "OUT", "-p", order, "-r", "20,10,1")
        for tile in ("32,32", "48,64"):
            run(f"jp2-{side}-tiles-{tile.replace(',', 'x')}.jp2", "opj_compress", "-i", source(size), "-o", "OUT", "-t", tile)
        for block in ("4,4", "64,64", "16,32"):
            run(f"jp2-{side}-blocks-{block.replace(',', 'x')}.jp2", "opj_compress", "-i", source(size), "-o", "OUT", "-b", block)
        for mode in (1, 2, 4, 8, 16, 32):
            run(f"jp2-{side}-mode{mode}.jp2", "opj_compress", "-i", source(size), "-o", "OUT", "-M", mode)
        run(f"jp2-{side}-no-mct.jp2", "opj_compress", "-i", source(size), "-o", "OUT", "-mct", "0")
        for mode in ("L", "RGBA"):
            run(f"jp2-{side}-{mode}.jp2", "opj_compress", "-i", source(size, mode), "-o", "OUT")
        run(f"jp2-{side}-16.jp2", "opj_compress", "-i", source(size, "I;16"), "-o", "OUT")


pillow_heif.register_heif_opener()
for kind in (heic, avif, jpeg_xl, jpeg_2000):
    kind()
    print(f"{kind.__name__}: {made} files so far")
shutil.rmtree(TEMPORARY)
