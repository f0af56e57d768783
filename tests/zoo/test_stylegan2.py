"""StyleGAN2 against fixtures of the original, and what it promises on toy sizes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fills import filled, given, sg2
from safetensors.torch import save_file
from tiny import numbers

from kohl.errors import BadModel, BadSetting
from kohl.zoo.files import checkpoints
from kohl.zoo.generators import stylegan2

GOLDEN = Path(__file__).parents[1] / "golden"
ROWS = 10  # of w+ at 64 pixels


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)], ids="multiplier {}".format)
def original(request, tmp_path_factory):
    """The original's answers, and our generator with the same weights, read from a file like the published one."""
    golden = np.load(GOLDEN / f"sg2_64_cm{request.param}.npz")
    weights = filled(json.loads(str(golden["keys_json"])), sg2)
    path = tmp_path_factory.mktemp("stylegan2") / "g.pt"
    torch.save({"g_ema": weights, "latent_avg": given("input.latent_avg", (512,))}, path)
    made = checkpoints.generator(path)
    path.unlink()
    return {name: golden[name] for name in golden.files}, made


@pytest.fixture
def toy():
    """A generator of 32 pixels with noise in it."""
    made = stylegan2.untrained((8, 8, 6, 4), width=8, depth=2, rng=numbers())
    for layer in made.layers:
        layer.strength.fill_(0.3)
    made.average.normal_(generator=numbers(1))
    return made


def w_plus(generator, count=1):
    return torch.randn(count, *generator.latent_shape, generator=numbers(2))


def originals(images):
    """Images in the original's range."""
    return images * 2 - 1


def assert_near(ours, theirs, atol):
    torch.testing.assert_close(ours, torch.from_numpy(theirs), atol=atol, rtol=0)


def test_the_generator_inside_e4e_is_the_same(original, tmp_path):
    golden, generator = original
    weights = filled(json.loads(str(golden["keys_json"])), sg2)
    parts = {f"decoder.{name}": x for name, x in weights.items()} | {"encoder.input_layer.0.weight": torch.ones(1)}
    average = given("input.latent_avg", (512,)).repeat(ROWS, 1)
    torch.save({"state_dict": parts, "opts": {"stylegan_size": 64}, "latent_avg": average}, tmp_path / "e4e.pt")
    found = checkpoints.generator(tmp_path / "e4e.pt").state_dict()
    assert all(torch.equal(found[name], x) for name, x in generator.state_dict().items())


def test_draws_as_the_original(original):
    golden, generator = original
    images = originals(generator.synthesis(given("input.wplus", (1, ROWS, 512))))
    assert_near(F.avg_pool2d(images, 4), golden["img_a_pool4"], 5e-5)
    if "img_a" in golden:
        assert_near(images, golden["img_a"], 5e-5)


def test_maps_and_truncates_as_the_original(original):
    golden, generator = original
    z = given("input.z", (2, 512))
    w = generator.latents(z)
    assert_near(w[:, 0], golden["w_from_z"], 1e-5)
    assert_near(F.avg_pool2d(originals(generator.synthesis(w[:, 0])), 4), golden["img_w_pool4"], 5e-5)
    truncated = originals(generator.synthesis(generator.latents(z, truncation=0.7)))
    assert_near(F.avg_pool2d(truncated, 4), golden["img_c_pool4"], 5e-5)


def drawn(generator, dtype):
    """The original's picture with noise of its own, and the latents and noise that its gradients reach."""
    w = given("input.wplus", (1, ROWS, 512)).to(dtype).requires_grad_()
    noise = [given(f"input.noise_{i}", own.shape).to(dtype).requires_grad_() for i, own in enumerate(generator.noise)]
    images = originals(generator.synthesis(w, noise=noise))
    (images * given("input.cotangent", images.shape)).sum().backward()
    return images.detach(), w, noise


def test_takes_noise_as_the_original(original):
    golden, generator = original
    images, w, _ = drawn(generator, torch.float32)
    assert_near(F.avg_pool2d(images, 4), golden["img_b_pool4"], 5e-5)
    assert_near(images.flatten()[:256], golden["img_b_first"], 5e-5)
    # Where a rectifier's input rounds to the other side of zero, its slope is another: hence so coarse, see below.
    assert_near(w.grad, golden["grad_w"], 1e-2 * np.abs(golden["grad_w"]).max())


