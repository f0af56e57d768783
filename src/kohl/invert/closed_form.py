"""The tuned generator of the linear face model, known without a gradient step."""

from __future__ import annotations

from torch import Tensor

from kohl.makeup.layers import MadeUp, bare
from kohl.types import Faces, Inversion, Watch, ignore
from kohl.zoo.generators.face_model import FaceModel
from kohl.zoo.generators.own_face import OwnFace


def in_closed_form(
    model: FaceModel,
    faces: Faces,
    look: Tensor | None = None,
    *,
    watch: Watch = ignore,  # noqa: ARG001
) -> Inversion:
    """What tuning approaches by gradient steps: the linear model plus the residual; zero latents are the face.

    With a `look`, dials as `kohl.makeup.layers` has them, zero latents are the face that wears it. There are no steps
    to `watch`.
    """
    generator = MadeUp(OwnFace(model, faces), faces, bare() if look is None else look)
    return Inversion(faces.crops.new_zeros(len(faces.crops), *generator.latent_shape), generator)
