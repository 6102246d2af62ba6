#!/usr/bin/env python3
"""Makes a few thousand photos over the product of encoders' options: `make.py SAMPLE.jpg FOLDER`.

Needs Pillow 13; `cjpeg` (libjpeg-turbo 3.2), `exiftool`, `tiffcp` (libtiff), `cwebp`, `gifsicle` where they are on
the PATH: what is missing is told and left out.
"""

import itertools
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageChops

SAMPLE, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
FOLDER.mkdir(parents=True, exist_ok=True)
SIZES = [(120, 80), (97, 65), (64, 64), (33, 50), (16, 16)]
PHOTO = Image.open(SAMPLE).convert("RGB")
photos = {size: PHOTO.resize(size) for size in SIZES}
made = 0


def save(name, picture, **options):
    global made
    try:
        picture.save(FOLDER / name, **options)
        made += 1
    except Exception as error:
        print(f"not made: {name}: {error}")


def run(name, *command, stdin=None):
    """A program's standard output, as a file."""
    global made
    if not shutil.which(command[0]):
        return
    done = subprocess.run(command, input=stdin, capture_output=True)
    if done.returncode == 0 and done.stdout:
        (FOLDER / name).write_bytes(done.stdout)
        made += 1
    else:
        print(f"not made: {name}: {done.stderr.decode(errors='replace')[:120]}")


def exif(orientation, kind=3, little=True):
    order = "<" if little else ">"
    value = {1: "B3x", 3: "H2x", 4: "I", 8: "h2x", 9: "i"}[kind]
    return (
        (b"II" if little else b"MM")
        + struct.pack(order + "HIHHHI" + value + "I", 42, 8, 1, 0x0112, kind, 1, orientation, 0)
    )


def jpegs():
    for size, photo in photos.items():
        side = f"{size[0]}x{size[1]}"
        for quality, sampling, progressive, restart in itertools.product(
            (20, 75, 95), ("4:4:4", "4:2:2", "4:2:0"), (False, True), (0, 1, 3)
        ):
            save(
                f"jpeg-{side}-q{quality}-{sampling.replace(':', '')}-{'p' if progressive else 's'}-r{restart}.jpg",
                photo, quality=quality, subsampling=sampling, progressive=progressive, restart_marker_blocks=restart,
            )
        for mode in ("L", "CMYK"):
            for progressive in (False, True):
                save(f"jpeg-{side}-{mode}-{progressive}.jpg", photo.convert(mode), quality=90, progressive=progressive)
        save(f"jpeg-{side}-rgb.jpg", photo, quality=90, keep_rgb=True)
        for orientation, kind, little in itertools.product(range(0, 10), (1, 3, 4, 8, 9), (True, False)):
            save(f"jpeg-{side}-o{orientation}-k{kind}-{'le' if little else 'be'}.jpg", photo, quality=90,
                 exif=b"Exif\0\0" + exif(orientation, kind, little))
        ppm = b"P6\n%d %d\n255\n" % size + photo.tobytes()
        factors = ["1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2", "2x4", "3x1", "1x3", "3x2", "4x4"]
        for luma, blue, red in itertools.product(factors, ("1x1", "2x1", "1x2", "2x2"), ("1x1", "2x1", "1x2", "2x2")):
            for extra in ([], ["-progressive"]):
                kind = "p" if extra else "s"
                run(f"cjpeg-{side}-{luma}-{blue}-{red}-{kind}.jpg", "cjpeg", "-quality", "90", "-sample",
                    f"{luma},{blue},{red}", *extra, stdin=ppm)
        for sampling, kind, restart in itertools.product(
            ("1x1", "2x1", "1x2", "2x2", "4x1", "3x2"), ([], ["-progressive"]), ([], ["-restart", "1"])
        ):
            run(f"cjpeg-{side}-arithmetic-{sampling}-{'p' if kind else 's'}{'-r' if restart else ''}.jpg", "cjpeg",
                "-arithmetic", "-sample", sampling, *kind, *restart, stdin=ppm)
        for predictor, dropped in itertools.product(range(1, 8), (0, 3)):
            run(f"cjpeg-{side}-lossless-{predictor}-{dropped}.jpg", "cjpeg", "-lossless", f"{predictor},{dropped}",
                stdin=ppm)
        for scans, name in (("0;\n1;\n2;\n", "three"), ("0;\n1 2;\n", "two"), ("0 1;\n2;\n", "two-and-one")):
            (FOLDER / "scans.md").write_text(scans)
            for sampling in ("1x1,1x1,1x1", "2x1,1x1,1x1", "2x2,1x1,1x1", "1x1,2x2,2x2"):
                for restart in ([], ["-restart", "1"]):
                    run(f"cjpeg-{side}-{name}-{sampling.replace(',', '-')}{'-r' if restart else ''}.jpg", "cjpeg",
                        "-quality", "90", "-sample", sampling, "-scans", str(FOLDER / "scans.md"), *restart, stdin=ppm)
    for path in sorted(FOLDER.glob("jpeg-120x80-q75-*-r0.jpg")):
        data = path.read_bytes()
        for bytes_less in (1, 2, 3, 10, 300):
            (FOLDER / f"{path.stem}-less{bytes_less}.jpg").write_bytes(data[:-bytes_less])
            (FOLDER / f"{path.stem}-less{bytes_less}-padded.jpg").write_bytes(data[:-bytes_less] + bytes(500))
        (FOLDER / f"{path.stem}-trailing.jpg").write_bytes(data + b"<html>" * 20)
        for transform in range(0, 6):
            adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
            (FOLDER / f"{path.stem}-adobe{transform}.jpg").write_bytes(data[:2] + adobe + data[2:])
        first, second = (b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(exif(o))) + b"Exif\0\0" + exif(o) for o in (6, 1))
        (FOLDER / f"{path.stem}-two-exif.jpg").write_bytes(data[:2] + first + second + data[2:])
        for form in (b'<x tiff:Orientation="6"/>', b"<tiff:Orientation>8</tiff:Orientation>"):
            packet = b"http://ns.adobe.com/xap/1.0/\0" + form
            segment = b"\xff\xe1" + struct.pack(">H", 2 + len(packet)) + packet
            (FOLDER / f"{path.stem}-xmp{len(form)}.jpg").write_bytes(data[:2] + segment + data[2:])


