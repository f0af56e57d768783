"""Nothing of a photo's story is in what is written: every container, every kind of metadata, as exiftool sees it."""

import json
import struct
import subprocess
import zlib
from functools import partial

import cv2
import numpy as np
import photos
import pytest
from PIL import Image

from kohl.align import imageio

WHO = photos.SECRET.decode()
TOLD = (photos.SECRET, WHO.encode("utf-16-le"), WHO.encode("utf-16-be"))
WRITTEN = {  # by exiftool, kind by kind
    "EXIF": [f"-EXIF:{tag}={WHO}" for tag in ("Artist", "Copyright", "ImageDescription", "UserComment", "OwnerName")],
    "EXIF of cameras": [f"-EXIF:{tag}={WHO}" for tag in ("Make", "Model", "SerialNumber", "LensSerialNumber")],
    "EXIF of Windows": [f"-EXIF:XP{tag}={WHO}" for tag in ("Author", "Comment", "Keywords", "Subject", "Title")],
    "EXIF dates": [f"-EXIF:Software={WHO}", "-EXIF:AllDates=2026:11:26 12:00:00", "-EXIF:OffsetTime=+01:00"],
    "GPS": [f"-GPS:GPSAreaInformation={WHO}", "-GPS:GPSLatitude=51.53", "-GPS:GPSLongitude=9.93"],
    "thumbnail": ["-EXIF:ThumbnailImage<=thumbnail.jpg"],
    "XMP": [f"-XMP-{tag}={WHO}" for tag in ("dc:Creator", "dc:Subject", "photoshop:City", "xmpMM:DocumentID")],
    "XMP faces": [f"-XMP-mwg-rs:RegionName={WHO}", f"-XMP-iptcExt:PersonInImage={WHO}", "-XMP-mwg-rs:RegionType=Face"],
    "XMP place": ["-XMP-exif:GPSLatitude=51.53", f"-XMP-exif:GPSAreaInformation={WHO}"],
    "IPTC": [f"-IPTC:{tag}={WHO}" for tag in ("By-line", "City", "Caption-Abstract", "Keywords")],
    "Photoshop": [f"-Photoshop:URL={WHO}", f"-Photoshop:SlicesGroupName={WHO}"],
    "comment": [f"-Comment={WHO}"],
    "text": [f"-PNG:{tag}={WHO}" for tag in ("Author", "Comment", "Source", "Copyright")],
    "time": [f"-PNG:Author={WHO}", "-PNG:ModifyDate=2026:11:26 12:00:00", "-PNG:CreationTime=2026:11:26 12:00:00"],
    "compressed text": ["-z", f"-PNG:Description={WHO * 20}"],
    "Ducky": [f"-Ducky:Comment={WHO}"],
    "Photo Mechanic": ["-PhotoMechanic:Tagged=yes", f"-XMP-photomech:Prefs={WHO}"],
}
EVERYWHERE = ("EXIF", "EXIF of cameras", "EXIF of Windows", "EXIF dates", "GPS", "XMP", "XMP faces", "XMP place")
HELD = {  # by each container, as far as exiftool writes it
    "photo.jpg": (*EVERYWHERE, "thumbnail", "IPTC", "Photoshop", "comment", "Ducky", "Photo Mechanic"),
    "photo.mpo": (*EVERYWHERE, "thumbnail", "IPTC", "Photoshop", "comment", "Ducky"),
    "photo.png": (*EVERYWHERE, "thumbnail", "IPTC", "comment", "text", "time", "compressed text"),
    "deep.png": (*EVERYWHERE, "text", "time"),
    "photo.tif": (*EVERYWHERE, "IPTC", "Photoshop"),
    "deep.tif": (*EVERYWHERE, "IPTC", "Photoshop"),
    "photo.webp": (*EVERYWHERE, "thumbnail"),  # lifted from a JPEG: exiftool of before 2023 writes no WebP
    "lossless.webp": EVERYWHERE,
    "photo.avif": (*EVERYWHERE, "thumbnail"),
    "photo.heic": EVERYWHERE,
    "photo.gif": ("XMP", "XMP faces", "XMP place", "comment"),
    "photo.bmp": (),  # it writes none
}


def jpeg_segment(marker, content, data):
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content)) + content + data[2:]


def png_chunk(name, content, data):
    chunk = name + content
    return data[:33] + struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]


def webp_chunk(name, content, data):
    content += bytes(len(content) % 2)
    return (
        b"RIFF"
        + struct.pack("<I", len(data) + len(content))
        + data[8:]
        + name
        + struct.pack("<I", len(content))
        + content
    )


def avif_box(name, content, data):
    return data + struct.pack(">I", 8 + len(content)) + name + content


def gif_extension(label, content, data):
    block = bytes([0x21, label, len(content)]) + content + b"\0"
    return data[:-1] + block + data[-1:]


