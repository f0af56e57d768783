"""Eye makeup: where it goes, that it comes back where it was drawn, and what blending keeps and loses."""

import pytest
import torch
from safetensors.torch import save_file
from sitters import sitters
from tiny import numbers

from kohl.errors import BadModel, BadSetting
from kohl.geometry import transform
from kohl.perturb.adv_makeup import AdvMakeup, EyeArea, Worn, blended
from kohl.types import Goal
from kohl.zoo.generators import eye_makeup
from kohl.zoo.generators.eye_makeup import HEIGHT, WIDTH, EyeMakeup

FACES = sitters()
GOAL = Goal.dodge(FACES, FACES)


def patterned(areas):
    """Stripes on the areas, as a generator would draw them."""
    stripes = 0.15 * torch.sin(torch.arange(WIDTH) / 3.0)
    return (areas + stripes).clamp(0, 1)


def test_the_eyes_stand_at_the_same_places_of_every_area_and_all_of_them_is_drawn_around():
    area = EyeArea.of(FACES)
    landmarks = transform(area.to_area, FACES.landmarks)
    for eye, across in ((slice(36, 42), 0.275), (slice(42, 48), 0.725)):
        middles = landmarks[:, eye].mean(1)
        expected = torch.tensor([across * WIDTH - 0.5, 0.58 * HEIGHT - 0.5]).expand(3, -1)
        torch.testing.assert_close(middles, expected, atol=1e-3, rtol=0)
        for mask, (x, y) in zip(area.mask[:, 0], middles.round().long().tolist(), strict=True):
            assert mask[y, x] < 0.4  # the eye itself
            assert mask[y - 14, x] > 0.7
    assert area.mask[:, :, [0, -1]].max() == area.mask[..., [0, -1]].max() == 0  # no seam where the area ends
    assert area.cut(FACES.crops).shape == (3, 3, HEIGHT, WIDTH)


def test_what_is_not_changed_comes_back_bit_for_bit_and_a_change_where_it_was_drawn():
    area = EyeArea.of(FACES)
    areas = area.cut(FACES.crops)
    assert torch.equal(area.pasted(FACES.crops, areas, area.mask), FACES.crops)
    changed = area.pasted(FACES.crops, areas * 0, area.mask)
    dark = (FACES.crops - changed).mean(1) > 0.1
    assert dark.any()
    reach = area.reach(FACES.crops)[:, 0]
    assert not (dark & (reach == 0)).any()


def test_blending_keeps_gradients_and_loses_a_shade_that_is_the_same_everywhere():
    # The Poisson equation knows no constant: only what changes from pixel to pixel is left of a source.
    crops = 0.5 + 0.1 * torch.rand(1, 3, 64, 64, generator=numbers())
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    assert (blended(crops, crops, mask) - crops).abs().max() < 1.5 / 255
    assert (blended(crops, crops - 0.2, mask) - crops).abs().max() < 3.5 / 255
    spot = crops.clone()
    spot[..., 28:36, 28:36] -= 0.3
    found = blended(crops, spot, mask)
    torch.testing.assert_close(found, spot, atol=4.5 / 255, rtol=0)
    assert torch.equal(torch.where(mask > 0, crops, found), crops)
    assert torch.equal(blended(crops, spot, 0 * mask), crops)


def test_a_mask_at_the_rim_is_blended_too():
    crops = 0.5 + 0.1 * torch.rand(1, 3, 32, 32, generator=numbers())
    found = blended(crops, crops, torch.ones(1, 1, 32, 32))
    assert (found - crops).abs().max() < 1.5 / 255


def test_share_turns_the_change_and_only_the_face_wears_it():
    whole, half = (
        AdvMakeup(patterned, Worn(share=share))(FACES, GOAL, rng=numbers()) - FACES.crops for share in (1.0, 0.5)
    )
    assert whole.abs().max() > 0.08
    torch.testing.assert_close(half, whole / 2, atol=1e-5, rtol=0)
    reach = EyeArea.of(FACES).reach(FACES.crops).expand_as(whole)
    assert whole[reach < 0.4].abs().max() == 0
    laid = AdvMakeup(patterned, Worn(poisson=False))(FACES, GOAL, rng=numbers())
    assert not torch.equal(laid, FACES.crops + whole)
    assert [Worn().at(strength).share for strength in (0, 0.5, 1)] == [0.25, 1, 4]


def test_a_generator_is_read_as_it_was_written(tmp_path):
    made, path = eye_makeup.untrained(4, numbers()), tmp_path / "w.safetensors"
    save_file(made.state_dict(), path)
    areas = torch.rand(2, 3, HEIGHT, WIDTH, generator=numbers())
    with torch.no_grad():
        drawn = made(areas)
    assert torch.equal(eye_makeup.load(path)(areas), drawn)
    assert (drawn - areas).abs().max() <= 0.4
    assert 1e-4 < (drawn - areas).abs().mean() < 0.15  # hardly anything yet


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("first.bias"),
        lambda weights: weights.pop("last.bias"),
        lambda weights: weights["last.bias"].fill_(torch.inf),
    ],
)
def test_other_files_are_refused(tmp_path, change):
    weights = EyeMakeup(4).state_dict()
    change(weights)
    save_file(weights, tmp_path / "w.safetensors")
    with pytest.raises(BadModel, match="holds no eye makeup"):
        eye_makeup.load(tmp_path / "w.safetensors")


def test_a_share_that_is_none_is_refused():
    with pytest.raises(BadSetting, match=r"^adv_makeup\.share: must not be negative"):
        Worn(share=-1.0)
