"""The bundled text-image model: what every such model keeps, and what the trained one knows."""

import json

import bundled
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tiny import numbers

from kohl.errors import BadModel
from kohl.makeup.layers import Makeup, bare
from kohl.makeup.products import NAMES
from kohl.settings import build
from kohl.types import TextImage
from kohl.zoo import cards
from kohl.zoo.text import makeup_clip
from kohl.zoo.text.makeup_clip import LONGEST, MakeupCLIP, Sizes, load, parts, words

TINY = Sizes(channels=(4, 8, 8), blocks=1, kept=2, buckets=64, width=8, layers=1, heads=2, embedding=16)
SENTENCES = ("red lipstick", "no makeup", "a smoky eye with dark brown eyeshadow and a winged black liner, nude lips")
LIPS = NAMES.index("lipstick")


@pytest.fixture(scope="module")
def trained():
    return bundled.load("makeup_clip")


def written(path):
    """A file of a small untrained model, as training writes it."""
    torch.manual_seed(0)
    sizes = {name: getattr(TINY, name) for name in TINY.__dataclass_fields__}
    about = {"sizes": sizes, "vocabulary": {"colours": ["red"]}, "seed": 0, "figures": {}}
    tensors = {name: tensor.half().contiguous() for name, tensor in MakeupCLIP(TINY, {}).state_dict().items()}
    save_file(tensors, path, {"makeup_clip": json.dumps(about)})
    return path


@pytest.fixture(scope="module", params=["untrained", "bundled"])
def model(request, tmp_path_factory):
    if request.param == "bundled":
        return request.getfixturevalue("trained")
    return load(written(tmp_path_factory.mktemp("weights") / "tiny.safetensors"))


def images(count, size=256):
    """Smooth noise."""
    return F.interpolate(torch.rand(count, 3, 16, 16, generator=numbers()), (size, size), mode="bilinear")


# Contract


def test_is_a_text_image_model_without_anything_to_learn(model):
    assert isinstance(model, TextImage)
    assert model.name == "makeup_clip"
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.vocabulary["colours"]


@pytest.mark.parametrize("size", [64, 256, 300])
def test_embeddings_have_unit_length(model, size):
    for found in (model.embed_images(images(2, size)), model.embed_texts(SENTENCES[:2])):
        assert found.shape == (2, model.sizes.embedding)
        torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


def test_the_pictures_of_a_batch_do_not_influence_each_other(model):
    both = model.embed_images(images(2))
    torch.testing.assert_close(both, torch.cat([model.embed_images(one[None]) for one in images(2)]), atol=1e-5, rtol=0)


def test_the_sentences_of_a_batch_do_not_influence_each_other(model):
    torch.testing.assert_close(
        model.embed_texts(SENTENCES), torch.cat([model.embed_texts([one]) for one in SENTENCES]), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        model.look(SENTENCES), torch.cat([model.look([one]) for one in SENTENCES]), atol=1e-5, rtol=0
    )


def test_gradients_reach_the_pixels_of_the_face_and_no_weight(model):
    pixels = images(1).requires_grad_()
    (model.embed_images(pixels) @ model.embed_texts(SENTENCES[:1]).T).sum().backward()
    assert pixels.grad.isfinite().all()
    assert pixels.grad[..., 56:248, 32:224].abs().amax((0, 1)).gt(0).float().mean() > 0.9
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("size", [128, 512, 1024])
def test_gradients_reach_the_pixels_of_any_size(model, size):
    pixels = images(1, size).requires_grad_()
    model.embed_images(pixels).sum().backward()
    assert pixels.grad.isfinite().all()
    assert pixels.grad.any()


@pytest.mark.parametrize("size", [512, 1024])
def test_resolution_does_not_matter(model, size):
    alike = (model.embed_images(images(2, size)) * model.embed_images(images(2))).sum(1)
    assert (alike > 0.98).all()


def test_case_accents_and_spaces_do_not_matter(model):
    plain, typed = (
        model.embed_texts(["rose lipstick, no mascara"]),
        model.embed_texts(["  ROSÉ Lipstick,\tno mascara "]),
    )
    assert torch.equal(plain, typed)


@pytest.mark.parametrize("text", ["", " ", "?", "red " * 75, "x" * 300, "口紅", "💄"])
def test_any_text_has_an_embedding(model, text):
    assert model.embed_texts([text, "red"]).isfinite().all()
    assert model.look([text]).isfinite().all()


def test_no_text_at_all_is_no_embedding(model):
    assert model.embed_texts([]).shape == (0, model.sizes.embedding)
    assert model.look([]).shape == (0, len(NAMES), 8)


def test_the_order_of_words_matters(model):
    one, other = model.embed_texts(["red lips blue eyes", "blue lips red eyes"])
    assert not torch.allclose(one, other, atol=1e-3)


