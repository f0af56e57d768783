"""A folder of photos of every sort, half of them broken in every way, and what must become of each."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import photos
from fuzz import pictures
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

PROTECTED, NOT, NO_FACE, FAILED = "protected", "not_protected", "no_face", "failed"
GIANT = 3 * 2**30  # bytes, of holes
CONTAINERS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
HOSTILE = (
    "\x1b[2J\x1b]0;x\x07",
    "two\nlines",
    "tab\tbell\x07",
    "\udcff\udcfe",
    "<script>alert(1)</script>",
    "'; --",
    "-o",
    "{{ 7 }}",
)
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ODD_TAGS = (  # tag, type and count that do not go together, beside an orientation
    *(
        (0x010F, 11, 1),
        (0x010F, 5, 1),
        (0x011A, 2, 4),
        (0x011A, 7, 4),
        (0x0132, 12, 1),
        (0x8769, 2, 3),
        (0x8825, 11, 1),
    ),
    *(
        (0x9286, 3, 1),
        (0x9003, 9, 1),
        (0x8298, 4, 0xFFFFFFFF),
        (0x8769, 4, 0x7FFFFFFF),
        (0x0201, 2, 1),
        (0xA005, 13, 2),
    ),
)


@dataclass(frozen=True)
class Expected:
    """What must become of a photo: its status, and what the reason says."""

    status: str
    said: str = ""


Made = Iterator[tuple[str, bytes | Callable[[Path], object], Expected]]  # a name; its content, or what makes the file


def folder_of(folder: Path, count: int, *, seed: int = 0) -> dict[Path, Expected]:
    """So many photos in a new folder, half of them broken, in an order that mixes them; what must become of each."""
    folder.mkdir()
    rng = Random(seed)
    sorts = (whole(rng), broken(rng))
    chosen = [islice(sort, count // 2) for sort in sorts]
    found = {}
    for sort in chosen:
        for index, (name, content, expected) in enumerate(sort):
            place = folder / f"{expected.status[0]}{index}"  # each alone: names may be the same
            place.mkdir()
            path = place / name
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content(path)
            found[path] = expected
    order = list(found)
    rng.shuffle(order)
    return {path: found[path] for path in order}


@cache
def _portrait(width: int) -> Image.Image:
    return photos.portrait().resize((width, width * 256 // 240))


def portrait(width: int = 240) -> Image.Image:
    """The sample's face; a copy, as Pillow leaves one format's settings in a picture."""
    return _portrait(width).copy()


def whole(rng: Random) -> Made:
    """Photos that can be read, for ever: each odd kind first, then odd tags, other sizes, several faces and nobody."""
    yield from _odd_kinds()
    while True:
        orientation, odd = rng.choice(sorted(TURNED)), rng.choice(ODD_TAGS)
        yield f"turned_{orientation}_{odd[0]:x}.jpg", turned(orientation, odd), Expected(PROTECTED)
        name = f"named {rng.choice(HOSTILE).replace('/', '')}.png"
        yield name, photos.encoded(changed(rng), "PNG"), Expected(PROTECTED)
        yield "two.png", photos.encoded(beside(portrait(), ImageOps.mirror(portrait(200))), "PNG"), Expected(PROTECTED)
        yield "tiny.png", photos.encoded(portrait(28), "PNG"), Expected(NO_FACE)
        small = beside(portrait(), portrait(74))
        yield "small_beside.png", photos.encoded(small, "PNG"), Expected(NOT, "was skipped: too small")
        yield "nobody.png", photos.encoded(nobody(rng), "PNG"), Expected(NO_FACE, "no face was found")
        container = rng.choice(CONTAINERS)
        yield f"changed.{container.lower()}", photos.encoded(changed(rng), container), Expected(PROTECTED)
        orientation, odd = rng.choice(sorted(TURNED)), rng.choice(ODD_TAGS)
        yield f"again_{orientation}_{odd[0]:x}.jpg", turned(orientation, odd), Expected(PROTECTED)


def _odd_kinds() -> Made:
    """Those of `photos.odd_photos`."""
    with TemporaryDirectory() as temporary:
        for name, path in photos.odd_photos(Path(temporary)).items():
            if name not in ("1x1.png", "bilevel.png"):  # without a face; with dots for a face
                yield name, path.read_bytes(), Expected(PROTECTED)


def turned(orientation: int, odd: tuple[int, int, int]) -> bytes:
    """The portrait as a JPEG that must be turned, with a tag beside its orientation whose type is wrong."""
    tag, kind, count = odd
    entries = sorted([(0x0112, 3, 1, struct.pack("<HH", orientation, 0)), (tag, kind, count, struct.pack("<I", 26))])
    listed = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    block = b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + bytes(4) + b"odd and short"
    data = photos.encoded(portrait().transpose(TURNED[orientation]), "JPEG", quality=95)
    return pictures.inside(data, {"exif": block})


def changed(rng: Random) -> Image.Image:
    """The portrait, lighter or darker, mirrored or not, of another size."""
    image = ImageEnhance.Brightness(portrait(rng.choice((200, 240, 300)))).enhance(rng.uniform(0.8, 1.2))
    return ImageOps.mirror(image) if rng.random() < 0.5 else image


def beside(*people: Image.Image) -> Image.Image:
    """People beside each other on a wall."""
    wall = Image.new("RGB", (sum(each.width for each in people) + 20, max(each.height for each in people)), "grey")
    left = 0
    for each in people:
        wall.paste(each, (left, 0))
        left += each.width + 20
    return wall


def nobody(rng: Random) -> Image.Image:
    """Noise, a plain wall or a drawing."""
    kind = rng.randrange(3)
    if kind == 0:
        return Image.fromarray(np.frombuffer(rng.randbytes(200 * 150 * 3), np.uint8).reshape(150, 200, 3))
    image = Image.new("RGB", (rng.choice((1, 40, 300)), 200), rng.choice(("white", "black", "navy")))
    if kind == 2:
        ImageDraw.Draw(image).rectangle((0, 50, 100, 150), outline="red", width=4)
    return image


def broken(rng: Random) -> Made:
    """What must be refused, for ever: each kind of bad file first, then cuts, giants, wrong headers and odd names."""
    yield from _bad_files()
    yield "socket.jpg", _socket, Expected(FAILED, "not an ordinary file")
    yield "null.jpg", lambda path: path.symlink_to("/dev/null"), Expected(FAILED, "not an ordinary file")
    yield "zero.jpg", lambda path: path.symlink_to("/dev/zero"), Expected(FAILED, "not an ordinary file")
    yield "loop.jpg", lambda path: path.symlink_to(path.name), Expected(FAILED)
    yield "dangling.jpg", lambda path: path.symlink_to("nowhere"), Expected(FAILED, "no such file")
    yield f"{'x' * 300}.jpg", lambda path: None, Expected(FAILED)
    yield "inside.jpg/photo.jpg", lambda path: path.parent.write_bytes(b"x"), Expected(FAILED)
    if os.geteuid():  # nothing is closed to root
        yield "closed.jpg", lambda path: path.touch(mode=0), Expected(FAILED, "permission")
    for head in (b"\xff\xd8\xff\xe0", b"RIFF\xff\xff\xff\xffWEBP", b"II*\0\x08\0\0\0", b"\x89PNG\r\n\x1a\n", b""):
        yield "giant.jpg", giant(head), Expected(FAILED)
    while True:
        container = rng.choice(CONTAINERS)
        data = photos.encoded(changed(rng), container)
        yield f"cut.{container.lower()}", data[: int(len(data) * rng.uniform(0.02, 0.6))], Expected(FAILED)
        yield f"text_{rng.choice(HOSTILE).replace('/', '')}.jpg", b"no photo" * 50, Expected(FAILED, "not a picture")
        width, height = rng.choice(((60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 0), (10_000, 10_000)))
        yield "vast.png", photos.vast_png(width, height), Expected(FAILED)
        yield "noise.jpg", rng.randbytes(rng.choice((1, 2, 100, 5000))), Expected(FAILED)
        head = photos.encoded(portrait(64), "JPEG")[:20]
        yield "head.jpg", head + rng.randbytes(500), Expected(FAILED, "damaged")
        more = {"save_all": True, "append_images": [portrait(64)]}
        yield "pages.tif", photos.encoded(portrait(), "TIFF", **more), Expected(FAILED, "several pictures")


def _bad_files() -> Made:
    """Those of `photos.bad_files`, made again one by one."""
    with TemporaryDirectory() as temporary:
        for name, path in photos.bad_files(Path(temporary)).items():
            if path.is_dir():
                yield name, lambda made: made.mkdir(), Expected(FAILED, "is a folder")
            elif path.is_fifo():
                yield name, os.mkfifo, Expected(FAILED, "not an ordinary file")
            elif not path.exists():
                yield name, lambda made: None, Expected(FAILED, "no such file")
            else:
                yield name, path.read_bytes(), Expected(FAILED)


def giant(head: bytes) -> Callable[[Path], object]:
    """Makes a file of gigabytes that takes no room."""

    def make(path: Path) -> None:
        path.write_bytes(head)
        os.truncate(path, GIANT)

    return make


def _socket(path: Path) -> None:
    """A socket by a short name: the system knows no long ones."""
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def counts(expected: Mapping[Path, Expected]) -> dict[str, int]:
    """How many photos have each status."""
    statuses = [each.status for each in expected.values()]
    return {status: statuses.count(status) for status in (PROTECTED, NOT, NO_FACE, FAILED)}