@pytest.mark.slow
def test_has_the_gradients_of_the_original(original):
    # In float64, so that no rectifier of ours is on the wrong side of zero; one is in the fixture of multiplier 2.
    golden, float32 = original
    tolerance = 1e-5 if "img_a" not in golden else 3e-3
    generator = stylegan2.filled(float32.state_dict()).double()
    generator.dtype = torch.float64
    _, w, noise = drawn(generator.requires_grad_(), torch.float64)
    assert_near(w.grad.float(), golden["grad_w"], tolerance * np.abs(golden["grad_w"]).max())
    for own, theirs in zip(noise, golden["grad_noise_stats"], strict=True):
        np.testing.assert_allclose(summary(own.grad), theirs, rtol=0, atol=tolerance * np.abs(theirs).max())
    norms = json.loads(str(golden["param_grad_norm_json"]))
    for name, weight in generator.named_parameters():
        theirs = norms[checkpoints.rosinality_name(name)]
        assert weight.grad is None if theirs is None else weight.grad.norm() == pytest.approx(theirs, rel=tolerance)


def summary(values):
    """What the fixtures keep of a long tensor."""
    flat = values.double().flatten()
    ends = flat[0], flat[len(flat) // 2], flat[-1]
    return [float(x) for x in (flat.mean(), flat.std(correction=0), flat.min(), flat.max(), flat.norm(), *ends)]


def test_bfloat16_is_near_float32(original):
    _, generator = original
    latents = given("input.wplus", (1, ROWS, 512))
    exact = generator.synthesis(latents)
    generator.dtype = torch.bfloat16
    rounded = generator.synthesis(latents)
    generator.dtype = torch.float32
    assert rounded.dtype == torch.float32
    error = (rounded - exact).abs()
    assert error.mean() < 0.02 * exact.std()  # bfloat16 has 8 bits, of which 9 layers lose some
    assert error.max() < 0.2 * exact.std()


def test_stops_early_at_what_the_first_blocks_draw(toy):
    first = {name: x for name, x in toy.state_dict().items() if name.split(".")[:2] not in unused(toy)}
    small = stylegan2.filled(first)
    latents = w_plus(toy, 2)
    assert small.size == 16
    torch.testing.assert_close(toy.synthesis(latents, size=16), small.synthesis(latents[:, : small.latent_shape[0]]))


def unused(generator):
    """The last block, which an image of half the size does not need."""
    last = len(generator.layers) - 1
    return [["layers", str(last - 1)], ["layers", str(last)], ["colours", str(len(generator.colours) - 1)]]


def test_does_not_run_the_blocks_behind_an_early_stop(toy):
    for weight in (*toy.layers[-1].parameters(), *toy.layers[-2].parameters(), *toy.colours[-1].parameters()):
        weight.fill_(torch.nan)
    noise = toy.noise[:-2]
    assert toy.synthesis(w_plus(toy), size=16, noise=noise).isfinite().all()
    assert toy.synthesis(w_plus(toy)).isnan().any()


@pytest.mark.parametrize("size", [4, 8, 16, 32])
def test_draws_every_size_on_the_way(toy, size):
    images = toy(w_plus(toy, 2), size=size)
    assert images.shape == (2, 3, size, size)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1


def test_clamps_only_what_it_has_to(toy):
    latents = 3 * w_plus(toy)
    free = toy.synthesis(latents)
    assert free.min() < 0
    assert torch.equal(toy(latents), free.clamp(0, 1))


def test_w_is_the_same_row_everywhere(toy):
    w = torch.randn(2, 8, generator=numbers(3))
    torch.testing.assert_close(toy.synthesis(w), toy.synthesis(w[:, None].expand(-1, *toy.latent_shape)))


def test_draws_each_face_as_if_alone(toy):
    latents = w_plus(toy, 3)
    noise = [torch.randn(3, *own.shape[1:], generator=numbers(4)) for own in toy.noise]
    alone = [toy.synthesis(latents[i : i + 1], noise=[each[i : i + 1] for each in noise]) for i in range(3)]
    torch.testing.assert_close(toy.synthesis(latents, noise=noise), torch.cat(alone))


def test_its_own_noise_is_the_same_every_time(toy):
    latents = w_plus(toy)
    assert torch.equal(toy.synthesis(latents), toy.synthesis(latents, noise=toy.noise))
    assert not torch.equal(toy.synthesis(latents), toy.synthesis(latents, noise=[0 * own for own in toy.noise]))


def test_gradients_reach_latents_and_noise_but_no_weight(toy):
    latents = w_plus(toy).requires_grad_()
    noise = [own.clone().requires_grad_() for own in toy.noise]
    toy.synthesis(latents, noise=noise).square().sum().backward()
    assert all(each.grad.abs().max() > 0 for each in (latents, *noise))
    assert (latents.grad.abs().amax((0, 2)) > 0).all()  # every row is used
    assert all(weight.grad is None for weight in toy.parameters())


def test_its_weights_are_what_features_and_noise_are_multiplied_by(toy):
    named = {id(weight): name for name, weight in toy.named_parameters()}
    found = [named[id(weight)] for weight in toy.weights]
    wanted = r"(layers|colours)\.\d+\.weight|layers\.\d+\.strength"
    assert sorted(found) == sorted(name for name in named.values() if re.fullmatch(wanted, name))
    assert len(found) == 2 * len(toy.layers) + len(toy.colours)


def test_truncation_ends_at_the_average(toy):
    z = torch.randn(2, 8, generator=numbers(5))
    torch.testing.assert_close(toy.latents(z, truncation=0.0), toy.average.expand(2, *toy.latent_shape))
    half = (toy.latents(z) + toy.average) / 2
    torch.testing.assert_close(toy.latents(z, truncation=0.5), half)


@pytest.mark.parametrize("size", [0, 2, 24, 64])
def test_refuses_a_size_that_it_does_not_draw(toy, size):
    with pytest.raises(BadSetting, match=f"size {size}.*32"):
        toy(w_plus(toy), size=size)


@pytest.mark.parametrize("shape", [(8,), (1, 7), (1, 6, 8), (1, 1, 8, 8)])
def test_refuses_latents_of_another_shape(toy, shape):
    with pytest.raises(BadSetting, match=r"latents .*\(n, 8, 8\)"):
        toy(torch.zeros(shape))


def test_refuses_too_little_noise(toy):
    with pytest.raises(BadSetting, match=r"noise: 4 given.*16 pixels need 5"):
        toy(w_plus(toy), noise=toy.noise[:4], size=16)


def test_comes_back_from_its_file(toy, tmp_path):
    save_file(toy.state_dict(), tmp_path / "toy.safetensors")
    found = stylegan2.load(tmp_path / "toy.safetensors", dtype=torch.bfloat16)
    assert found.dtype == torch.bfloat16
    assert not found.training
    assert not any(weight.requires_grad for weight in found.parameters())
    found.dtype = torch.float32
    torch.testing.assert_close(found(w_plus(toy)), toy(w_plus(toy)))


@pytest.mark.parametrize("change", ["empty", "lacks a tensor", "has another shape", "average", "no file"])
def test_refuses_another_file(toy, tmp_path, change):
    tensors = toy.state_dict()
    if change == "lacks a tensor":
        del tensors["layers.2.weight"]
    elif change == "has another shape":
        tensors["layers.2.weight"] = torch.zeros(8, 8, 1, 1)
    elif change == "average":
        tensors["average"] = torch.zeros(())
    path = tmp_path / "toy.safetensors"
    if change != "no file":
        save_file({} if change == "empty" else tensors, path)
    with pytest.raises(BadModel, match=r"toy\.safetensors"):
        stylegan2.load(path)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_knows_the_published_channels(multiplier):
    few, many = stylegan2.channels(64, multiplier), stylegan2.channels(1024, multiplier)
    assert few == (512, 512, 512, 512, 256 * multiplier)
    assert many == (*few, 128 * multiplier, 64 * multiplier, 32 * multiplier, 16 * multiplier)
