"""The encoder of a small StyleGAN2: its layers' arithmetic, its latents, and the files that it takes or refuses."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tiny import numbers
from tiny_training import same, weights

from kohl.errors import BadModel
from kohl.zoo import cards
from kohl.zoo.generators import style_encoder
from kohl.zoo.generators.style_encoder import EqualisedConvolution, ResidualBlock, StyleEncoder, rectified

ROWS, WIDTH = 10, 8


untrained = partial(style_encoder.untrained, channels=(6, 8, 8, 8, 8, 8), hidden=16)


def encoder(size=64, seed=0):
    """An encoder that tells rows apart, as a trained one does."""
    made = untrained(size, ROWS, WIDTH, rng=numbers(seed))
    made.rows.weight.data.normal_(generator=numbers(seed + 1))
    return made.eval().requires_grad_(False)


def crops(count=2, size=64, seed=0):
    return torch.rand(count, 3, size, size, generator=numbers(seed))


# Layers


def test_the_rectifier_keeps_the_variance_and_lets_a_fifth_below_zero_through():
    torch.testing.assert_close(rectified(torch.tensor([2.0, -2.0])), math.sqrt(2) * torch.tensor([2.0, -0.4]))
    x = torch.randn(100_000, generator=numbers())
    assert float(rectified(x).square().mean()) == pytest.approx(1.04, rel=0.02)  # 1 + 0.2²


def test_a_convolution_of_normal_weights_keeps_the_variance():
    layer = EqualisedConvolution(64, 64)
    layer.weight.data.normal_(generator=numbers())
    with torch.no_grad():
        out = layer(torch.randn(2, 64, 32, 32, generator=numbers(1)))[..., 1:-1, 1:-1]
    assert float(out.std()) == pytest.approx(1, rel=0.03)
    assert out.shape == (2, 64, 30, 30)


@torch.no_grad()
def test_a_convolution_is_torch_s_with_its_weights_scaled():
    layer, x = EqualisedConvolution(3, 5, stride=2), crops()
    layer.weight.normal_(generator=numbers())
    layer.bias.normal_(generator=numbers(1))
    expected = F.conv2d(x, layer.weight / math.sqrt(27), layer.bias, stride=2, padding=1)
    torch.testing.assert_close(layer(x), expected)


@torch.no_grad()
def test_halving_goes_half_the_way_around():
    block, x = ResidualBlock(4, 6), torch.randn(2, 4, 16, 16, generator=numbers())
    for weight in block.parameters():
        weight.normal_(generator=numbers(1))
    block.second.weight.zero_()
    block.second.bias.zero_()
    around = F.conv2d(F.avg_pool2d(x, 2), block.around.weight / 2, block.around.bias)
    torch.testing.assert_close(block(x), around * math.sqrt(0.5))
    assert block(x).shape == (2, 6, 8, 8)


# Latents


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (100, 300), (256, 256)], ids=str)
def test_takes_crops_of_any_size(size, shape):
    made = encoder(size)
    latents = made(torch.rand(3, 3, *shape, generator=numbers()))
    assert latents.shape == (3, *made.latent_shape) == (3, ROWS, WIDTH)
    assert latents.dtype == torch.float32
    assert latents.isfinite().all()


def test_larger_crops_are_reduced_with_a_filter():
    # Every fourth row is white: without a filter, black or white rows alone would be seen.
    stripes = torch.zeros(1, 3, 256, 256)
    stripes[:, :, ::4] = 1
    made, seen = encoder(), []
    made.first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    made(stripes)
    torch.testing.assert_close(seen[0][..., 2:-2, :], torch.full((1, 3, 60, 64), -0.5), atol=1e-5, rtol=0)


def test_a_row_is_the_style_and_its_difference():
    made = encoder()
    style, differences = made.parts(crops())
    assert style.shape == (2, WIDTH)
    assert torch.equal(made(crops()), style[:, None] + differences)
    assert differences.std() > 0.01


def test_a_batch_is_its_crops_one_by_one():
    made = encoder()
    torch.testing.assert_close(made(crops(4)), torch.cat([made(crop[None]) for crop in crops(4)]))


def test_a_face_is_seen_as_a_whole_and_in_its_parts():
    # What is at the top is not what is at the bottom: means alone would not tell them apart.
    made = encoder()
    top = crops(1)
    assert (made(top) - made(top.flip(2))).abs().max() > 1e-3


def test_bfloat16_finds_nearly_the_same():
    made = encoder()
    with torch.autocast("cpu", torch.bfloat16):
        coarse = made.parts(crops())
    for fast, exact in zip(coarse, made.parts(crops()), strict=True):
        assert fast.dtype == torch.float32
        assert (fast - exact).std() < 0.05 * exact.std()


def test_starts_without_differences_between_rows_from_the_random_numbers_alone():
    state = torch.get_rng_state()
    first, second, other = (untrained(64, ROWS, WIDTH, rng=numbers(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(other))
    with torch.no_grad():
        style, differences = first.parts(crops())
    assert not differences.any()
    assert 0.2 < float(style.std()) < 5
    first.parts(crops())[1].sum().backward()
    assert first.rows.weight.grad.any()  # but they can be learned


# Files


@pytest.fixture
def written(tmp_path):
    """Writes an encoder's tensors, some of them changed, and returns the path."""

    def write(**changed):
        tensors = {name: values.half() for name, values in encoder().state_dict().items()}
        tensors |= {"size": torch.tensor(64)} | changed
        path = tmp_path / "encoder.safetensors"
        save_file({name: values for name, values in tensors.items() if values is not None}, path)
        return path

    return write


