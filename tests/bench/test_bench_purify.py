"""Faces drawn again: what is kept, what goes, and where."""

import bundled
import numpy as np
import pytest
import tiny
import torch
from sitters import sitter
from torch.nn.functional import interpolate

from kohl.align import imageio
from kohl.bench import purify
from kohl.bench.purify import PURIFICATIONS, Purified, by_faces, by_patches, by_styles, purifications
from kohl.types import Faces
from kohl.zoo.shelf import Shelf


def psnr(first, second):
    return float(-10 * (first - second).square().mean().log10())


def test_all_components_of_patches_give_the_picture_back():
    faces = tiny.faces(size=32)
    torch.testing.assert_close(by_patches(faces, kept=1.0), faces.crops, atol=1e-5, rtol=0)


def test_few_components_keep_what_is_common_to_patches_and_drop_noise():
    ramp = torch.linspace(0.2, 0.8, 64).expand(1, 3, 64, 64)
    noisy = ramp + 0.02 * torch.randn(ramp.shape, generator=tiny.numbers())
    cleaned = by_patches(tiny.faces(size=64).with_crops(noisy), kept=0.9)
    assert psnr(cleaned, ramp) > psnr(noisy, ramp) + 6


def test_patches_of_a_flat_picture_are_flat():
    flat = torch.full((2, 3, 16, 16), 0.4)
    torch.testing.assert_close(by_patches(tiny.faces(2).with_crops(flat)), flat)


def test_a_face_of_the_model_is_kept_and_another_one_is_only_near():
    model = bundled.load("face_model")
    rng = tiny.numbers(3)
    latents = 0.5 * model.deviations * torch.randn(1, *model.latent_shape, generator=rng)
    faces = Faces(model(latents), sitter(0).points, model.landmarks[None, :68])
    again = by_faces(model, faces)
    assert psnr(again, faces.crops) > 38
    real = sitter(1)
    once = by_faces(model, real)
    twice = by_faces(model, real.with_crops(once))
    assert 22 < psnr(once, real.crops) < 36
    assert psnr(twice, once) > psnr(once, real.crops) + 5


def test_an_autoencoder_keeps_the_size_and_little_else():
    encode, generator = bundled.load("stylegan2-mini-encoder"), bundled.load("stylegan2-mini")
    with torch.no_grad():
        again = by_styles(encode, generator, sitter(0))
    assert again.shape == sitter(0).crops.shape
    small = [interpolate(images, (16, 16), mode="area") for images in (again, sitter(0).crops)]
    assert psnr(*small) > 20 > psnr(again, tiny.faces(size=256).crops)


def test_only_the_face_is_drawn_again(tmp_path):
    photo = tiny.picture(tmp_path / "photo.png", height=256, width=300)
    face = tiny.face(20, 0, 256)
    face.landmarks[:] = sitter(0).landmarks[0].numpy() + np.array((20, 0))
    black = Purified(lambda faces: torch.zeros_like(faces.crops), tiny.detector(face))
    black(photo, tmp_path / "after.png")
    before, after = (imageio.read(tmp_path / name).pixels for name in ("photo.png", "after.png"))
    changed = (before != after).any(-1)
    assert (after[150, 140] < 5).all()
    assert not changed[:, :40].any()
    assert 0.1 < changed.mean() < 0.6
    assert imageio.read(photo).pixels.mean() > 100


def test_a_photo_without_a_face_stays(tmp_path):
    photo = tiny.picture(tmp_path / "photo.png")
    Purified(by_patches, tiny.detector())(photo, tmp_path / "after.png")
    assert (imageio.read(tmp_path / "after.png").pixels == imageio.read(photo).pixels).all()


@pytest.mark.parametrize("name", PURIFICATIONS)
def test_every_way_changes_a_face_and_names_its_models(tmp_path, monkeypatch, name):
    path = tmp_path / "photo.png"
    pixels = (sitter(0).crops[0].permute(1, 2, 0) * 255).round().byte().numpy()
    imageio.write(imageio.Photo(pixels), path)
    face = tiny.face(0, 0, 256)
    face.landmarks[:] = sitter(0).landmarks[0].numpy()
    way = purifications(bundled.SHELF, tiny.detector(face))[name]
    way(path, tmp_path / f"after{way.suffix}")
    after = imageio.read(tmp_path / f"after{way.suffix}").pixels
    assert after.shape == pixels.shape
    assert 1 < np.abs(after.astype(int) - pixels).mean() < 30
    assert set(way.models) <= {"face_model", "stylegan2-mini", "stylegan2-mini-encoder"}


def test_nothing_is_loaded_before_it_is_needed():
    shelf = Shelf()
    purifications(shelf, tiny.detector())
    assert not shelf._kept
    assert len(purify.PURIFICATIONS) == 4
