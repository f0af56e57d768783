"""Odd photos, which kohl must read, and bad files, which it must refuse, made in a folder from the sample portrait."""

import os
import struct
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pillow_heif as library
from PIL import Image, ImageCms

SAMPLE = Path(__file__).parents[1] / "docs" / "photos" / "astronaut.jpg"
SECRET = b"E. Noether, Goettingen"  # stands wherever a file says who, where or when


def portrait() -> Image.Image:
    """The sample's face with its surroundings, 240 × 256 pixels; the face is about 100 pixels wide."""
    with Image.open(SAMPLE) as photo:
        return photo.convert("RGB").crop((112, 0, 352, 256))


def odd_photos(folder: Path) -> dict[str, Path]:
    """By file name, the same upright face in every kind of file that can be read; "1x1.png" has no face."""
    return _written(_odd(), folder)


@cache
def _odd() -> dict[str, bytes]:
    """What is in these files."""
    face, corner = portrait(), Image.new("L", (240, 256), 255)
    corner.paste(0, (0, 0, 40, 30))
    grey, palette, clear = face.convert("L"), face.quantize(64), face.copy()
    clear.putalpha(corner)
    wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    turned = Image.Exif()
    turned[0x0112] = 6  # "turn me clockwise"
    other = face.rotate(9)
    made = {
        "plain.jpg": (face, {"quality": 95}),
        "coarse.jpg": (face, {"quality": 75, "subsampling": 2}),
        "progressive.jpg": (face, {"quality": 95, "progressive": True}),
        "turned.jpg": (face.transpose(Image.Transpose.ROTATE_90), {"quality": 95, "exif": turned}),
        "grey.jpg": (grey, {"quality": 95}),
        "cmyk.jpg": (face.convert("CMYK"), {"quality": 95}),
        "really_png.jpg": (face, {"format": "PNG"}),
        "plain.png": (face, {}),
        "profiled.png": (face, {"icc_profile": rgb_profile()}),
        "grey_16_bit.png": (wide, {}),
        "bilevel.png": (grey.convert("1"), {}),
        "palette.png": (palette, {}),
        "palette_clear.png": (palette, {"transparency": palette.getpixel((0, 0))}),
        "rgba.png": (clear, {}),
        "grey_alpha.png": (Image.merge("LA", [grey, corner]), {}),
        "1x1.png": (Image.new("RGB", (1, 1), "red"), {}),
        "plain.webp": (face, {"quality": 95}),
        "rgba.webp": (clear, {"lossless": True, "exact": True}),
        "plain.tif": (face, {}),
        "cmyk.tif": (face.convert("CMYK"), {}),
        "lab.tif": (lab(face), {}),
        "grey_16_bit.tif": (wide, {}),
        "float.tif": (Image.fromarray(np.asarray(grey, np.float32) / 255), {}),
        "plain.bmp": (face, {}),
        "plain.gif": (palette, {}),
        "plain.avif": (face, {"quality": 95}),
        "several.mpo": (face, {"format": "MPO", "quality": 95, "save_all": True, "append_images": [other]}),
    }
    deep = np.asarray(face)[..., ::-1].astype(np.uint16) * 257
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, (image, settings) in made.items():
            image.save(folder / name, **settings)
        for name in ("rgb_16_bit.png", "rgb_16_bit.tif"):
            cv2.imwrite(str(folder / name), deep)
        private_jpeg(folder / "private.jpg")
        heif(folder / "turned.heic", face.transpose(Image.Transpose.ROTATE_90), exif=turned.tobytes(), tile_size=64)
        heif(folder / "several.heif", face, other)
        heif(folder / "clear.heic", clear, chroma=444)
        library.from_bytes("RGB;16", face.size, deep[..., ::-1].tobytes()).save(folder / "10_bit.heic", quality=95)
        names = (*made, "rgb_16_bit.png", "rgb_16_bit.tif", "private.jpg")
        names += ("turned.heic", "several.heif", "clear.heic", "10_bit.heic")
        found = {name: (folder / name).read_bytes() for name in names}
    film = b"\0\0\0\x18ftypmp42" + bytes(12) + b"\0\0\x10\0mdat" + SECRET.ljust(4088, b"\0")
    return {**found, "motion.jpg": found["plain.jpg"] + film}


def heif(path: Path, *images: Image.Image, **settings: object) -> None:
    """A HEIC of these pictures, the first of which is the main one."""
    first, *others = images
    file = library.from_pillow(first)
    for image in others:
        file.add_from_pillow(image)
    file.save(path, primary_index=0, **{"quality": 95, **settings})


def bad_files(folder: Path) -> dict[str, Path]:
    """By file name, what kohl must refuse; "missing.jpg" is not there, "pipe.jpg" would hang a careless reader."""
    paths = _written(_bad(), folder)
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    return paths | {name: folder / name for name in ("folder.jpg", "pipe.jpg", "missing.jpg")}


