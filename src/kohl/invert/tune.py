"""Pivotal tuning: a new generator that reproduces a face at its latents (Roich et al., TOG 2022)."""

from __future__ import annotations

from kohl.types import Faces, Inversion
from kohl.zoo.face_model import FaceModel, OwnFace


def in_closed_form(model: FaceModel, faces: Faces) -> Inversion:
    """What tuning approaches by gradient steps: the linear model plus the residual, zero latents are the face."""
    return Inversion(faces.crops.new_zeros(len(faces.crops), *model.latent_shape), OwnFace(model, faces))