@pytest.mark.parametrize("size", [64, 1024])
def test_a_file_in_half_precision_gives_nearly_the_same_latents(written, size):
    made = style_encoder.load(written(size=torch.tensor(size)))
    assert isinstance(made, StyleEncoder)
    assert (made.size, made.latent_shape, made.training) == (size, (ROWS, WIDTH), False)
    assert not any(weight.requires_grad for weight in made.parameters())
    assert {weight.dtype for weight in made.parameters()} == {torch.float32}
    if size == 64:
        torch.testing.assert_close(made(crops()), encoder()(crops()), atol=0.01, rtol=0)


def test_is_found_by_its_path(written):
    assert same(
        *(weights(load(written())) for load in (lambda path: cards.inverter(f"stylegan2:{path}"), style_encoder.load))
    )


NO_ENCODER = "no encoder that kohl has trained; train one with `kohl train stylegan2`."


@pytest.mark.parametrize(
    "changed",
    [
        {"style.bias": None},
        {"rows.weight": None},
        {"blocks.2.around.bias": None},
        {"blocks.2.second.bias": None},
        {"blocks.4.second.bias": None},
        {"hidden.bias": torch.zeros(0)},
        {"size": None},
        {"another.weight": torch.zeros(3)},
        {"style.weight": torch.zeros(WIDTH, 3)},
        {"style.bias": torch.zeros(())},
        {"style.bias": torch.zeros(0)},
        {"rows.bias": torch.zeros(ROWS * WIDTH + 1)},
        {"size": torch.tensor(0)},
        {"size": torch.tensor(-64)},
        {"size": torch.tensor(100)},
        {"size": torch.tensor(2**20)},
        {"size": torch.tensor([64, 64])},
        {"size": torch.tensor(float("nan"))},
    ],
    ids=lambda changed: " ".join(f"{name} {getattr(x, 'shape', 'missing')}" for name, x in changed.items()),
)
def test_what_is_no_encoder_is_refused_in_one_sentence(written, changed):
    path = written(**changed)
    with pytest.raises(BadModel) as error:
        style_encoder.load(path)
    assert str(error.value) == f"{path}: {NO_ENCODER}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(written, value):
    bias = torch.zeros(WIDTH)
    bias[3] = value
    path = written(**{"style.bias": bias})
    with pytest.raises(BadModel) as error:
        style_encoder.load(path)
    assert (
        str(error.value) == f"{path}: there are numbers that are not finite; train it anew with `kohl train stylegan2`."
    )


def test_a_generator_s_file_is_no_encoder_s(tmp_path):
    from kohl.zoo.generators import stylegan2

    path = tmp_path / "generator.safetensors"
    save_file(stylegan2.untrained((4, 4), width=8, depth=1, rng=numbers()).state_dict(), path)
    with pytest.raises(BadModel, match=NO_ENCODER):
        cards.inverter(f"stylegan2:{path}")


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 99], ids=["missing", "empty", "noise"])
def test_what_is_no_safetensors_file_is_refused(tmp_path, content):
    path = tmp_path / "encoder.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadModel, match=r"encoder\.safetensors: not a readable safetensors file"):
        style_encoder.load(path)
