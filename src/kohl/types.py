"""The nouns and contracts of kohl: what flows between the stages, and what a model, an attack or a judge must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor, nn

from kohl.status import Status

if TYPE_CHECKING:
    import torch

Images: TypeAlias = Tensor  # float32 RGB in [0, 1], (n, 3, height, width)
Latents: TypeAlias = Tensor  # float32, (n, …)
Embeddings: TypeAlias = Tensor  # float32, (n, d), unit length
Scores: TypeAlias = Tensor  # float32, (n,); of a loss: lower is better
Points: TypeAlias = Tensor  # float32, (n, k, 2): x, y in pixels, pixel centres at integers
Matrices: TypeAlias = Tensor  # float32, (n, 2, 3): affine maps, named for what they do
Box: TypeAlias = tuple[float, float, float, float]  # x, y, width, height in photo pixels


@dataclass(frozen=True, eq=False)
class Metadata:
    """What a photo needs to be written the way it came; nothing about who, where or when."""

    format: str = "PNG"  # Pillow's name of the file format
    icc_profile: bytes | None = None  # written anew, see `icc`
    alpha: np.ndarray | None = None  # uint8 (h, w)
    grey: bool = False  # one channel in the file: the change is made grey too
    jpeg_tables: dict[int, list[int]] | None = None  # quantisation tables of the original
    subsampling: str = "4:4:4"  # of the colours of a JPEG or HEIF
    exif: Image.Exif | None = None  # what was asked to be kept, written anew, see `exif`
    lossless: bool = False  # a WebP that keeps every pixel as it is
    deep: np.ndarray | None = None  # uint16 (h, w, 1, 3 or 4), upright: of a photo with 10 to 16 bits, all of them


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright photo: uint8 RGB pixels (height, width, 3), its path, and how to write it back."""

    pixels: np.ndarray
    path: Path = Path("photo.png")
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in photo pixels; `reason` says why it was skipped, if it was."""

    box: Box
    score: float  # the detector's confidence, 0 to 1
    points: np.ndarray  # (5, 2) eyes, nose tip, mouth corners, the viewer's left first
    landmarks: np.ndarray  # (68, 2) in the iBUG order
    to_crop: np.ndarray  # (2, 3) photo pixels to crop pixels
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Faces:
    """A batch of aligned crops with their landmarks in crop pixels."""

    crops: Images
    points: Points  # (n, 5, 2)
    landmarks: Points  # (n, 68, 2)

    def with_crops(self, crops: Images) -> Faces:
        """The same faces wearing other pixels."""
        return replace(self, crops=crops)

    def to(self, device: torch.device) -> Faces:
        """The same faces, on that device."""
        return Faces(self.crops.to(device), self.points.to(device), self.landmarks.to(device))


class Generator(nn.Module, ABC):
    """Turns latents into crops; a tuned one gives a particular face back at particular latents."""

    latent_shape: tuple[int, ...]
    size: int  # crops are (size, size)
    # How it is made to give a face back: a name in `invert.inverters`; "itself" is by its own method `invert`, an
    # `Inverter`. A face's own generator has none.
    inverted_by: str = ""

    @abstractmethod
    def forward(self, latents: Latents) -> Images:
        """The crops at `latents` (n, *latent_shape)."""


class FaceEncoder(nn.Module, ABC):
    """A white-box recogniser: gradients flow from its embeddings to the pixels."""

    name: str
    size: int  # its input is (size, size)

    @abstractmethod
    def to_input(self, faces: Faces) -> Matrices:
        """How this recogniser aligns each face: crop pixels to its own input pixels."""

    @abstractmethod
    def forward(self, inputs: Images) -> Embeddings:
        """Embeddings of aligned inputs (n, 3, size, size) in [0, 1]."""


class TextImage(nn.Module, ABC):
    """Pictures and sentences in one space: gradients flow from the embeddings of pictures to their pixels."""

    name: str
    neutral: str  # what it calls a face that nobody asked anything for
    frames: Sequence[str] = ()  # sentences that were published for its words, which `{}` stands for
    free: bool = True  # whether it reads any words, and not only those of `kohl.makeup.words`

    @abstractmethod
    def embed_images(self, images: Images) -> Embeddings:
        """Embeddings of pictures (n, 3, height, width) of any size."""

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of sentences, one each."""


@dataclass(frozen=True, eq=False)
class Inversion:
    """Latents, and a generator that reproduces the faces at exactly those latents."""

    latents: Latents
    generator: Generator
    noise: int = 0  # how many of the latents, the last of each face, are noise; the others are styles


