"""What somebody may do to a face to be rid of a change: draw it again from what faces, or its patches, are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch
import torch.nn.functional as F

from kohl import files
from kohl.align import crop, encode, imageio
from kohl.bench.posting import Posting, Posts, enlarged
from kohl.restore.paste import paste
from kohl.templates import inside, with_forehead
from kohl.types import Detector, Faces, Generator, Images
from kohl.zoo import cards
from kohl.zoo.generators.face_model import FaceModel, mesh_map
from kohl.zoo.generators.style_encoder import StyleEncoder
from kohl.zoo.shelf import Shelf

Again: TypeAlias = Callable[[Faces], Images]

PATCH, STRIDE = 8, 4  # pixels of a side of a patch, and between two of them
KEPT = 0.98  # of the patches' variance
PURIFICATIONS = ("pca of patches", "face model", "autoencoder", "jpeg, then larger")


@dataclass(frozen=True, eq=False)
class Purified:
    """A `Posting` that draws the largest face of a photo again; a photo without a face stays as it is."""

    again: Again
    detect: Detector
    models: tuple[str, ...] = ()
    suffix: str = ".png"

    def __call__(self, photo: Path, output: Path) -> None:
        """Writes to `output` what becomes of the photo."""
        before = imageio.read(photo)
        found = self.detect(before)[:1]
        if found:
            faces = crop.crops(before, found)
            mask = inside(faces.landmarks[0].double().numpy(), crop.SIZE)
            with torch.no_grad():
                after = torch.lerp(faces.crops, self.again(faces), mask.to(faces.crops))
            before = paste(before, [found[0].to_crop], faces, after)
        files.write(output, encode.encoded(before, output), force=True)


def by_patches(faces: Faces, kept: float = KEPT) -> Images:
    """The crops from the first principal components of their own patches: what few patches have is gone.

    As Muresan & Parks (ICIP 2003) take noise from pictures; of each crop alone.
    """
    return torch.cat([_by_patches(each, kept) for each in faces.crops[:, None]])


def _by_patches(image: Images, kept: float) -> Images:
    size = image.shape[-2:]
    columns = F.unfold(image, PATCH, stride=STRIDE)[0].T.double()  # (patches, numbers)
    mean = columns.mean(0)
    _, spread, components = torch.linalg.svd(columns - mean, full_matrices=False)
    share = spread.square().cumsum(0) / spread.square().sum().clamp_min(1e-12)
    basis = components[: int((share < kept).sum()) + 1]
    again = (columns - mean) @ basis.T @ basis + mean
    fold = partial(F.fold, output_size=size, kernel_size=PATCH, stride=STRIDE)
    pixels, counts = (fold(values.T[None]) for values in (again, torch.ones_like(again)))
    drawn: Images = torch.where(counts > 0, pixels / counts.clamp_min(1), image.double()).to(image).clamp(0, 1)
    return drawn


def by_faces(model: FaceModel, faces: Faces) -> Images:
    """The faces as the linear face model has them: only what its components can say is left."""
    side = model.inside.shape[0]
    left, top, span = model.frame.tolist()
    mean_shape = (model.landmarks.cpu().double().numpy() - (left, top) + 0.5) * (side / span) - 0.5
    drawn = []
    for image, landmarks in zip(faces.crops[:, None], faces.landmarks.cpu().double().numpy(), strict=True):
        back = mesh_map(mean_shape, with_forehead(landmarks), model.triangles.cpu().numpy(), side)
        where = torch.tensor(back).nan_to_num(-1e6) * 2 / (image.shape[-1] - 1) - 1
        texture = F.grid_sample(image, where[None].to(image), align_corners=True, padding_mode="border")
        change = (texture - model.mean).permute(0, 2, 3, 1).reshape(side * side, 3)[model.where].flatten()
        scales = model.basis.square().sum(1)  # components are orthogonal, each of its own length
        latents = (model.basis @ change / scales)[None]
        forth = model.grids(torch.tensor(landmarks)[None, :68].float(), image.shape[-1]).to(image)
        known = (model.mean + model.texture(latents)).clamp(0, 1)
        face = F.grid_sample(known, forth, align_corners=True)
        drawn.append(torch.where((forth[..., 0] >= -1)[:, None], face, image))
    return torch.cat(drawn)


def by_styles(encode: StyleEncoder, generator: Generator, faces: Faces) -> Images:
    """The faces through an encoder and its generator, as an autoencoder would have them."""
    again = generator(encode(faces.crops))
    size = faces.crops.shape[-2:]
    drawn: Images = F.interpolate(again, size, mode="bicubic", antialias=True).clamp(0, 1)
    return drawn


def purifications(shelf: Shelf, detect: Detector) -> Mapping[str, Posts]:
    """By name, what draws faces again; models are loaded when they are first asked for."""

    def model(faces: Faces) -> Images:
        return by_faces(shelf(cards.generator, "face_model"), faces)  # type: ignore[arg-type]

    def styles(faces: Faces) -> Images:
        encode, generator = shelf(cards.inverter, "stylegan2-mini-encoder"), shelf(cards.generator, "stylegan2-mini")
        return by_styles(encode, generator, faces)

    ways: Sequence[Posts] = (
        Purified(by_patches, detect),
        Purified(model, detect, ("face_model",)),
        Purified(styles, detect, ("stylegan2-mini", "stylegan2-mini-encoder")),
        Posting(partial(enlarged, 75)),
    )
    return dict(zip(PURIFICATIONS, ways, strict=True))
