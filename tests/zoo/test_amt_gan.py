"""The generator of AMT-GAN against a plain computation of what is published of it, on random weights."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sitters import sitters
from tiny import numbers

from kohl.errors import BadModel
from kohl.geometry import resized
from kohl.zoo.detectors import regions
from kohl.zoo.generators import amt_gan
from kohl.zoo.generators.amt_gan import MakeupTransfer, Portrait

SIZE, CHANNELS = 64, 4


def portraits():
    faces = resized(sitters(), SIZE)
    whole = Portrait(faces.crops, regions.by_landmarks(faces), faces.landmarks)
    return [Portrait(*(x[index : index + 1] for x in vars(whole).values())) for index in (0, 1)]


def weights(channels=CHANNELS):
    rng = numbers()
    made = MakeupTransfer(channels, SIZE).state_dict()
    return {name: 0.2 * torch.randn(value.shape, generator=rng) for name, value in made.items()}


def norm(x, weight=None, bias=None):
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, unbiased=False)
    x = (x - mean) / (variance + 1e-5).sqrt()
    return x if weight is None else x * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)


def plainly(w, content, style):
    """The published network, layer by layer, with the whole of each attention matrix."""

    def affine(x, name):
        return norm(x, w[f"{name}.weight"], w[f"{name}.bias"])

    def residual(x, name, normed):
        inner = F.relu(normed(F.conv2d(x, w[f"{name}.main.0.weight"], padding=1), f"{name}.main.1"))
        return x + normed(F.conv2d(inner, w[f"{name}.main.3.weight"], padding=1), f"{name}.main.4")

    def free(x, name):
        return norm(x)

    def prepared(portrait):
        side = portrait.images.shape[-1]
        rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        marks = portrait.landmarks[0].round()
        ways = torch.cat([rows[None] - marks[:, 1, None, None], columns[None] - marks[:, 0, None, None]])
        masks = F.interpolate(portrait.regions[0][:, None], (side // 4, side // 4))  # (3, 1, h, w)
        ways = F.interpolate(ways[None].float(), (side // 4, side // 4)).repeat(3, 1, 1, 1) * masks
        length = ways.norm(dim=1, keepdim=True)
        return portrait.images * 2 - 1, masks, ways / torch.where(length == 0, torch.tensor(1e10), length)

    (c, mask_c, ways_c), (s, mask_s, ways_s) = prepared(content), prepared(style)
    s = F.relu(affine(F.conv2d(s, w["pnet_in.0.weight"], padding=3), "pnet_in.1"))
    c = F.relu(norm(F.conv2d(c, w["tnet_in_conv.weight"], padding=3)))
    for i in (1, 2):
        s = F.relu(affine(F.conv2d(s, w[f"pnet_down_{i}.0.weight"], stride=2, padding=1), f"pnet_down_{i}.1"))
        c = F.relu(norm(F.conv2d(c, w[f"tnet_down_conv_{i}.weight"], stride=2, padding=1)))
    for i in (1, 2, 3):
        s, c = residual(s, f"pnet_bottleneck_{i}", affine), residual(c, f"tnet_bottleneck_{i}", free)
    gamma, beta = (F.conv2d(s, w[f"simple_spade.get_{name}.weight"]) for name in ("gamma", "beta"))
    here = torch.cat([0.01 * c * mask_c, ways_c], 1).flatten(2)
    there = torch.cat([0.01 * s * mask_s, ways_s], 1).flatten(2)
    likeness = here.transpose(1, 2) @ there
    attention = torch.where(likeness == 0, 0.0, F.softmax(200 * likeness, -1))  # what is nothing at all is dropped
    moved = []
    for values in (gamma, beta):
        flat = (values * mask_s).flatten(2).transpose(1, 2)  # (3, places, 1)
        moved.append((attention @ flat).sum(0).T.view(1, 1, *values.shape[2:]))
    c = c * (1 + moved[0]) + moved[1]
    for i in (4, 5, 6):
        c = residual(c, f"tnet_bottleneck_{i}", free)
    for i in (1, 2):
        c = F.relu(norm(F.conv_transpose2d(c, w[f"tnet_up_conv_{i}.weight"], stride=2, padding=1)))
    return (torch.tanh(F.conv2d(c, w["tnet_out.0.weight"], padding=3)) + 1) / 2


def test_it_draws_what_the_published_network_draws(tmp_path):
    known, (content, style) = weights(), portraits()
    torch.save(known, tmp_path / "G.pth")
    save_file(known | {"size": torch.tensor(SIZE)}, tmp_path / "own.safetensors")
    made = amt_gan.load(tmp_path / "own.safetensors")
    assert (made.size, amt_gan.load(tmp_path / "G.pth").size) == (SIZE, 256)
    with torch.no_grad():
        expected, found = plainly(known, content, style), made(content, style)
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)
    assert found.std() > 0.05
    with torch.no_grad():
        other = made(content, content)
    assert (other - found).abs().max() > 0.01  # the makeup matters


def test_one_that_adds_draws_the_change(tmp_path):
    known, (content, style) = weights(), portraits()
    save_file(known | {"size": torch.tensor(SIZE), "adds": torch.tensor(1)}, tmp_path / "own.safetensors")
    with torch.no_grad():
        change, found = (
            2 * plainly(known, content, style) - 1,
            amt_gan.load(tmp_path / "own.safetensors")(content, style),
        )
    torch.testing.assert_close(found, (content.images + change).clamp(0, 1), atol=4e-4, rtol=0)
    fresh = amt_gan.untrained(CHANNELS, SIZE, numbers())
    with torch.no_grad():
        assert (fresh(content, style) - content.images).abs().mean() < 0.05


def test_several_faces_are_each_as_if_alone():
    made, (content, style) = MakeupTransfer(CHANNELS, SIZE), portraits()
    made.load_state_dict(weights())
    both = [Portrait(*(torch.cat(pair) for pair in zip(vars(a).values(), vars(b).values(), strict=True)))
            for a, b in ((content, style), (style, content))]  # fmt: skip
    with torch.no_grad():
        alone = torch.cat([made(content, style), made(style, content)])
        torch.testing.assert_close(made(*both), alone, atol=1e-5, rtol=0)


def test_the_published_file_has_these_weights():
    shapes = {name: tuple(value.shape) for name, value in MakeupTransfer().state_dict().items()}
    assert len(shapes) == 51
    published = {
        "pnet_in.0.weight": (64, 3, 7, 7),
        "pnet_in.1.bias": (64,),
        "pnet_down_2.0.weight": (256, 128, 4, 4),
        "atten_bottleneck_g.g.weight": (1, 1, 1, 1),
        "atten_bottleneck_b.g.bias": (1,),
        "simple_spade.get_gamma.weight": (1, 256, 1, 1),
        "pnet_bottleneck_3.main.4.weight": (256,),
        "tnet_in_conv.weight": (64, 3, 7, 7),
        "tnet_down_conv_1.weight": (128, 64, 4, 4),
        "tnet_bottleneck_6.main.3.weight": (256, 256, 3, 3),
        "tnet_up_conv_1.weight": (256, 128, 4, 4),
        "tnet_out.0.weight": (3, 64, 7, 7),
    }
    assert {name: shapes[name] for name in published} == published
    assert "tnet_bottleneck_1.main.1.weight" not in shapes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda known: known.pop("tnet_out.0.weight"), "this file lacks tnet_out.0.weight"),
        (lambda known: known.pop("pnet_in.0.weight"), "holds no generator of AMT-GAN"),
        (lambda known: known.update(more=torch.ones(1)), "another network, for it has more"),
        (lambda known: known.update(size=torch.tensor(7)), "of an impossible size"),
        (lambda known: known.update(size=torch.tensor(torch.nan)), "of an impossible size"),
        (lambda known: known.update(adds=torch.tensor(2)), "of an impossible size"),
        (lambda known: known["tnet_out.0.weight"].fill_(torch.nan), "not finite in tnet_out.0.weight"),
    ],
)
def test_other_files_are_refused(tmp_path, change, said):
    known = weights()
    change(known)
    save_file(known, tmp_path / "g.safetensors")
    with pytest.raises(BadModel, match=said):
        amt_gan.load(tmp_path / "g.safetensors")


def test_directions_point_from_the_landmarks_and_have_unit_length():
    content, _ = portraits()
    ways = amt_gan.directions(content, 16)
    torch.testing.assert_close(ways.norm(dim=1), torch.ones(1, 16, 16))
    mark = content.landmarks[0, 30].round()
    row, column = 3, 11
    down, right = ways[0, 30, row, column], ways[0, 68 + 30, row, column]
    assert float(down / right) == pytest.approx(float((4 * row - mark[1]) / (4 * column - mark[0])), rel=1e-4)
