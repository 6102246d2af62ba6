#!/usr/bin/env python3
"""Zip files that people drop on a photo classifier, beside this script. Needs nothing but Python."""
import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SMALL = (HERE.parent / "photos" / "lossy.webp").read_bytes()
CAT = (HERE.parents[2] / "web" / "samples" / "cat.jpg").read_bytes()


def write(name, files):
    with zipfile.ZipFile(HERE / name, "w") as archive:
        for path, data, method in files:
            info = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, data)


STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
# One photo packed in each way, among what a folder on a Mac holds too.
write(
    "album.zip",
    [
        ("holiday/stored.jpg", CAT, STORED),
        ("holiday/deflated.jpg", CAT, DEFLATED),
        ("holiday/notes.txt", b"no photo", DEFLATED),
        ("__MACOSX/holiday/._stored.jpg", b"hidden twin", STORED),
    ],
)
# Says that it unpacks to 100 bytes, and goes on to a million.
write("swollen.zip", [("swollen.jpg", bytes(1_000_000), DEFLATED)])
swollen = bytearray((HERE / "swollen.zip").read_bytes())
for at in (22, swollen.index(b"PK\x01\x02") + 24):
    swollen[at : at + 4] = struct.pack("<I", 100)
(HERE / "swollen.zip").write_bytes(swollen)
# Its end, with the directory, is missing.
album = (HERE / "album.zip").read_bytes()
(HERE / "truncated.zip").write_bytes(album[: len(album) // 2])


def packed(files, method=STORED):
    """An archive in memory; a file's name may be bytes, in any character set."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for at, (name, data) in enumerate(files):
            placeholder = f"{at:03}".ljust(len(name), "_") if isinstance(name, bytes) else name
            info = zipfile.ZipInfo(placeholder, (2026, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, data)
    whole = buffer.getvalue()
    for at, (name, _) in enumerate(files):
        if isinstance(name, bytes):
            placeholder = f"{at:03}".ljust(len(name), "_").encode()
            assert whole.count(placeholder) == 2, name
            whole = whole.replace(placeholder, name)
    return whole


def marked(whole, name, flags=None, method=None):
    """With other flags or another method for a file, in its own header and in the directory."""
    whole = bytearray(whole)
    for signature, place, at in ((b"PK\x03\x04", 30, 6), (b"PK\x01\x02", 46, 8)):
        header = whole.index(name.encode()) - place if place == 30 else whole.rindex(name.encode()) - place
        assert whole[header : header + 4] == signature
        if flags is not None:
            struct.pack_into("<H", whole, header + at, flags)
        if method is not None:
            struct.pack_into("<H", whole, header + at + 2, method)
    return bytes(whole)


# A Japanese Windows: three of the names hold the byte of a backslash, and one is a folder's too.
japanese = ["表.webp", "ソ.webp", "予定/能.webp", "猫.webp"]
(HERE / "japanese.zip").write_bytes(packed([(name.encode("cp932"), SMALL) for name in japanese]))
# What can't be taken out, and archives inside, each a level deeper; before it a program, behind it a note.
deepest = packed([("fourth.webp", SMALL)])
third = packed([("third.webp", SMALL), ("deepest.zip", deepest)])
inner = packed([("second.webp", SMALL), ("third.zip", third), ("clip.mp4", b"video")], DEFLATED)
odd = packed(
    [
        ("first.webp", SMALL),
        ("locked.webp", SMALL),
        ("deflate64.webp", SMALL),
        ("inner.zip", inner),
        ("clip.mp4", b"video"),
        ("old.rar", b"Rar!"),
    ],
    DEFLATED,
)
odd = marked(marked(odd, "locked.webp", flags=1), "deflate64.webp", method=9)
(HERE / "odd.zip").write_bytes(b"MZ: unpacks itself" + odd + b"\r\n<p>Scanned by a mail gateway</p>\r\n")
# A tar file with a long name, a zip file and a link in it, packed and not; and one that is cut short.
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
    files = [
        ("holiday/猫.webp", SMALL),
        ("long/" * 30 + "long.webp", SMALL),
        ("holiday/notes.txt", b"no photo"),
        ("holiday/more.zip", packed([("zipped.webp", SMALL)])),
    ]
    for name, data in files:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    link = tarfile.TarInfo("link.webp")
    link.type, link.linkname = tarfile.SYMTYPE, "holiday/猫.webp"
    tar.addfile(link)
(HERE / "album.tar").write_bytes(buffer.getvalue())
(HERE / "album.tar.gz").write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
(HERE / "cut.tar").write_bytes(buffer.getvalue()[: 512 + 2048 + 3000])
