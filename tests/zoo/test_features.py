"""A distance in the early features of SFace: its arithmetic, and that it is one."""

from itertools import pairwise

import bundled
import pytest
import torch
import torch.nn.functional as F
from sitters import sitters
from tiny import numbers
from torch import nn

from kohl.geometry import resized
from kohl.zoo import cards
from kohl.zoo.distances import features
from kohl.zoo.distances.features import LOOKS, Features

FACES = resized(sitters(), 64).crops
SFACE = cards.find("sface")


@pytest.fixture(scope="module")
def distance():
    return cards.load("sface", "perceptual")


def noisy(amount, seed=0):
    return (FACES + amount * torch.randn(FACES.shape, generator=numbers(seed))).clamp(0, 1)


def test_is_the_perceptual_side_of_sface(distance):
    assert isinstance(distance, Features)
    assert "sface" in cards.named("perceptual")
    loaded = features.load(cards.checked(SFACE))
    assert torch.equal(loaded(FACES, noisy(0.1)), distance(FACES, noisy(0.1)))
    assert not distance.training
    assert not any(weight.requires_grad for weight in distance.parameters())


def test_equal_faces_have_no_distance(distance):
    assert torch.equal(distance(FACES, FACES), torch.zeros(3))


def test_is_one_number_for_each_pair_and_the_same_either_way(distance):
    others = FACES.roll(1, 0)
    there, back = distance(FACES, others), distance(others, FACES)
    assert there.shape == (3,)
    torch.testing.assert_close(there, back)
    one_by_one = torch.cat([distance(a[None], b[None]) for a, b in zip(FACES, others, strict=True)])
    torch.testing.assert_close(there, one_by_one)
    assert (there > 0).all()


def test_more_noise_is_further_away_and_another_face_further_still(distance):
    far = [distance(FACES, noisy(amount)) for amount in (0.01, 0.03, 0.1)]
    assert all((near < further).all() for near, further in pairwise(far))
    assert (far[0] < 0.2 * distance(FACES, FACES.roll(1, 0))).all()


def test_a_reference_is_looked_at_once_and_serves_many_pictures(distance):
    seen = []
    hook = distance.layers[0].register_forward_pre_hook(lambda layer, inputs: seen.append(len(inputs[0])))
    reference = FACES[:1]
    measure = distance.to_reference(reference)
    torch.testing.assert_close(measure(FACES[1:]), distance(FACES[1:], reference.expand(2, -1, -1, -1)))
    torch.testing.assert_close(measure(FACES), distance(FACES, reference.expand(3, -1, -1, -1)))
    hook.remove()
    assert seen[:2] == [1, 2]
    assert seen.count(1) == 1


def test_gradients_reach_the_pictures_and_not_the_reference(distance):
    images, reference = noisy(0.1).requires_grad_(), FACES.clone().requires_grad_()
    distance.to_reference(reference)(images).sum().backward()
    assert (images.grad.flatten(1).norm(dim=1) > 0).all()
    assert images.grad.isfinite().all()
    assert reference.grad is None


def test_pictures_that_fall_along_the_gradient_come_nearer(distance):
    images, measure = noisy(0.1), distance.to_reference(FACES)
    found = [float(measure(images).sum())]
    for _ in range(5):
        images = images.detach().requires_grad_()
        (slope,) = torch.autograd.grad(measure(images).sum(), images)
        images = images - 0.3 * slope / slope.norm()
        found.append(float(measure(images.detach()).sum()))
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.9 * found[0]


def test_sees_what_sface_sees_before_it_halves_the_picture(distance):
    seen = distance.features(FACES)
    assert [x.shape[-1] for x in seen] == [64, 32, 16, 8]
    whole, layers = bundled.SHELF(cards.encoder, "sface").layers, []
    x = (FACES * 255 - 127.5) / 128
    for index, layer in enumerate(whole):
        if index > LOOKS[-1]:
            break
        x = layer(x)
        if index in LOOKS:
            layers.append(x)
    for found, expected in zip(seen, layers, strict=True):
        torch.testing.assert_close(found, F.normalize(expected, dim=1, eps=1e-3), atol=1e-5, rtol=0)
        length = found.norm(dim=1)
        assert length.max() < 1 + 1e-5
        assert length.mean() > 0.99


def test_the_distance_is_that_of_unit_vectors():
    # A layer that leaves pictures as they are: two grey pictures differ in nothing, two pure colours by 2 in each cell.
    same = Features(nn.Sequential(*(nn.Identity() for _ in range(LOOKS[-1] + 1))))
    low, high = (127.5 - 40) / 255, (127.5 + 80) / 255
    middle = 127.5 / 255

    def picture(*colour):
        return torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 5, 5)

    red, green = picture(high, middle, middle), picture(middle, high, middle)
    torch.testing.assert_close(same(red, green), torch.tensor([2.0 * len(LOOKS)]))
    torch.testing.assert_close(
        same(picture(high, high, high), picture(0.6, 0.6, 0.6)), torch.zeros(1), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(same(red, picture(low, middle, middle)), torch.tensor([4.0 * len(LOOKS)]))


def test_needs_no_more_of_the_network_than_it_looks_at(distance):
    assert len(distance.layers) == LOOKS[-1] + 1
    assert distance(*(torch.rand(1, 3, size, 20, generator=numbers()) for size in (36, 36))).shape == (1,)
