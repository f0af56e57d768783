"""Open a photo upright and without its story, and write one back in its own format, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin

from kohl import files
from kohl.types import BadPhoto, Metadata, Photo

MAX_PIXELS = 64 * 2**20  # a 64-megapixel phone's 9248 × 6936 still fits; 200 MB as RGB
TOO_LARGE = f"has more than {MAX_PIXELS / 1e6:.0f} megapixels, the most that kohl reads; scale it down first"
READ = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")  # none that starts a program, as EPS does
WRITTEN_AS = {"MPO": "JPEG", "GIF": "PNG"}  # an MPO's other pictures show the same face; 256 colours lose the change
SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".avif": "AVIF"},
}
NEVER_WRITTEN = (".gif", ".heic", ".heif", ".svg", ".pdf", ".psd", ".jp2", ".jxl", ".ico", ".tga", ".eps")
WITHOUT_ALPHA = ("JPEG", "BMP")
WITHOUT_GREY = ("WEBP", "AVIF")
QUALITY = 95  # where no tables say what is fine enough: WebP, AVIF, JPEG from another format
COARSEST = 92  # no JPEG gets coarser tables than this quality's: they would round the change away

MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"BM", b"GIF8")
ORIENTATION, SUBFILE_TYPE, DNG_VERSION = 0x0112, 0x00FE, 0xC612  # EXIF and TIFF tags
PILLOW_ERRORS = (  # what Pillow raises on broken data, and for what a format cannot hold
    *(OSError, SyntaxError, ValueError, RuntimeError, EOFError, TypeError, LookupError, ArithmeticError),
    *(struct.error, zlib.error),
)


def read(path: Path) -> Photo:
    """The photo at `path`: upright, 8-bit RGB; of its metadata only what `write` needs, nothing of who, where or when.

    Greyscale of more than 8 bits is scaled, not clipped; CMYK and Lab become sRGB; an RGB or grey colour profile stays
    with the pixels as they are. Raises BadPhoto for whatever is no single, complete picture of at most MAX_PIXELS.
    """
    _check_file(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadPhoto(f"{path}: cannot be opened ({error.strerror}); check its permissions") from None
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on odd tags, and on Pillow's own size limit: ours is lower
        head = file.read(16)
        try:
            image = Image.open(file, formats=READ)
            _check_header(image, path)
            pixels = _upright(image, _decoded(image))
            if image.format in ("JPEG", "MPO"):
                _check_end(file)
        except Image.DecompressionBombError:
            raise BadPhoto(f"{path}: {TOO_LARGE}") from None
        except PILLOW_ERRORS:
            raise BadPhoto(f"{path}: {_complaint(head)}") from None
    return Photo(pixels[..., :3].copy(), path, _metadata(image, pixels))


@contextmanager
def writing(photo: Photo, path: Path, *, force: bool = False) -> Iterator[Path]:
    """The file of `photo`, to be looked at inside the block; at its end it takes the name `path`, whole or not at all.

    It has the photo's alpha and colour profile and no other metadata. The format is the one that the suffix of `path`
    names, else the photo's own. A JPEG keeps the original's quantisation tables where they are fine enough, and is
    never chroma-subsampled: that would save few bytes and blur the change. BMP holds no profile. Raises BadPhoto when
    the format cannot hold the photo, when `path` exists and not `force`, and always when `path` is the photo's own
    file. After an error inside the block nothing is left.
    """
    check_output(path, photo.path, force=force)
    data = _encoded(photo, path)
    del photo  # hundreds of megabytes, perhaps
    inside: BaseException | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.placed(path, force=force) as part:
            part.write_bytes(data)
            del data
            try:
                yield part
            except BaseException as error:
                inside = error
                raise
    except OSError as error:
        if error is inside:
            raise
        raise BadPhoto(_unwritable(path, error)) from None


def write(photo: Photo, path: Path, *, force: bool = False) -> None:
    """Write `photo` to `path` as `writing` does."""
    with writing(photo, path, force=force):
        pass


def check_output(path: Path, original: Path, *, force: bool = False) -> None:
    """Raise the BadPhoto that `write` would, as far as it can be known before there is a result."""
    try:
        if path.is_dir():
            raise BadPhoto(f"{path}: is a folder; name a file in it with -o")
        if path.exists() and original.exists() and path.samefile(original):
            raise BadPhoto(f"{path}: is the original photo, which is never overwritten; choose another name with -o")
        if os.path.lexists(path) and not force:
            raise BadPhoto(f"{path}: already exists; pass --force to overwrite it, or choose another name with -o")
        if path.parent.exists() and not path.parent.is_dir():
            raise BadPhoto(f"{path.parent}: is a file, not a folder; choose another place with -o")
    except OSError as error:
        raise BadPhoto(_unwritable(path, error)) from None
    if path.suffix.lower() in NEVER_WRITTEN:
        raise BadPhoto(f"{path}: kohl cannot write {path.suffix} files; ask for .png, .jpg or .webp with -o")


def default_output(photo: Path, output: Path | None = None) -> Path:
    """NAME_kohl.EXT beside `photo` or in the folder `output`; or `output` itself where it names a picture.

    EXT is kept as it is, or is .png where kohl cannot write that format.
    """
    if output is not None and is_photo_name(output):
        return output
    suffix = ".png" if photo.suffix.lower() in NEVER_WRITTEN else photo.suffix
    return (photo.parent if output is None else output) / f"{photo.stem}_kohl{suffix}"


def is_photo_name(path: Path) -> bool:
    """Whether `path`, given as output, means one file rather than a folder for many."""
    named = path.suffix.lower() in (*SUFFIXES, *NEVER_WRITTEN)
    return named and not os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises on a path it may not look at


def digest(photo: Photo) -> bytes:
    """SHA-256 of the photo's size and pixels: the same wherever it lies and whatever it is called."""
    state = hashlib.sha256(struct.pack("<QQ", *photo.size))
    state.update(photo.pixels.tobytes())
    return state.digest()


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise BadPhoto(f"{path}: no such file; check its name") from None
    except OSError as error:
        raise BadPhoto(f"{path}: cannot be opened ({error.strerror}); check its name and permissions") from None
    if stat.S_ISDIR(status.st_mode):
        raise BadPhoto(f"{path}: is a folder; name the photos in it")
    if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting, a device might never end
        raise BadPhoto(f"{path}: is not an ordinary file; save the photo as one first")
    if status.st_size == 0:
        raise BadPhoto(f"{path}: is empty (0 bytes); get a complete copy of it")


