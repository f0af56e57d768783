"""AMT-GAN as an attack: what the generator is shown, and what becomes of what it draws."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from sitters import sitter, sitters
from tiny import numbers

from kohl.errors import BadSetting
from kohl.perturb.amt_gan import AmtGAN, Transfer, portrait, stretched
from kohl.perturb.pixel import Painted
from kohl.types import Goal
from kohl.zoo.detectors.regions import by_landmarks

FACES, REFERENCE = sitters(), sitter(2)
GOAL = Goal.dodge(FACES, FACES)


class Tinted:
    """A generator that reddens, and remembers what it was shown."""

    size = 64

    def __call__(self, faces, makeup):
        self.faces, self.makeup = faces, makeup
        return faces.images * torch.tensor([1.0, 0.8, 0.8]).view(3, 1, 1)


def attacked(**settings):
    generator = Tinted()
    attack = AmtGAN(generator, REFERENCE, by_landmarks, Transfer(**{"stretched": False, **settings}))
    return attack(FACES, GOAL, rng=numbers()), generator


def test_the_generator_is_shown_small_faces_with_their_landmarks_and_the_one_reference():
    _, seen = attacked()
    assert seen.faces.images.shape == (3, 3, 64, 64)
    torch.testing.assert_close(seen.faces.images, F.interpolate(FACES.crops, (64, 64), mode="bilinear", antialias=True))
    torch.testing.assert_close(seen.faces.landmarks, (FACES.landmarks + 0.5) / 4 - 0.5)
    assert torch.equal(seen.makeup.images[0], seen.makeup.images[2])
    torch.testing.assert_close(seen.makeup.landmarks[1], (REFERENCE.landmarks[0] + 0.5) / 4 - 0.5)


def test_detail_stays_and_only_the_face_is_changed():
    changed, seen = attacked()
    inside = Painted(FACES).mask
    large = F.interpolate(seen.faces.images * torch.tensor([0.0, 0.2, 0.2]).view(3, 1, 1), (256, 256), mode="bilinear")
    torch.testing.assert_close(changed, (FACES.crops - inside * large).clamp(0, 1), atol=1e-6, rtol=0)
    outside = (inside == 0).expand_as(changed)
    assert torch.equal(changed[outside], FACES.crops[outside])


def test_a_generator_that_changes_nothing_changes_nothing():
    attack = AmtGAN(Tinted(), REFERENCE, by_landmarks, Transfer(stretched=False, share=0.0))
    assert torch.equal(attack(FACES, GOAL, rng=numbers()), FACES.crops)


def test_stretching_is_from_nought_to_one_for_each_picture():
    images = 0.3 + 0.2 * torch.rand(2, 3, 8, 8, generator=numbers())
    found = stretched(images)
    assert found.flatten(1).amin(1).tolist() == [0, 0]
    assert found.flatten(1).amax(1).tolist() == pytest.approx([1, 1], abs=1e-4)
    assert torch.equal(found[:1], stretched(images[:1]))
    plain, _ = attacked()
    assert not torch.equal(attacked(stretched=True)[0], plain)


def test_a_portrait_of_larger_crops_is_the_same():
    large = sitters(512)
    small, other = portrait(FACES, 64, by_landmarks), portrait(large, 64, by_landmarks)
    torch.testing.assert_close(small.landmarks, other.landmarks, atol=1e-3, rtol=0)
    assert (small.images - other.images).abs().mean() < 0.01


def test_strength_turns_the_share_and_other_regions_are_refused():
    assert [Transfer().at(strength).share for strength in (0, 0.5, 1)] == [0.25, 1, 4]
    with pytest.raises(BadSetting, match=r"^amt_gan\.regions: must be one of landmarks, bisenet, not hair"):
        replace(Transfer(), regions="hair")
