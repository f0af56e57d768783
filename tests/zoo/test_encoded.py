"""The published recognisers as judges: what each is shown is the crop of the released code, or the aligned one."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from bundled import Toys
from fills import filled, plain
from published import golden, loaded, shapes
from sitters import FOLDER, NAMES

from kohl import house, recipe
from kohl.errors import BadSetting
from kohl.geometry import warp
from kohl.reader import read
from kohl.recipe import Models
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.detectors.yunet import Detection, YuNet
from kohl.zoo.judges import encoded
from kohl.zoo.recognisers import facenet, irse, mobilefacenet
from kohl.zoo.recognisers.recogniser import Recogniser
from kohl.zoo.recognisers.squeezed import Squeezed

THRESHOLDS = {0.01: 0.301611}


@pytest.fixture(scope="module")
def encoder():
    return loaded(mobilefacenet.load, filled(shapes(golden("fr_mobile_face")), plain, 1.0))


@pytest.fixture(scope="module")
def judge(encoder):
    return encoded.judge("a file", cards.path(cards.find("yunet")), thresholds=THRESHOLDS, load=lambda path: encoder)


PHOTOS = [FOLDER / f"{name}.jpg" for name in NAMES]


@pytest.fixture(scope="module")
def found():
    """The photos with their one face each."""
    detector = YuNet(cards.path(cards.find("yunet")))
    return [(pixels, *detector(pixels)) for pixels in (read(path).pixels for path in PHOTOS)]


def squeezed(pixels, face, size):
    """The released crop by torch: the box, bilinear to a square, corners not aligned, not smoothed."""
    left, top, right, bottom = (round(x) for x in (*face.box[:2], *np.add(face.box[:2], face.box[2:])))
    part = torch.tensor(pixels[max(top, 0) : bottom, max(left, 0) : right]).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(part, (size, size), mode="bilinear", align_corners=False, antialias=False)


def test_it_sees_the_box_squeezed_as_in_the_released_code(judge, encoder, found):
    for path, (pixels, face) in zip(PHOTOS, found, strict=True):
        inputs = squeezed(pixels, face, 112)
        assert abs(face.box[2] / face.box[3] - 1) > 0.1  # so that it is squeezed
        crop = torch.tensor(encoded.squeezed(pixels, face, encoder)).permute(2, 0, 1)[None] / 255
        torch.testing.assert_close(crop, inputs, atol=1e-4, rtol=0)
        (seen,) = judge.faces(path)
        np.testing.assert_allclose(seen.embedding, encoder(inputs)[0].detach(), atol=1e-4)


def test_similarities_are_cosines_of_these_embeddings(judge, encoder, found):
    first, *others = (encoder(squeezed(pixels, face, 112))[0].detach().double().numpy() for pixels, face in found)
    cosines = [first @ other / np.linalg.norm(first) / np.linalg.norm(other) for other in others]
    assert judge.compare(PHOTOS[0], PHOTOS[1:]) == pytest.approx(cosines, abs=1e-4)
    assert (judge.name, judge.thresholds) == ("mobile_face", THRESHOLDS)


def test_aligned_it_sees_what_the_search_sees(encoder, found):
    for pixels, face in found:
        image, points = torch.tensor(pixels).permute(2, 0, 1)[None] / 255, torch.tensor(face.points)[None].float()
        searched = warp(image, encoder.to_input(Faces(image, points, points)), (112, 112))
        crop = torch.tensor(encoded.aligned(pixels, face, encoder)).permute(2, 0, 1)[None] / 255
        assert (crop - searched).abs().mean() < 0.01  # OpenCV counts in 32nds of a pixel, and rounds


@pytest.mark.parametrize("box", [(-9.0, -9.0, 30.0, 30.0), (90.0, 90.0, 30.0, 30.0), (99.7, 10.0, 5.0, 9.0)])
def test_of_a_box_beyond_the_photo_what_is_inside_is_seen(encoder, box):
    pixels = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    assert encoded.squeezed(pixels, Detection(box, 1.0, np.zeros((5, 2))), encoder).shape == (112, 112, 3)


@pytest.mark.parametrize("name", ["irse50", "ir152", "facenet", "mobile_face"])
def test_every_recogniser_of_the_paper_is_a_judge_with_the_published_thresholds(name):
    card = cards.find(name)
    role = card.roles["judge"]
    assert role.thresholds == card.roles["encoder"].thresholds
    assert role.needs == ("yunet",)
    load = {"irse50": irse.irse50, "ir152": irse.ir152, "facenet": facenet.load, "mobile_face": mobilefacenet.load}
    assert role.builder().keywords == {"load": load[name]}


def test_the_search_may_be_shown_the_same_squeezed_box(encoder, found):
    shown = Squeezed(encoder, YuNet(cards.path(cards.find("yunet"))))
    for pixels, face in found:
        image = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
        points = torch.tensor(face.points)[None].float()
        inputs = warp(image, shown.to_input(Faces(image, points, points)), (112, 112))
        torch.testing.assert_close(
            inputs[..., 1:-1, 1:-1], squeezed(pixels, face, 112)[..., 1:-1, 1:-1], atol=1e-3, rtol=0
        )
        torch.testing.assert_close(shown(inputs), encoder(inputs))
    assert (shown.name, shown.size) == ("mobile_face", 112)


def test_where_no_face_is_found_the_box_is_the_landmarks(encoder):
    landmarks = torch.tensor([[10.0, 20.0], [66.0, 48.0], [30.0, 30.0]]).repeat(23, 1)[None, :68]
    faces = Faces(torch.zeros(1, 3, 80, 80), landmarks[:, :5], landmarks)
    (matrix,) = Squeezed(encoder, lambda pixels: []).to_input(faces)
    corners = torch.tensor([[9.5, 19.5, 1.0], [65.5, 47.5, 1.0]]) @ matrix.T
    torch.testing.assert_close(corners, torch.tensor([[-0.5, -0.5], [111.5, 111.5]]))


@pytest.mark.parametrize(("shown", "kind"), [("squeezed", Squeezed), ("aligned", Recogniser)])
def test_the_recipe_says_what_the_search_is_shown(encoder, shown, kind):
    shelf = Toys({cards.encoder: lambda name: encoder})
    chosen = recipe.Recipe(models=Models(surrogates=("mobile_face",), shown=shown))
    first, second = (house._surrogate(shelf, "mobile_face", chosen) for _ in range(2))
    assert type(first.encoder) is kind
    assert second.encoder is first.encoder
    assert first.impressions is None  # nobody fitted what people see to it
    assert first.threshold == THRESHOLDS[0.01]


def test_aligned_it_judges_by_thresholds_that_were_measured(encoder, tmp_path, found):
    detector, file = cards.checked(cards.find("yunet")), tmp_path / "mobile_face.pth"
    assert encoded.by_points(encoder, file, detector).thresholds == {}
    (tmp_path / "mobile_face.pth.toml").write_text('[thresholds]\n"0.01" = 0.4\n')
    judge = encoded.by_points(encoder, file, detector)
    assert (judge.name, judge.thresholds) == ("aligned:mobile_face", {0.01: 0.4})
    first, second = (
        encoder(torch.tensor(encoded.aligned(*each, encoder) / 255).permute(2, 0, 1)[None])[0].detach().numpy()
        for each in found[:2]
    )
    assert judge.compare(PHOTOS[0], PHOTOS[1:2]) == [pytest.approx(float(first @ second), abs=1e-5)]


def test_aligned_judges_are_known_by_name():
    with pytest.raises(BadSetting, match="mobil_face: no such model"):
        cards.judge("aligned:mobil_face")
    chosen = recipe.override(recipe.load("default"), ["models.judges=['aligned:irse50', 'onnx:some.onnx']"])
    assert "irse50" in recipe.names(chosen, words=False)