def _check_header(image: Image.Image, path: Path) -> None:
    """Refuse, before anything is decoded, what is too large, more than one picture, or only a preview of one."""
    if image.width * image.height > MAX_PIXELS:
        raise BadPhoto(f"{path}: {TOO_LARGE}")
    tags = getattr(image, "tag_v2", {})  # a TIFF's, and so a raw file's
    if DNG_VERSION in tags or tags.get(SUBFILE_TYPE, 0) & 1:
        raise BadPhoto(f"{path}: is a camera's raw file; export it as JPEG or TIFF first")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise BadPhoto(f"{path}: holds several pictures (an animation or pages); save the one you want as PNG first")


def _check_end(file: BinaryIO) -> None:
    """Raise EOFError for a JPEG whose scan never ends: a copy that broke off, padded with zeros, decodes to grey."""
    file.seek(0)
    data = file.read()
    position = 2
    while data[position + 1] != 0xDA:  # start of scan; a thumbnail in a segment before it has an end of its own
        position += 1 if data[position + 1] == 0xFF else 2 + int.from_bytes(data[position + 2 : position + 4])
    if data.find(b"\xff\xd9", position) < 0:
        raise EOFError


def _complaint(head: bytes) -> str:
    """What is wrong with an unreadable file that starts with `head`, and what to do."""
    if head[4:11] in (b"ftyphei", b"ftyphev", b"ftypmif", b"ftypmsf"):
        return "is a HEIC photo, which kohl cannot read; export it as JPEG first"
    if head.startswith(MAGIC):
        return "is damaged or incomplete; get a complete copy of it"
    return "is not a picture that kohl can read; give it a JPEG, PNG, WebP or TIFF photo"


def _unwritable(path: Path, error: OSError) -> str:
    return f"{path}: cannot be written ({error.strerror}); choose another place with -o"


