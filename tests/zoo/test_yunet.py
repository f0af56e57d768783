"""YuNet against OpenCV's own decoder and onnxruntime, and on photos of every size."""

import bundled
import cv2
import numpy as np
import pytest
from photos import SAMPLE, portrait
from PIL import Image

from kohl.errors import BadModel
from kohl.zoo import cards
from kohl.zoo.detectors.yunet import OUTPUTS, YuNet, _scales, _starts
from kohl.zoo.files.runtime import _drop_needless_blocks, _drop_unused_inputs, libraries


@pytest.fixture(scope="module")
def yunet():
    return bundled.load("yunet")


def photo(width, height, *faces):
    """Grey, with the sample portrait pasted at each (left, top, width)."""
    canvas = Image.new("RGB", (width, height), "grey")
    for left, top, size in faces:
        canvas.paste(portrait().resize((size, size * 256 // 240), Image.Resampling.LANCZOS), (left, top))
    return np.asarray(canvas)


def test_agrees_with_opencv(yunet):
    with Image.open(SAMPLE) as image:
        pixels = np.asarray(image.convert("RGB").resize((640, 640)))
    opencv = cv2.FaceDetectorYN.create(str(cards.path(cards.find("yunet"))), "", (640, 640), 0.7, 0.3)
    (theirs,) = opencv.detect(pixels[:, :, ::-1].copy())[1]
    (ours,) = yunet(pixels)
    np.testing.assert_allclose([*ours.box, *ours.points.ravel(), ours.score], theirs, atol=1e-3)


def test_the_network_agrees_with_onnxruntime(yunet):
    onnx, runtime = libraries()
    model = onnx.load(cards.path(cards.find("yunet")))
    _drop_unused_inputs(model.graph)
    _drop_needless_blocks(model.graph)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with Image.open(SAMPLE) as image:
        pixels = np.asarray(image.convert("RGB").resize((640, 640)), np.float32).transpose(2, 0, 1)[None].copy()
    yunet.network.setInput(pixels, "input")
    for name, ours, theirs in zip(
        OUTPUTS, yunet.network.forward(OUTPUTS), session.run(OUTPUTS, {"input": pixels}), strict=True
    ):
        # A unit of box and points is a cell of 8 to 32 pixels.
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5, err_msg=name)


def test_eyes_nose_and_mouth_are_where_they_belong(yunet):
    ((box, score, points),) = yunet(np.asarray(portrait()))
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert score > 0.9
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert (points > box[:2]).all()
    assert (points < np.add(box[:2], box[2:])).all()


@pytest.mark.parametrize(("width", "height"), [(300, 400), (900, 700), (2600, 1300)])
def test_a_shifted_face_is_found_shifted(yunet, width, height):
    first = yunet(photo(width, height, (20, 30, 240)))
    second = yunet(photo(width, height, (60, 100, 240)))
    assert len(first) == len(second) == 1
    np.testing.assert_allclose(
        second[0].points - first[0].points, [[40, 70]] * 5, atol=7
    )  # the face is 100 pixels wide


def test_small_faces_in_a_large_photo_are_found_largest_first(yunet):
    places = [(100, 900, 60), (3300, 2100, 90), (1900, 1400, 80), (2100, 200, 700)]  # faces are 0.4 as wide
    found = yunet(photo(3600, 2400, *places))
    assert [round(face.box[0], -2) for face in found] == [2300, 3300, 1900, 100]
    assert [face.box[2] > 40 for face in found] == [True, False, False, False]


def test_a_face_across_tiles_is_found_once(yunet):
    places = [(left, 600, 160) for left in range(60, 1700, 190)]
    assert len(yunet(photo(1900, 1300, *places))) == len(places)


@pytest.mark.parametrize("size", [(1, 1, 3), (1, 2000, 3), (480, 640, 3)])
def test_nothing_is_found_in_nothing(yunet, size):
    assert yunet(np.zeros(size, np.uint8)) == []


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(BadModel, match=r"model\.onnx"):
        YuNet(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("longest", "scales"),
    [
        (1, [2]),
        (320, [2]),
        (640, [1]),
        (960, [2 / 3]),
        (1000, [0.64, 1]),
        (1920, [1 / 3, 1]),
        (5760, [1 / 9, 1 / 3, 1]),
        (9248, [640 / 9248, (640 / 9248) ** (2 / 3), (640 / 9248) ** (1 / 3), 1]),
    ],
)
def test_a_photo_is_looked_at_whole_and_at_its_own_resolution(longest, scales):
    assert _scales(longest) == pytest.approx(scales)


@pytest.mark.parametrize(
    ("length", "starts"), [(1, [0]), (1280, [0]), (1281, [0, 1]), (2400, [0, 1120]), (2401, [0, 560, 1121])]
)
def test_tiles_cover_all_and_share_enough(length, starts):
    assert _starts(length, 1280) == pytest.approx(starts, abs=1)


def test_a_tiny_face_in_a_vast_photo_is_found_wherever_it_is(yunet):
    # 20 pixels wide; shrunk to 1920 pixels, each would have six.
    places = [(left, top, 56) for left in (3, 2500, 5940) for top in (3, 600, 1240)]
    found = yunet(photo(6000, 1300, *places))
    boxes = sorted((round(face.box[0] / 100), round(face.box[1] / 100)) for face in found)
    assert boxes == [(x, y) for x in (0, 25, 60) for y in (0, 6, 13)]


def test_night_and_sky_are_not_searched_closely(yunet, monkeypatch):
    shown = []
    real = yunet._tile
    monkeypatch.setattr(yunet, "_tile", lambda tile, *size: (shown.append(size), real(tile, *size))[1])
    assert len(yunet(photo(6000, 1500, (5500, 300, 60)))) == 1
    assert shown.count((640, 640)) == 1
    assert len(shown) == 6  # of 1 + 2 + 6 + 12