def tiff_tag(data):
    """The TIFF with a new directory at its end, of the old entries and a private one."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    body = data + bytes(len(data) % 2)
    place = len(body)
    body += photos.SECRET + bytes(len(photos.SECRET) % 2)
    entry = struct.pack("<HHII", 65_000, 2, len(photos.SECRET), place)
    directory = struct.pack("<H", count + 1) + data[start + 2 :][: 12 * count] + entry + bytes(4)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


def by_hand(name):
    """What exiftool does not write: by kind, a function of the bytes of a file."""
    kinds = {"after the end": lambda data: data + b"\n" + photos.SECRET}
    suffix = name.rpartition(".")[2]
    if suffix in ("jpg", "mpo"):
        kinds |= {
            f"segment {marker:X}": partial(jpeg_segment, marker, b"OTHER\0" + photos.SECRET)
            for marker in (*range(0xE1, 0xF0), 0xFE)
            if marker != 0xEE  # Adobe's says what the channels are
        }
    elif suffix == "png":
        chunks = (b"zTXt", b"Title\0\0" + zlib.compress(photos.SECRET)), (b"iTXt", b"T\0\0\0\0\0" + photos.SECRET)
        chunks += (b"prVt", photos.SECRET), (b"sPLT", photos.SECRET + b"\0\x08" + bytes(6)), (b"caBX", photos.SECRET)
        kinds |= {f"chunk {kind.decode()}": partial(png_chunk, kind, content) for kind, content in chunks}
    elif suffix == "webp":
        kinds["chunk"] = partial(webp_chunk, b"SECR", photos.SECRET)
    elif suffix == "tif":
        kinds["tag"] = tiff_tag
    elif suffix in ("avif", "heic"):
        kinds |= {box: partial(avif_box, box.encode(), photos.SECRET) for box in ("free", "mdat", "uuid")}
    elif suffix == "gif":
        kinds["comment extension"] = partial(gif_extension, 0xFE, photos.SECRET)
        kinds["own extension"] = partial(gif_extension, 0xFF, b"KEPTHERE1.0" + photos.SECRET)
    return kinds


CASES = [(name, kind) for name, kinds in HELD.items() for kind in (*kinds, *by_hand(name))]
PLACES = {  # where exiftool sees how the pixels are kept, and nothing else
    *("ExifTool", "System", "File", "Composite", "JFIF", "PNG", "IFD0", "RIFF", "Meta", "Track1"),
    *("ICC_Profile", "ICC-header", "QuickTime", "AV1"),
}


SAVED = {
    **{name: {"quality": 95} for name in ("photo.jpg", "photo.webp", "photo.avif")},
    "photo.mpo": {"quality": 95, "save_all": True},
    "lossless.webp": {"lossless": True},
}


def exiftool(*arguments, folder):
    done = subprocess.run(["exiftool", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def seen(path):
    """Every tag of the file, unknown and doubled ones too, by its group."""
    (tags,) = json.loads(exiftool("-a", "-u", "-U", "-G1", "-ee", "-j", "-b", path.name, folder=path.parent))
    return {tag: value for tag, value in tags.items() if tag != "SourceFile"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A folder with a photo in each container that says nothing of its story, and a thumbnail that does."""
    folder = tmp_path_factory.mktemp("plain")
    face = photos.portrait()
    for name in HELD:
        if name.endswith(".heic"):
            photos.heif(folder / name, face)
        elif name.startswith("deep"):
            cv2.imwrite(str(folder / name), np.asarray(face)[..., ::-1].astype(np.uint16) * 257)
        else:
            second = {"append_images": [face.rotate(9)]} if name == "photo.mpo" else {}
            face.save(folder / name, **SAVED.get(name, {}), **second)
    face.resize((48, 51)).save(folder / "thumbnail.jpg", comment=photos.SECRET)
    return folder


@pytest.mark.tools
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_what_is_written_is_the_same_whatever_the_photo_tells(plain, name, kind, tmp_path):
    told = tmp_path / name
    if kind in WRITTEN and name.endswith(".webp"):
        exiftool(*WRITTEN[kind], "-o", str(tmp_path / "told.jpg"), "photo.jpg", folder=plain)
        with Image.open(tmp_path / "told.jpg") as lifted:
            both = {name: lifted.info[name] for name in ("exif", "xmp") if name in lifted.info}
        assert both
        photos.portrait().save(told, **SAVED[name], **both)
    elif kind in WRITTEN:
        exiftool(*WRITTEN[kind], "-o", str(told), name, folder=plain)
    else:
        told.write_bytes(by_hand(name)[kind]((plain / name).read_bytes()))
    assert told.read_bytes() != (plain / name).read_bytes()
    out, of_plain = (imageio.default_output(tmp_path / name, tmp_path / folder) for folder in ("out", "of plain"))
    imageio.write(imageio.read(told), out)
    imageio.write(imageio.read(plain / name), of_plain)
    assert out.read_bytes() == of_plain.read_bytes()


@pytest.mark.tools
@pytest.mark.parametrize("name", HELD)
def test_exiftool_sees_but_how_the_pixels_are_kept(plain, name, tmp_path):
    out = imageio.default_output(tmp_path / name)
    imageio.write(imageio.read(plain / name), out)
    assert {tag.partition(":")[0] for tag in seen(out)} <= PLACES


@pytest.mark.tools
@pytest.mark.parametrize("name", [name for name in HELD if name not in ("photo.gif", "photo.bmp")])
def test_of_a_profile_the_colours_stay(plain, name, tmp_path):
    profile = photos.profile(b"RGB ", photos.WIDE, after=photos.SECRET * 100)
    told, out = tmp_path / name, imageio.default_output(tmp_path / name)
    if name.startswith("deep"):
        (plain / "wide.icc").write_bytes(profile)
        exiftool("-icc_profile<=wide.icc", "-o", str(told), name, folder=plain)
    elif name.endswith(".heic"):
        photos.heif(told, photos.portrait(), icc_profile=profile, icc_profile_type="prof")
    else:
        photos.portrait().save(told, icc_profile=profile, **SAVED.get(name, {}))
    assert WHO in json.dumps(seen(told))
    imageio.write(imageio.read(told), out)
    tags = seen(out)
    assert "ICC_Profile:RedMatrixColumn" in tags
    assert WHO not in json.dumps(tags)
    assert not any(secret in out.read_bytes() for secret in TOLD)