def _decoded(image: Image.Image) -> np.ndarray:
    """uint8 (height, width, 3), or 4 where the file says what is transparent."""
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):
        deep = image.mode != "F" and (image.mode != "I" or image.format == "PNG")
        return np.repeat(_eight_bit(np.asarray(image), white=65535 if deep else None)[..., None], 3, axis=2)
    if image.mode in ("CMYK", "LAB"):
        return np.asarray(_in_srgb(image))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _eight_bit(values: np.ndarray, white: int | None) -> np.ndarray:
    """Grey `values` scaled so that `white` becomes 255; without it, white is the usual one that nothing exceeds."""
    grey = np.nan_to_num(values.astype(np.float32), copy=False)
    brightest = float(grey.max())
    grey *= 255 / (white or next((usual for usual in (1, 255, 65535) if brightest <= usual), brightest))
    return np.rint(grey).clip(0, 255).astype(np.uint8)


def _in_srgb(image: Image.Image) -> Image.Image:
    """A CMYK or Lab picture in sRGB, by its profile if that is valid."""
    source = ImageCms.createProfile("LAB") if image.mode == "LAB" else BytesIO(image.info.get("icc_profile") or b"")
    try:
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError:
        return image.convert("RGB")
    assert converted is not None  # only when converting in place
    return converted


def _upright(image: Image.Image, pixels: np.ndarray) -> np.ndarray:
    """`pixels` turned as the file's EXIF or XMP asks; as they are if that cannot be understood."""
    try:
        orientation = image.getexif().get(ORIENTATION)
    except PILLOW_ERRORS:
        return pixels
    pixels = pixels.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else pixels
    pixels = pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels


def _metadata(image: Image.Image, pixels: np.ndarray) -> Metadata:
    grey = image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")
    return Metadata(
        format=WRITTEN_AS.get(image.format or "", image.format or "PNG"),
        icc_profile=_profile(image.info.get("icc_profile"), grey=grey),
        alpha=pixels[..., 3].copy() if pixels.shape[2] == 4 else None,
        grey=grey,
        jpeg_tables=dict(image.quantization) if isinstance(image, JpegImagePlugin.JpegImageFile) else None,
    )


def _profile(profile: bytes | None, *, grey: bool) -> bytes | None:
    """`profile` if it describes grey or RGB pixels as asked: a CMYK profile says nothing about either."""
    return profile if profile and profile[16:20] == (b"GRAY" if grey else b"RGB ") else None


def _encoded(photo: Photo, path: Path) -> bytes:
    """The bytes of the file that `path` is to be."""
    format_ = SUFFIXES.get(path.suffix.lower(), photo.metadata.format)
    grey, alpha = photo.metadata.grey and format_ not in WITHOUT_GREY, photo.metadata.alpha
    image = Image.fromarray(photo.pixels)
    image = image.convert("L") if grey else image
    if alpha is not None and format_ not in WITHOUT_ALPHA:
        image.putalpha(Image.fromarray(alpha))
    elif alpha is not None and alpha.min() < 255:
        raise BadPhoto(f"{path}: {format_} cannot hold this photo's transparency; ask for a .png with -o")
    settings = _settings(format_, photo.metadata.jpeg_tables)
    buffer = BytesIO()
    try:
        image.save(buffer, format_, icc_profile=_profile(photo.metadata.icc_profile, grey=grey), **settings)
    except PILLOW_ERRORS as error:
        raise BadPhoto(f"{path}: cannot be written as {format_} ({error}); ask for a .png with -o") from None
    return buffer.getvalue()


def _settings(format_: str, tables: dict[int, list[int]] | None) -> dict[str, Any]:
    """Pillow's settings for `format_`."""
    if format_ == "JPEG":  # not optimised: that saves 2 % and fails on a noisy photo with fine tables
        return {"subsampling": 0, **({"qtables": _fine(tables)} if tables else {"quality": QUALITY})}
    if format_ == "WEBP":
        return {"quality": QUALITY, "exact": True}  # exact: the colours behind transparency too
    if format_ == "AVIF":
        return {"quality": QUALITY, "subsampling": "4:4:4"}
    return {"compression": "tiff_lzw"} if format_ == "TIFF" else {}


def _fine(tables: dict[int, list[int]]) -> list[list[int]]:
    """The original's quantisation `tables`, nowhere coarser than those of quality COARSEST."""
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=COARSEST)
    limits = JpegImagePlugin.JpegImageFile(BytesIO(buffer.getvalue())).quantization  # 0: luma, 1: chroma
    return [np.minimum(table, limits[min(index, 1)]).tolist() for index, table in sorted(tables.items())]
