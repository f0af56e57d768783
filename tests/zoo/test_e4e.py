"""e4e against its original code, by fixtures of random weights, and the layouts of its file."""

import pytest
import torch
from fills import filled, given, plain
from published import golden, images, loaded, own_shapes, shapes

from kohl.errors import BadModel
from kohl.zoo.files import state
from kohl.zoo.generators import e4e

AVERAGE = given("input.latent_avg", (1, 512))


def checkpoint(name):
    """A file like the published one, with a fixture's weights."""
    weights = filled(shapes(golden(name)), plain)
    return {
        "state_dict": {f"encoder.{key}": x for key, x in weights.items()} | {"decoder.style.1.bias": torch.ones(512)},
        "opts": {"start_from_latent_avg": True, "encoder_type": "Encoder4Editing"},
        "latent_avg": AVERAGE,
    }


@pytest.mark.parametrize("name", ["e4e_32", "e4e_1024"])
def test_weights_have_the_published_names_and_shapes(name):
    fixture = golden(name)
    styles = fixture["codes"].shape[1]
    ours = own_shapes(lambda: e4e.E4E(styles))
    assert ours.pop("latent_avg") == (styles, 512)
    assert ours == shapes(fixture)


def test_published_file_holds_the_encoder_and_a_generator():
    fixture = golden("e4e_1024")
    theirs = shapes(fixture, "ckpt_state_dict_keys_json")
    assert {name for name in theirs if name.startswith("encoder.")} == {f"encoder.{name}" for name in shapes(fixture)}


@pytest.mark.slow  # and CI's: half a gigabyte of weights, which cannot be fewer
@pytest.mark.parametrize("name", ["e4e_32", "e4e_1024"])
def test_gives_the_original_s_latents(name):
    encoder = loaded(e4e.load, checkpoint(name))
    assert not encoder.training
    assert not any(weight.requires_grad for weight in encoder.parameters())
    wanted = torch.tensor(golden(name)["codes"]) + AVERAGE
    assert encoder.latent_shape == wanted.shape[1:]
    with torch.no_grad():
        torch.testing.assert_close(encoder(images(1, 256)), wanted, atol=1e-5, rtol=0)


def test_takes_crops_of_any_size():
    with torch.device("meta"):
        assert e4e.E4E(18).eval()(torch.empty(2, 3, 100, 300)).shape == (2, 18, 512)


def test_reduces_crops_with_a_filter():
    # Every fourth row is white. Without a filter, a crop of a quarter of the size would be made of the black rows.
    with torch.device("meta"):
        encoder = e4e.E4E(8)
    seen = []

    def enough(layer, inputs):
        seen.extend(inputs)
        raise InterruptedError

    encoder.input_layer.register_forward_pre_hook(enough)
    crops = torch.zeros(1, 3, 1024, 1024)
    crops[:, :, ::4] = 1
    with pytest.raises(InterruptedError):
        encoder(crops)
    torch.testing.assert_close(seen[0][..., 8:-8, :], torch.full((1, 3, 240, 256), -0.5), atol=1e-6, rtol=0)


@pytest.fixture
def read(monkeypatch):
    """What of a file's content reaches the network, which is not made."""
    monkeypatch.setattr(state, "network", lambda build, weights, path: weights)
    return lambda **content: loaded(e4e.load, content)


STYLES = {f"encoder.styles.{index}.linear.bias": torch.zeros(512) for index in range(18)}


@pytest.mark.parametrize("shape", [(512,), (1, 512), (18, 512)])
def test_average_latents_have_three_shapes(read, shape):
    average = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    found = read(state_dict=STYLES, latent_avg=average)
    assert torch.equal(found["latent_avg"], average.expand(18, 512))
    assert found.keys() == {"latent_avg"} | {name.removeprefix("encoder.") for name in STYLES}


def test_an_encoder_that_does_not_start_from_the_average_starts_from_zero(read):
    found = read(state_dict=STYLES, latent_avg=AVERAGE, opts={"start_from_latent_avg": False})
    assert torch.equal(found["latent_avg"], torch.zeros(18, 512))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, r"lacks latent_avg and \d+ more"),
        ({"state_dict": [1]}, "not laid out as e4e's"),
        ({"state_dict": STYLES, "opts": "ffhq"}, "not laid out as e4e's"),
        ({"state_dict": STYLES, "latent_avg": AVERAGE}, r"lacks input_layer\.0\.weight"),
    ],
)
def test_refuses_other_files(content, message):
    with pytest.raises(BadModel, match=message):
        loaded(e4e.load, content)


@pytest.mark.parametrize(
    ("average", "message"), [(None, "lacks latent_avg;"), (torch.zeros(14, 512), "by the shape of latent_avg;")]
)
def test_refuses_another_average(average, message):
    zeros = {name: torch.zeros(()).expand(shape) for name, shape in shapes(golden("e4e_32")).items()}
    content = {"state_dict": {f"encoder.{name}": x for name, x in zeros.items()}, "latent_avg": average}
    with pytest.raises(BadModel, match=message):
        loaded(e4e.load, {name: x for name, x in content.items() if x is not None})


def test_more_styles_than_any_generator_has_are_refused_before_they_are_made(tmp_path):
    styles = {f"encoder.styles.{number}.linear.bias": torch.zeros(1) for number in range(500)}
    torch.save({"state_dict": styles}, tmp_path / "e4e.pt")
    with pytest.raises(BadModel, match="tells 500 styles, but no StyleGAN2 has more than 18"):
        e4e.load(tmp_path / "e4e.pt")
