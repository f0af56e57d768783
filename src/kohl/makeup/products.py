"""What can be put on a face: products, and coats of them that go on a part of their place only."""

from __future__ import annotations

from dataclasses import dataclass, replace

Range = tuple[float, float, float]  # at dial 0, usually, at dial 1


@dataclass(frozen=True)
class Product:
    """One product: what it usually looks like, and between which values its dials turn, in the units of its field."""

    name: str
    colour: tuple[int, int, int]  # usually asked for, sRGB; see `pigments` for what is put on
    opacity: float  # at dial 1
    darkens: float  # how much of the way from the skin's lightness down to its own it goes
    lightens: float  # the same, up
    width: Range
    length: Range
    softness: tuple[float, float] = (0.15, 1.0)  # of an edge, as a share of the width and of the length
    relief: float = 1.0  # how much of the skin's own light and shade shows through
    own: float = 0.3  # how much of the skin's own differences of colour does
    body: float = 1.0  # above 1 a thin film hides more than its share
    shine: float = 0.0  # most light that gloss adds, in L*
    swallows: float = (
        0.0  # levels of L* for each by which the tints of skin and pigment differ, times 4, where both show
    )
    evens: float = 0.0  # share of small differences in the skin that it hides
    tapers: bool = False  # to nothing at its length
    dyes: bool = False  # also what is darker than skin: hair
    half: int = 0  # of the picture that it goes on alone: −1 is the left, 1 the right
    of: str = ""  # the product whose pigments it takes, where it goes on a part of that one's place, or has none
    after: str = ""  # the product that it is put on after, where it is none of PRODUCTS

    @property
    def pigments(self) -> str:
        """The name under which its colours are found."""
        return self.of or self.name

    @property
    def place(self) -> str:
        """The name of the layer whose place it goes on, or on half of which."""
        return self.name.split(" ", 1)[1] if self.half else self.name


PRODUCTS = (  # in the order in which they are put on
    Product("foundation", (190, 138, 108), 1.0, 1.0, 1.0, (0.6, 2.0, 2.4), (0.7, 1.7, 2.0), own=0.5, evens=0.75),
    Product("face paint", (245, 245, 245), 0.9, 0.92, 0.85, (0.3, 2.0, 2.4), (0.4, 1.7, 2.0), relief=0.8, own=0.2),
    Product(
        "contour", (120, 78, 56), 1.0, 1.0, 1.0, (0.05, 0.14, 0.26), (0.4, 0.75, 1.0), (0.9, 2.4), own=1.0, body=1.35
    ),
    Product(
        "highlighter", (255, 236, 214), 1.0, 1.0, 1.0, (0.03, 0.08, 0.15), (0.4, 1.2, 1.6), (1.5, 3.4), own=1.0,
        body=1.25,
    ),
    Product("blush", (226, 104, 110), 0.68, 0.5, 0.05, (0.5, 0.95, 1.5), (0.45, 0.95, 1.2), (0.8, 2.4), own=0.7),
    Product("freckles", (134, 84, 54), 1.0, 1.0, 1.0, (0.5, 0.9, 1.4), (0.4, 1.0, 1.3), own=1.0, body=1.5),
    Product("stubble", (58, 48, 44), 0.75, 0.8, 0.1, (0.3, 1.2, 1.5), (0.3, 1.3, 1.6), relief=0.7, own=0.7),
    Product(
        "brows", (78, 56, 42), 1.0, 0.85, 0.7, (0.025, 0.055, 0.09), (0.6, 1.2, 1.4), relief=0.7, dyes=True
    ),
    Product(
        "eyeshadow", (150, 108, 88), 0.95, 0.88, 0.72, (0.2, 0.5, 0.95), (0.4, 1.2, 1.4), (0.4, 1.3), relief=0.9,
        body=1.35, shine=18.0, swallows=0.25,
    ),
    Product(
        "eyeliner", (22, 18, 18), 0.97, 0.97, 0.9, (0.012, 0.034, 0.066), (0.09, 0.14, 0.32), (0.1, 1.4), relief=0.4,
        own=0.1, body=1.4, tapers=True,
    ),
    Product("mascara", (20, 16, 16), 0.95, 0.97, 0.9, (0.35, 0.8, 1.2), (0.4, 1.2, 1.4), relief=0.25),
    Product(
        "lipstick", (190, 40, 62), 1.0, 0.96, 0.66, (0.55, 1.2, 1.3), (0.5, 1.25, 1.4), (0.1, 0.8), relief=0.98,
        own=0.16, body=1.3, shine=34.0,
    ),
    Product(
        "lip liner", (140, 44, 60), 0.9, 0.9, 0.75, (0.018, 0.033, 0.07), (0.5, 1.25, 1.4), (0.3, 1.1), own=0.2,
        body=1.3,
    ),
)  # fmt: skip
NAMES = tuple(product.name for product in PRODUCTS)
_NAMED = dict(zip(NAMES, PRODUCTS, strict=True))


def _coats(of: str, *names: str, width: Range | None = None, length: Range | None = None) -> tuple[Product, ...]:
    """Coats of a product, put on after it."""
    one = _NAMED[of]
    changed = replace(one, of=of, after=of, tapers=False, width=width or one.width, length=length or one.length)
    return tuple(replace(changed, name=name) for name in names)


_BRONZER = Product(
        "bronzer", (160, 106, 70), 1.0, 1.0, 1.0, (0.06, 0.18, 0.29), (0.5, 1.3, 1.6), (1.4, 3.0), own=1.0, body=1.2,
        after="contour",
    )  # fmt: skip
COATS = (
    Product(
        "concealer", (190, 138, 108), 0.9, 0.0, 1.0, (0.05, 0.1, 0.15), (0.5, 1.15, 1.5), (1.0, 2.4), own=0.35,
        evens=0.6,
        after="foundation",
    ),
    _BRONZER,
    *(replace(_BRONZER, name=f"{part} bronzer", of="bronzer") for part in ("cheek", "forehead", "jaw", "nose")),
    *_coats("contour", "jaw contour", "cheek contour", "nose contour"),
    *_coats("highlighter", "cheek highlighter", "nose highlighter", "brow bone highlighter", "corner highlighter"),
    *_coats("blush", "nose blush"),
    *_coats(
        "eyeshadow", "outer eyeshadow", "inner eyeshadow", "middle eyeshadow", "crease eyeshadow",
        length=(0.12, 0.52, 1.0),
    ),
    *_coats("eyeshadow", "lower eyeshadow", width=(0.02, 0.06, 0.12)),
    *_coats("eyeliner", "lower eyeliner", width=(0.008, 0.018, 0.045), length=(0.5, 1.2, 1.5)),
    *_coats("eyeliner", "waterline", width=(0.004, 0.008, 0.016), length=(0.5, 1.2, 1.5)),
    *_coats("mascara", "upper mascara", "lower mascara"),
    *_coats("lipstick", "upper lipstick", "lower lipstick", "middle lipstick"),
)  # fmt: skip
HALVES = {"left": -1, "right": 1}  # of the picture
LAYERS = (  # as they are numbered
    *PRODUCTS,
    *COATS,
    *(
        replace(layer, name=f"{side} {layer.name}", half=half, of=layer.pigments, after=layer.after or layer.name)
        for side, half in HALVES.items()
        for layer in (*PRODUCTS, *COATS)
    ),
)
LAYERED = tuple(layer.name for layer in LAYERS)
ORDER = tuple(  # as they are put on
    number
    for product in PRODUCTS
    for number, layer in sorted(enumerate(LAYERS), key=lambda one: LAYERED.index(one[1].place))
    if product.name in (layer.name, layer.after)
)