@cache
def _bad() -> dict[str, bytes]:
    """What is in those that are files."""
    face = portrait()
    jpeg, png, webp = encoded(face, "JPEG", quality=95), encoded(face, "PNG"), encoded(face, "WEBP")
    return {
        "empty.jpg": b"",
        "text.jpg": b"My face, in a thousand words.\n" * 30,
        "noise.png": bytes(range(7, 256)) * 9,
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "padded.jpg": jpeg[: len(jpeg) // 2] + bytes(len(jpeg) // 2),
        "header_only.jpg": jpeg[:20],
        "cut.png": png[: len(png) // 2],
        "cut.webp": webp[: len(webp) // 2],
        "drawing.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "scan.pdf": b"%PDF-1.7\n%",
        "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
        "vast.png": vast_png(60_000, 60_000),
        "animation.gif": encoded(face, "GIF", save_all=True, append_images=[face.rotate(9)]),
        "animation.png": encoded(face, "PNG", save_all=True, append_images=[face.rotate(9)]),
        "animation.webp": encoded(face, "WEBP", save_all=True, append_images=[face.rotate(9)]),
        "pages.tif": encoded(face, "TIFF", save_all=True, append_images=[face.rotate(9)]),
        "camera.dng": encoded(face, "TIFF", tiffinfo={0x00FE: 1}),
        "bomb.png": encoded(Image.new("1", (10_000, 10_000)), "PNG"),  # 100 megapixels in 12 kB
    }


def _written(contents: dict[str, bytes], folder: Path) -> dict[str, Path]:
    """The files by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def encoded(image: Image.Image, format_: str, **settings: object) -> bytes:
    """The bytes of `image` in a file."""
    buffer = BytesIO()
    image.save(buffer, format_, **settings)
    return buffer.getvalue()


def private_jpeg(path: Path) -> None:
    """The portrait with SECRET in its EXIF, GPS, maker note, comment, XMP and after its end, and a preview picture."""
    exif = Image.Exif()
    exif[0x010F] = exif[0x013B] = exif[0x9286] = SECRET.decode()  # make, artist, user comment
    exif.get_ifd(0x8769)[0x927C] = SECRET + encoded(portrait().resize((60, 64)), "JPEG")  # maker note
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 32.0, 0.0), 3: "E", 4: (9.0, 56.0, 0.0), 0x1C: SECRET})
    data = encoded(portrait(), "JPEG", quality=95, exif=exif, comment=SECRET, icc_profile=rgb_profile())
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(xmp)) + xmp + data[2:] + SECRET)


def lab(image: Image.Image) -> Image.Image:
    """`image` in CIE L*a*b*."""
    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.profileToProfile(image, *spaces, outputMode="LAB")


@cache  # a new one would say when it was made
def rgb_profile() -> bytes:
    """A colour profile whose pixels are RGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def curve(*values: int) -> bytes:
    """A tag that says how a channel becomes light: one value is a power times 256."""
    return struct.pack(f">4s4xI{len(values)}H", b"curv", len(values), *values)


def primary(*values: float) -> bytes:
    """A tag of three numbers."""
    return struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in values))


WIDE = {  # ProPhoto's, which is none of the common spaces
    b"rXYZ": primary(0.79767, 0.28804, 0.0),
    b"gXYZ": primary(0.13519, 0.71188, 0.0),
    b"bXYZ": primary(0.03134, 0.00009, 0.82491),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(461)),
}


def profile(kind: bytes, tags: dict[bytes, bytes], after: bytes = b"") -> bytes:
    """A colour profile with its white, SECRET in a text, a private tag and its header, and then `after`."""
    told = {b"desc": b"desc\0\0\0\0\0\0\0\x20" + SECRET, b"SECR": SECRET, b"wtpt": primary(0.9642, 1, 0.8249), **tags}
    start, table, body = 132 + 12 * len(told), b"", b""
    for name, content in told.items():
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = start + len(body) + len(after)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", kind, b"XYZ ") + bytes(12) + b"acsp"
    head += SECRET[:16].ljust(28, b"!") + struct.pack(">3i", 63190, 65536, 54061) + SECRET[:16].ljust(48, b"!")
    return head + struct.pack(">I", len(told)) + table + body + after


def cmyk_profile() -> bytes:
    """A colour profile of an odd press: its paper is white, its cyan prints black, its other inks print nothing."""
    steps = bytes(range(256))
    corners = b"".join(bytes([0 if ink >= 8 else 255, 128, 128]) for ink in range(16))  # Lab at c, m, y, k = 0 or 1
    identity = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    table = b"mft1\0\0\0\0\x04\x03\x02\0" + identity + steps * 4 + corners + steps * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 128 + 16, len(table))
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50, in 16.16 fixed point
    head = struct.pack(
        ">I4x4s4s4s4s12x4s28x", 128 + 16 + len(table), b"\x02\x40\0\0", b"prtr", b"CMYK", b"Lab ", b"acsp"
    )
    return head + white + bytes(48) + tags + table


def vast_png(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than it has data for."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