@dataclass(frozen=True, eq=False)
class Goal:
    """Whom the result must no longer match, and whom it may come to resemble: a synthetic person."""

    source: Faces
    target: Faces
    away: float  # weight of leaving the source
    towards: float  # weight of approaching the target; 0 is pure dodging
    others: Sequence[Faces] = ()  # of other photos of the source, which are left too; of several faces, the likest

    @classmethod
    def dodge(cls, source: Faces, decoy: Faces, towards: float = 1.0, others: Sequence[Faces] = ()) -> Goal:
        """Stop matching `source`; a decoy per photo keeps two protected photos from matching each other."""
        return cls(source, decoy, away=1.0, towards=towards, others=others)

    @classmethod
    def impersonate(cls, source: Faces, target: Faces) -> Goal:
        """Be matched as `target`, a synthetic person, whatever becomes of the source."""
        return cls(source, target, away=0.0, towards=1.0)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One state of the search: the images, and the latents they came from."""

    images: Images
    latents: Latents


@dataclass(frozen=True, eq=False)
class Step:
    """What a running attack tells `watch`; an inverter that takes steps tells the same of its own."""

    index: int
    total: int
    losses: Mapping[str, float]
    candidate: Candidate


Term: TypeAlias = Callable[[Candidate], Scores]
Watch: TypeAlias = Callable[[Step], None]
Detector: TypeAlias = Callable[[Photo], list[Face]]


class Targets(Protocol):
    """People by number, whom a face may come to resemble: a batch of one each."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Faces: ...


class Inverter(Protocol):
    """Faces in, and out comes what gives them back: at once, or by steps that `watch` is told of."""

    def __call__(self, faces: Faces, *, watch: Watch = ...) -> Inversion:
        """Latents, and a new generator that gives these faces back there; nothing that was given changes."""
        ...


class Perceptual(Protocol):
    """A distance between pictures as people, or a network, see them."""

    def to_reference(self, reference: Images) -> Callable[[Images], Scores]:
        """The distance from `reference`, which is looked at only once."""
        ...


class Attack(Protocol):
    """Ours and every baseline: faces and a goal in, changed crops out."""

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ...) -> Images:
        """Changed crops, the same shape as `faces.crops`; all randomness comes from `rng`."""
        ...


class Verifier(Protocol):
    """A black-box judge: it opens files and finds, aligns and compares the faces by itself."""

    name: str
    thresholds: Mapping[float, float]  # false-accept rate → similarity at or above which it says "same person"

    def compare(
        self, probe: Path, gallery: Sequence[Path], *, box: Box | None = None, at: Box | None = None
    ) -> list[float | None]:
        """For each gallery file, the highest similarity of the probe's face to any face in it, or that `at` a box.

        The probe's face is the one that this judge itself finds at `box` (photo pixels), or the largest without a box.
        None where it finds no such face in the probe or in that gallery file: not the same as "different person".
        """
        ...


@dataclass(frozen=True)
class Judgement:
    """One judge's similarity of the original and of the protected file to the original or a reference photo."""

    before: float | None  # None: the judge found no face
    after: float | None
    threshold: float
    far: float  # the false-accept rate of that threshold

    @property
    def matches(self) -> bool | None:
        """Whether the protected file still matches; None when the judge found no face in it."""
        return None if self.after is None else self.after >= self.threshold


@dataclass(frozen=True)
class FaceRow:
    """What became of one face; `judges` compares with the original photo, `references` with each other photo given."""

    index: int
    box: tuple[int, int, int, int]
    status: Status
    reason: str | None = None
    judges: Mapping[str, Judgement] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, Judgement]] = field(default_factory=dict)  # path → judge → judgement
    psnr: float | None = None  # dB, on the face crop of `score.quality`, from the files
    ssim: float | None = None
    nlpd: float | None = None  # how much of the change the eye sees, on the generator's crop; 0 is none
    chance: float | None = None  # estimated, that a recogniser which nobody asked still matches the saved face
    tries: int | None = None  # which one this is: 1 is the first

    @property
    def recognised(self) -> bool:
        """Whether some judge still matches this face of the saved file."""
        return any(
            judgement.matches for judges in (self.judges, *self.references.values()) for judgement in judges.values()
        )


@dataclass(frozen=True)
class Row:
    """What became of one photo: one JSON object."""

    photo: str
    output: str | None
    status: Status
    reason: str | None = None
    seconds: float = 0.0
    faces: Sequence[FaceRow] = ()
    recipe: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    version: str = ""
    look: Mapping[str, str] = field(default_factory=dict)  # the words as they were understood: product → how it is worn
    notes: Sequence[str] = ()  # what else there is to know about how it was made


def ignore(step: Step) -> None:
    """The watch that does nothing."""