def pngs():
    for size, photo in photos.items():
        side = f"{size[0]}x{size[1]}"
        alpha = photo.copy()
        alpha.putalpha(photo.convert("L"))
        modes = {
            "RGB": photo, "RGBA": alpha, "L": photo.convert("L"), "LA": alpha.convert("LA"), "1": photo.convert("1"),
            "P": photo.quantize(200), "P4": photo.quantize(16), "P2": photo.quantize(4), "P1": photo.quantize(2),
        }
        for (mode, picture), level in itertools.product(modes.items(), (0, 1, 9)):
            bits = {"P4": {"bits": 4}, "P2": {"bits": 2}, "P1": {"bits": 1}}.get(mode, {})
            save(f"png-{side}-{mode}-{level}.png", picture, compress_level=level, **bits)
        for mode in ("P", "L", "RGB"):
            transparent = 3 if mode != "RGB" else (1, 2, 3)
            save(f"png-{side}-{mode}-transparent.png", modes[mode], transparency=transparent)
        for orientation, kind in itertools.product(range(1, 9), (3, 4)):
            save(f"png-{side}-o{orientation}-k{kind}.png", photo, exif=exif(orientation, kind))
    for path in sorted(FOLDER.glob("png-120x80-*-9.png")):
        data = path.read_bytes()
        for less in (1, 4, 12, 13, 40):
            (FOLDER / f"{path.stem}-less{less}.png").write_bytes(data[:-less])


def tiffs():
    for size, photo in photos.items():
        side = f"{size[0]}x{size[1]}"
        alpha = photo.copy()
        alpha.putalpha(photo.convert("L"))
        grey = photo.convert("L")
        modes = {
            "RGB": photo, "RGBA": alpha, "L": grey, "LA": alpha.convert("LA"), "1": photo.convert("1"),
            "P": photo.quantize(200), "CMYK": photo.convert("CMYK"), "YCbCr": photo.convert("YCbCr"),
        }
        compressions = [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "group3", "group4", "jpeg"]
        for (mode, picture), compression in itertools.product(modes.items(), compressions):
            if (compression in ("group3", "group4")) != (mode == "1") and compression in ("group3", "group4"):
                continue
            if compression == "jpeg" and mode not in ("RGB", "L", "CMYK"):
                continue
            save(f"tiff-{side}-{mode}-{compression}.tif", picture, compression=compression)
            if compression in ("tiff_lzw", "tiff_adobe_deflate") and mode != "1" and mode != "P":
                save(f"tiff-{side}-{mode}-{compression}-predicted.tif", picture, compression=compression,
                     tiffinfo={317: 2})
        for orientation in range(1, 9):
            save(f"tiff-{side}-o{orientation}.tif", photo, tiffinfo={274: orientation})
    for path in sorted(FOLDER.glob("tiff-120x80-*-None.tif")):
        for name, options in {
            "tiled": ["-t", "-w", "32", "-l", "16"], "planar": ["-p", "separate"], "big-endian": ["-B"], "big": ["-8"],
            "one-row": ["-r", "1"], "lzw-predicted": ["-c", "lzw:2"], "planar-lzw": ["-p", "separate", "-c", "lzw:2"],
            "planar-tiled": ["-p", "separate", "-t", "-w", "32", "-l", "48"],
            "planar-tiled-lzw": ["-p", "separate", "-t", "-w", "48", "-l", "32", "-c", "lzw:2"],
            "filled-backwards": ["-f", "lsb2msb"], "zip": ["-c", "zip:2"], "zstd": ["-c", "zstd"],
        }.items():
            target = FOLDER / f"{path.stem}-{name}.tif"
            if shutil.which("tiffcp"):
                subprocess.run(["tiffcp", *options, str(path), str(target)], capture_output=True)