def test_a_look_is_bare_where_nothing_is_asked(model):
    look = model.look([*SENTENCES, *(f"{name} {word}" for name in NAMES for word in ("red", "no"))])
    assert (look.min() >= 0, look.max() <= 1) == (True, True)
    unasked = look[..., 0] == 0
    assert torch.equal(look[unasked], bare().expand_as(look)[unasked])


# Words


def test_words_are_letters_numbers_and_signs():
    assert words("Don’t: cat-eye, 80s ROSÉ!") == ["don't", ":", "cat", "-", "eye", ",", "80s", "rose", "!"]
    assert len(words("a " * 99)) == LONGEST


def test_parts_of_a_word_are_its_grams_and_itself():
    # <ab>: <ab, ab>, and as a whole; so many letters that no two of these share a bucket
    assert len(parts("ab", 1 << 31)) == 3
    assert len(parts("reddish", 1 << 31)) == 7 + 6 + 5 + 1
    assert set(parts("reddish", 1 << 31)) & set(parts("reddishly", 1 << 31))
    assert max(parts("a long phrase", 8)) < 8


# Files


def test_a_file_of_something_else_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadModel, match=r"other\.safetensors: not a text-image model"):
        load(tmp_path / "other.safetensors")


def test_a_file_without_all_its_tensors_is_refused(tmp_path):
    about = makeup_clip.metadata(written(tmp_path / "whole.safetensors"))
    save_file({"x": torch.zeros(1)}, tmp_path / "part.safetensors", {"makeup_clip": json.dumps(about)})
    with pytest.raises(BadModel, match=r"part\.safetensors: not a text-image model"):
        load(tmp_path / "part.safetensors")


# What the bundled one knows


def lips(colour):
    """Dials of lipstick alone."""
    dials = bare()
    dials[LIPS, 0] = 0.8
    dials[LIPS, 1:4] = torch.as_tensor(colour)
    return dials


@pytest.fixture(scope="module")
def decoys():
    """Makeup on four synthetic people, and their crops."""
    people = [bundled.load("decoys")[number] for number in (0, 30, 60, 90)]
    return [(Makeup(person, ["lipstick"]), person.crops) for person in people]


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("red lipstick", (0.80, 0.08, 0.12)),
        ("blue lipstick", (0.12, 0.25, 0.75)),
        ("green lipstick", (0.12, 0.50, 0.20)),
        ("black lipstick", (0.06, 0.05, 0.06)),
    ],
)
def test_lips_that_come_nearer_to_the_colour_come_nearer_to_its_name(trained, decoys, text, colour):
    named, other = torch.tensor(colour), torch.tensor((0.75, 0.55, 0.45))
    steps = torch.stack([lips(other.lerp(named, share)) for share in (0.0, 0.4, 0.7, 1.0)])
    with torch.no_grad():
        drawn = [torch.cat([makeup(crop, dials[None]) for dials in steps]) for makeup, crop in decoys]
        scores = torch.stack([trained.embed_images(one) @ trained.embed_texts([text])[0] for one in drawn])
    assert (scores.mean(0).diff() > -0.01).all()  # two greens may be the same lipstick
    assert (scores[:, -1] > scores[:, 0] + 0.03).all()  # black on dark lips is little news


def test_of_two_sentences_the_one_that_was_drawn_is_nearer(trained, decoys):
    texts = ["red lipstick", "blue lipstick", "no makeup"]
    dials = torch.stack([lips((0.8, 0.08, 0.12)), lips((0.12, 0.25, 0.75)), bare()])
    with torch.no_grad():
        for makeup, crop in decoys:
            drawn = torch.cat([makeup(crop, one[None]) for one in dials])
            scores = trained.embed_images(drawn) @ trained.embed_texts(texts).T
            assert scores.argmax(1).tolist() == [0, 1, 2]


def test_a_look_is_what_the_words_say(trained):
    look = trained.look(["red lipstick", "no makeup", "blue eyeshadow and no lipstick", "black winged eyeliner"])
    worn = [[name for name, dials in zip(NAMES, one, strict=True) if dials[0] > 0] for one in look]
    assert worn == [["lipstick"], [], ["eyeshadow"], ["eyeliner"]]
    red, green, blue = look[0, LIPS, 1:4]
    assert red > 2 * torch.max(green, blue)
    red, green, blue = look[2, NAMES.index("eyeshadow"), 1:4]
    assert blue > torch.max(red, green)
    liner = NAMES.index("eyeliner")
    assert look[3, liner, 1:4].max() < 0.3
    assert look[3, liner, 6] > bare()[liner, 6] + 0.2


def test_words_that_it_has_not_read_are_read_by_their_parts(trained):
    known, strange, other = trained.embed_texts(["red lipstick", "reddish lipstick", "blue lipstick"])
    assert strange @ known > strange @ other


def test_the_file_says_how_it_was_made(trained):
    about = makeup_clip.metadata(cards.path(cards.find("makeup_clip")))
    assert about["figures"]["top-1"] > 0.6  # of 100 sentences
    assert about["figures"]["top-5"] > 0.85
    assert build(Sizes, about["sizes"]) == trained.sizes
