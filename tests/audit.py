"""What a file says beside its pixels, byte by byte, by the formats' own specifications and none of kohl's code."""

import struct

JPEG = {0xDB: "tables", 0xC4: "tables", 0xDD: "restarts", 0xC0: "frame", 0xC1: "frame", 0xC2: "frame", 0xDA: "scan"}
PNG = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
WEBP = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH"}
TIFF = {256, 257, 258, 259, 262, 273, 277, 278, 279, 282, 283, 284, 296, 317, 338, 339}  # how pixels are laid out
BOXES = {  # of HEIF and AVIF
    *(b"ftyp", b"meta", b"hdlr", b"pitm", b"iloc", b"iinf", b"infe", b"iref", b"iprp", b"ipco", b"ipma", b"mdat"),
    *(b"ispe", b"pixi", b"hvcC", b"av1C", b"auxC", b"auxl", b"dimg", b"idat", b"irot", b"imir", b"clap"),
}
HOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iinf": 6, b"iref": 4}
ITEMS = {b"hvc1", b"av01", b"grid"}


def said(content):
    """A word for everything that is neither the pixels nor how they are laid out: "icc", "exif", or what it is."""
    for head, walk in ((b"\xff\xd8", jpeg), (b"\x89PNG", png), (b"RIFF", webp), (b"II*\0", tiff), (b"BM", bmp)):
        if content.startswith(head):
            return [*walk(content)]
    assert content[4:8] == b"ftyp"
    return [*boxes(content)]


def jpeg(content):
    place = 2
    while place < len(content):
        assert content[place] == 0xFF, f"no marker at {place}"
        marker = content[place + 1]
        if marker == 0xD9:
            if place + 2 < len(content):
                yield "something after the end"
            return
        length = int.from_bytes(content[place + 2 : place + 4])
        body, place = content[place + 4 : place + 2 + length], place + 2 + length
        if marker == 0xE0 and body[:5] == b"JFIF\0" and length == 16 and not any(body[12:]):
            continue
        if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            yield "icc"
        elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
            yield from exif(body[6:])
        elif marker not in JPEG:
            yield f"segment {marker:X}"
        if marker == 0xDA:
            while content[place] != 0xFF or content[place + 1] in (0, *range(0xD0, 0xD8)):
                place += 1
    yield "no end"


def png(content):
    place = 8
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"iCCP":
            yield "icc"
        elif kind == b"eXIf":
            yield from exif(content[place + 8 : place + 8 + size])
        elif kind not in PNG:
            yield f"chunk {kind}"
        place += 12 + size
        if kind == b"IEND" and place < len(content):
            yield "something after the end"
            return


def webp(content):
    if int.from_bytes(content[4:8], "little") + 8 != len(content):
        yield "something after the end"
    place = 12
    while place < len(content):
        kind, size = struct.unpack_from("<4sI", content, place)
        if kind == b"ICCP":
            yield "icc"
        elif kind == b"EXIF":
            yield from exif(content[place + 8 : place + 8 + size].removeprefix(b"Exif\0\0"))
        elif kind not in WEBP:
            yield f"chunk {kind}"
        place += 8 + size + size % 2


def bmp(content):
    if len(content) != int.from_bytes(content[2:6], "little") or int.from_bytes(content[14:18], "little") != 40:
        yield "more than a header and pixels"


def tiff(content):
    for tag, value in tags(content, int.from_bytes(content[4:8], "little"), "<"):
        if tag == 34675:
            yield "icc"
        elif tag == 34665:
            yield from (f"exif {inner:X}" for inner, _ in tags(content, value, "<"))
        elif tag in (271, 272, 270, 315, 33432):
            yield f"exif {tag:X}"
        elif tag not in TIFF:
            yield f"tag {tag}"


def exif(content):
    """Each tag of an EXIF block."""
    order = {b"II": "<", b"MM": ">"}[content[:2]]
    (start,) = struct.unpack_from(f"{order}I", content, 4)
    for tag, value in tags(content, start, order):
        if tag == 0x8769:
            yield from (f"exif {inner:X}" for inner, _ in tags(content, value, order))
        else:
            yield f"exif {tag:X}"


def tags(content, start, order):
    (count,) = struct.unpack_from(f"{order}H", content, start)
    for index in range(count):
        tag, _, _, value = struct.unpack_from(f"{order}HHII", content, start + 2 + 12 * index)
        yield tag, value
    if any(content[start + 2 + 12 * count :][:4]):
        yield "another directory", 0


def boxes(content):
    """Of a HEIF or AVIF."""
    place = 0
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        assert 8 <= size <= len(content) - place
        body = content[place + 8 : place + size]
        place += size
        if kind == b"colr":
            if body[:4] in (b"prof", b"rICC"):
                yield "icc"
        elif kind == b"infe":
            if body[8:12] == b"Exif":
                yield "exif"
            elif body[8:12] not in ITEMS or body[12:].strip(b"\0") not in (b"", b"Color", b"Alpha"):
                yield f"item {body[8:]}"
        elif kind == b"cdsc":
            yield "exif"
        elif kind not in BOXES:
            yield f"box {kind}"
        if kind in HOLDERS:
            yield from boxes(body[HOLDERS[kind] :])