def webps():
    for size, photo in photos.items():
        side = f"{size[0]}x{size[1]}"
        alpha = photo.copy()
        alpha.putalpha(photo.convert("L"))
        for (name, picture), lossless, quality, method in itertools.product(
            (("RGB", photo), ("RGBA", alpha)), (False, True), (10, 80, 100), (0, 6)
        ):
            save(f"webp-{side}-{name}-{lossless}-{quality}-{method}.webp", picture, lossless=lossless, quality=quality,
                 method=method)
        for orientation, kind in itertools.product(range(1, 9), (3, 4)):
            save(f"webp-{side}-o{orientation}-k{kind}.webp", photo, exif=b"Exif\0\0" + exif(orientation, kind))
        for xmp in (b'<x tiff:Orientation="6"/>',):
            save(f"webp-{side}-xmp.webp", photo, xmp=xmp)
        frames = [ImageChops.offset(photo, shift) for shift in (3, 6)]
        for lossless in (False, True):
            save(f"webp-{side}-animated-{lossless}.webp", photo, save_all=True, append_images=frames, lossless=lossless)


def gifs():
    for size, photo in photos.items():
        side = f"{size[0]}x{size[1]}"
        for colours, interlace in itertools.product((2, 3, 16, 17, 256), (0, 1)):
            save(f"gif-{side}-{colours}-{interlace}.gif", photo.quantize(colours), interlace=interlace)
        save(f"gif-{side}-grey.gif", photo.convert("L"))
        save(f"gif-{side}-transparent.gif", photo.quantize(64), transparency=5)
        frames = [ImageChops.offset(photo, shift).quantize(64) for shift in (3, 6)]
        for disposal in (0, 1, 2, 3):
            save(f"gif-{side}-animated-{disposal}.gif", photo.quantize(64), save_all=True, append_images=frames,
                 disposal=disposal)
        plain = (FOLDER / f"gif-{side}-16-0.gif").read_bytes()
        for width, height in itertools.product((0, size[0] // 2, size[0], size[0] + 9), (0, size[1] // 2, size[1] + 5)):
            screen = plain[:6] + struct.pack("<HH", width, height) + plain[10:]
            (FOLDER / f"gif-{side}-screen{width}x{height}.gif").write_bytes(screen)


def others():
    for size, photo in photos.items():
        side = f"{size[0]}x{size[1]}"
        modes = {"RGB": photo, "L": photo.convert("L"), "1": photo.convert("1"), "P": photo.quantize(100)}
        for mode, picture in modes.items():
            save(f"bmp-{side}-{mode}.bmp", picture)
            if mode != "P":
                save(f"pnm-{side}-{mode}.pnm", picture)
            if mode in ("RGB", "L", "P"):
                for rle in (None, "tga_rle"):
                    save(f"tga-{side}-{mode}-{rle}.tga", picture, **({"compression": rle} if rle else {}))
        alpha = photo.copy()
        alpha.putalpha(photo.convert("L"))
        for rle in (None, "tga_rle"):
            save(f"tga-{side}-RGBA-{rle}.tga", alpha, **({"compression": rle} if rle else {}))
        for form in ("png", "bmp"):
            save(f"ico-{side}-{form}.ico", alpha, bitmap_format=form, sizes=[(16, 16), (32, 32), (48, 48)])
        save(f"qoi-{side}.qoi", photo)
        save(f"qoi-{side}-alpha.qoi", alpha)


for make in (jpegs, pngs, tiffs, webps, gifs, others):
    make()
print(f"{len([path for path in FOLDER.iterdir() if path.suffix != '.md'])} files")
