"""Looks to start from: drawn at random, and the one that looks most like the words."""

import pytest
import torch
from sitters import sitter
from tiny import LinearText, numbers

from kohl.makeup.layers import DIALS, Makeup, bare
from kohl.makeup.products import NAMES
from kohl.perturb.looks import SHARE, drawn, most_alike

COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}
FACE = sitter(0, 64)
GREY = FACE.with_crops(torch.full_like(FACE.crops, 0.5))  # which the toy model sees nothing in
GREY.crops[..., 40:44, 28:32], GREY.crops[..., 40:44, 32:36] = 1.0, 0.0  # what is white there says that it is day


def paint(colour, opacity=0.9):
    """A face painted in one colour."""
    look = bare()
    look[NAMES.index("face paint"), :4] = torch.tensor([opacity, *colour])
    return look


def model():
    """Words for three colours; the neutral words say nothing."""
    return LinearText({**COLOURS, LinearText.neutral: (0.0, 0.0, 0.0)})


def test_a_drawn_look_wears_some_products_strongly_in_the_colours_they_have_or_in_any():
    looks = drawn(500, numbers())
    assert looks.shape == (500, len(NAMES), len(DIALS))
    assert looks.min() >= 0
    assert looks.max() <= 1
    worn = looks[..., 0] > 0
    assert set(looks[..., 0].unique().tolist()) == {0.0, torch.tensor(0.8).item()}
    assert worn.float().mean().item() == pytest.approx(SHARE, abs=0.02)
    assert ((worn.float().mean(0) - SHARE).abs() < 0.07).all()  # each product as often
    usual = (looks[..., 1:4] == bare()[:, 1:4]).all(-1)
    assert usual.float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(looks[..., 4:], bare()[:, 4:].expand(500, -1, -1))


def test_drawing_depends_on_the_random_numbers_alone():
    assert torch.equal(drawn(9, numbers(1)), drawn(9, numbers(1)))
    assert not torch.equal(drawn(9, numbers(1)), drawn(9, numbers(2)))
    state = torch.get_rng_state()
    drawn(9, numbers(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_every_drawn_look_is_a_tensor_of_its_own():
    looks = drawn(2, numbers())
    looks[0] = 0.5
    assert not torch.equal(looks[1], looks[0])
    assert torch.equal(bare()[:, 0], torch.zeros(len(NAMES)))


@pytest.mark.parametrize("asked", COLOURS)
@pytest.mark.parametrize("shift", [0, 2])
def test_the_most_alike_has_the_colour_that_was_asked_for_wherever_it_stands(asked, shift):
    looks = torch.stack([bare(), *(paint(colour) for colour in COLOURS.values())]).roll(shift, 0)
    assert torch.equal(most_alike(model(), asked, GREY, looks), paint(COLOURS[asked]))


def test_the_most_alike_has_the_lowest_loss_of_all():
    looks, words = drawn(5, numbers(4)), model()
    found = most_alike(words, "red", FACE, looks)
    makeup, start = Makeup(FACE), words.embed_images(FACE.crops)
    moves = [words.embed_images(makeup(FACE.crops, look[None])) - start for look in looks]
    likeness = torch.cat([torch.cosine_similarity(move, torch.tensor([COLOURS["red"]])) for move in moves])
    assert torch.equal(found, looks[likeness.argmax()])
    assert likeness.max() > 0.1


def test_each_look_is_seen_once_and_nothing_is_changed():
    words, looks = model(), drawn(5, numbers())
    before = [looks.clone(), *(part.clone() for part in vars(FACE).values())]
    found = most_alike(words, "red", FACE, looks)
    assert words.pictures == 1 + 5
    assert words.sentences == ["red", LinearText.neutral]
    assert all(map(torch.equal, before, [looks, *vars(FACE).values()]))
    assert not found.requires_grad
