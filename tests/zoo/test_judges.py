"""Judges open files by themselves: which face they compare, what they say without one, how a card feeds a model."""

import os
from contextlib import suppress

import bundled
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from photos import SAMPLE, odd_photos, portrait
from PIL import Image, ImageOps

from kohl.errors import BadModel, BadPhoto, BadSetting
from kohl.reader import read
from kohl.templates import ARCFACE
from kohl.zoo import cards
from kohl.zoo.files import runtime
from kohl.zoo.judges import dlib


@pytest.fixture(scope="module", params=[name for name in cards.named("judge") if cards.find(name).package])
def judge(request):
    return bundled.SHELF(cards.judge, request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """face.png; other.png, the face mirrored, narrow and larger; both.png, the two beside each other; none.png."""
    where = tmp_path_factory.mktemp("photos")
    face = portrait()
    other = ImageOps.mirror(face).resize((264, 332))
    both = Image.new("RGB", (520, 340), "grey")
    both.paste(face, (0, 0))
    both.paste(other, (250, 0))
    for name, image in {"face": face, "other": other, "both": both, "none": Image.new("RGB", (64, 64))}.items():
        image.save(where / f"{name}.png")
    return where


def test_a_photo_matches_itself(judge, folder):
    (score,) = judge.compare(folder / "face.png", [folder / "face.png"])
    assert score == pytest.approx(1, abs=1e-5)
    assert score >= max(judge.thresholds.values())


def test_no_face_is_not_another_person(judge, folder):
    face, none = folder / "face.png", folder / "none.png"
    assert judge.compare(none, [face, none]) == [None, None]
    assert judge.compare(face, [none, face])[0] is None
    assert judge.compare(face, [none, face])[1] is not None


def test_the_box_picks_the_face(judge, folder):
    face, other, both = (folder / f"{name}.png" for name in ("face", "other", "both"))
    (left, top, width, height), (large,) = judge.faces(face)[0].box, judge.faces(other)
    beside = (large.box[0] + 250, *large.box[1:])
    assert judge.compare(both, [face], box=(left, top, width, height))[0] > 0.95
    assert judge.compare(both, [face], box=beside)[0] < 0.95
    assert judge.compare(both, [other], box=beside)[0] > 0.95
    assert judge.compare(both, [other])[0] > 0.95  # without a box: the largest
    assert judge.compare(both, [face], box=(0, 250, 40, 40)) == [None]


def test_of_two_faces_about_as_large_the_surest_counts(folder):
    # dlib also sees a face below the astronaut's, as large as hers; the portrait shows only hers.
    judge = bundled.SHELF(cards.judge, "dlib")
    assert len(judge.faces(SAMPLE)) == 2
    assert judge.compare(SAMPLE, [folder / "face.png"])[0] > 0.8


def test_the_best_face_of_the_gallery_photo_counts(judge, folder):
    assert judge.compare(folder / "face.png", [folder / "both.png"])[0] > 0.95


def test_a_face_too_small_to_be_recognised_is_none(folder, tmp_path):
    judge, seen = bundled.SHELF(cards.judge, "sface"), []
    for width in (60, 23):
        Image.open(folder / "face.png").resize((width, width * 256 // 240)).save(tmp_path / f"{width}.png")
        seen.append(len(judge.faces(tmp_path / f"{width}.png")))
    assert seen == [1, 0]
    assert len(judge.look.detector(read(tmp_path / "23.png").pixels)) == 1  # with 3 pixels between the eyes


def test_a_changed_file_is_looked_at_again(judge, folder, tmp_path):
    photo = tmp_path / "photo.png"
    portrait().save(photo)
    assert judge.compare(photo, [photo])[0] is not None
    Image.new("RGB", (64, 64)).save(photo)
    os.utime(photo, ns=(1, 1))
    assert judge.compare(photo, [photo]) == [None]


@pytest.mark.parametrize(
    ("times", "longest"), [(4, 512), pytest.param(10, dlib.LONGEST, marks=pytest.mark.slow)], ids=["large", "larger"]
)
def test_large_photos_keep_their_coordinates(judge, folder, monkeypatch, tmp_path, times, longest):
    monkeypatch.setattr(dlib, "LONGEST", longest)
    portrait().resize((240 * times, 256 * times)).save(tmp_path / "large.jpg")
    small, large = judge.faces(folder / "face.png"), judge.faces(tmp_path / "large.jpg")
    assert len(small) == len(large) == 1
    np.testing.assert_allclose(np.array(large[0].box) / times, small[0].box, atol=8)


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000)])
def test_a_photo_of_any_shape_is_looked_at(judge, tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "thin.png")
    assert judge.faces(tmp_path / "thin.png") == ()


def test_every_kind_of_photo_is_read_upright(tmp_path):
    for name, path in odd_photos(tmp_path).items():
        pixels = read(path).pixels.astype(float)
        if name != "1x1.png":
            assert pixels.shape == (256, 240, 3), name
            assert abs(pixels.mean((0, 1)) - np.asarray(portrait()).mean((0, 1))).max() < 40, name


@pytest.mark.parametrize("content", [None, b"", b"not a photo"])
def test_a_file_that_is_no_photo_is_refused(judge, tmp_path, content):
    path = tmp_path / "photo.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadPhoto, match=r"photo\.jpg"):
        judge.compare(path, [path])


def mean_colour(path, size=112, *, then=("Identity",), kind=TensorProto.FLOAT):
    """A recogniser whose embedding is the mean of each channel that it is fed, and what more is then done to it."""
    steps = ("GlobalAveragePool", "Flatten", *then)
    names = ["x", *(f"step{number}" for number in range(1, len(steps))), "y"]
    nodes = [
        helper.make_node(step, [before] * (2 if step in ("Sub", "Div") else 1), [after])
        for step, before, after in zip(steps, names, names[1:], strict=False)
    ]
    inputs = [helper.make_tensor_value_info("x", kind, ["n", 3, size, size])]
    outputs = [helper.make_tensor_value_info("y", kind, ["n", "d"])]
    graph = helper.make_graph(nodes, "mean", inputs, outputs)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


CARD = 'size = 112\nchannels = "rgb"\nmean = 0\nstd = 1\ntemplate = "arcface"\n[thresholds]\n"0.01" = 0.5\n'


def judge_with(model, card):
    """The judge of `model` with that card beside it."""
    model.with_name(f"{model.name}.toml").write_text(card)
    return cards.judge(f"onnx:{model}")


def test_a_card_says_how_an_onnx_model_is_fed(tmp_path, folder):
    model = mean_colour(tmp_path / "model.onnx")
    plain = judge_with(model, CARD)
    fed = judge_with(
        model, CARD.replace("rgb", "bgr").replace("mean = 0", "mean = [1, 2, 3]").replace("std = 1", "std = [1, 2, 4]")
    )
    assert plain.thresholds == {0.01: 0.5}
    assert plain.name == f"onnx:{model}"
    (seen,), (other,) = plain.faces(folder / "face.png"), fed.faces(folder / "face.png")
    np.testing.assert_allclose(other.embedding, (seen.embedding[::-1] - [1, 2, 3]) / [1, 2, 4], rtol=1e-5)


def test_the_template_moves_the_face(tmp_path, folder):
    # All points to the right of the input: what is left of the face fills it with black and the collar's colours.
    model = mean_colour(tmp_path / "model.onnx")
    aside = [[x + 150, y] for x, y in ARCFACE]
    plain, moved = judge_with(model, CARD), judge_with(model, CARD.replace('"arcface"', str(aside)))
    assert (
        moved.faces(folder / "face.png")[0].embedding.sum() < 0.9 * plain.faces(folder / "face.png")[0].embedding.sum()
    )


def test_sface_by_path_is_the_sface_judge(tmp_path, folder):
    model = tmp_path / "sface.onnx"
    model.symlink_to(cards.path(cards.find("sface")))
    photos = [folder / "face.png", folder / "other.png"]
    theirs = judge_with(model, CARD).compare(photos[0], photos)
    assert bundled.SHELF(cards.judge, "sface").compare(photos[0], photos) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (("std", "sdt"), BadSetting, "sdt: no such setting; did you mean std"),
        (("size = 112\n", ""), BadSetting, "size"),
        (("112", "0"), BadSetting, "size"),
        (("112", '"large"'), BadSetting, "size"),
        (("rgb", "rbg"), BadSetting, "channels"),
        (("mean = 0", "mean = [1, 2]"), BadSetting, "mean"),
        (("arcface", "arcfaces"), BadSetting, "template"),
        (('"0.01"', '"one in a hundred"'), BadSetting, "thresholds"),
        (("[thresholds]", ""), BadSetting, "0.01"),
        (("size = 112", "size"), BadSetting, "TOML"),
        (("112", "true"), BadSetting, "size: must be a whole number, not true"),
        (("112", "1000000"), BadSetting, "size"),
        (("112", "9" * 5000), BadSetting, "TOML"),
        (("112", "[" * 20_000), BadSetting, "TOML"),
        (("mean = 0", "mean = nan"), BadSetting, "mean"),
        (("mean = 0", "mean = true"), BadSetting, "mean"),
        (("std = 1", "std = 0"), BadSetting, "std: must not be 0"),
        (("std = 1", "std = [1, inf, 1]"), BadSetting, "std: must be a number, not Infinity"),
        (("mean = 0", "mean = 1e9"), BadSetting, "mean: must be at most 1e.06"),
        (("mean = 0", "mean = -1e9"), BadSetting, "mean: must be at most 1e.06"),
        (('"arcface"', "[[5, 5], [5, 5], [5, 5], [5, 5], [5, 5]]"), BadSetting, "template"),
        (('"arcface"', "[[1, 1], [2, 2], [3, 3], [4, 4], [9, 9]]"), BadSetting, "template"),
        (('"arcface"', "[[1, 1], [2, 5], [nan, 3], [4, 4], [9, 9]]"), BadSetting, "template"),
        (("0.5", "nan"), BadSetting, r"thresholds\.0\.01: must be a number, not NaN"),
        (("0.5", "inf"), BadSetting, "thresholds"),
        (("0.5", "1.01"), BadSetting, "thresholds: must be a table of cosines, above -1 and at most 1"),
        (("0.5", "-1.0"), BadSetting, "thresholds"),
        (("0.5", "true"), BadSetting, "thresholds"),
        (("0.5", '"0.5"'), BadSetting, "thresholds"),
        (('"0.01"', "nan"), BadSetting, "thresholds"),
        (('"0.01"', "0"), BadSetting, "thresholds"),
        (('"0.01"', "1"), BadSetting, "thresholds"),
        (("112", "160"), BadModel, "112"),
    ],
)
def test_a_wrong_card_is_refused(tmp_path, wrong, error, message):
    with pytest.raises(error, match=message):
        judge_with(mean_colour(tmp_path / "model.onnx"), CARD.replace(*wrong))


@pytest.mark.parametrize("then", [("Sub",), ("Sub", "Div"), ("Exp",)], ids=["zeros", "not numbers", "infinite"])
def test_a_judge_that_would_never_match_anybody_is_refused(tmp_path, folder, then):
    judge = judge_with(mean_colour(tmp_path / "model.onnx", then=then), CARD)
    assert judge.faces(folder / "none.png") == ()
    with pytest.raises(BadModel, match=r"model\.onnx: gives no embedding of a face"):
        judge.compare(folder / "face.png", [folder / "face.png"])


def test_a_judge_may_speak_in_large_numbers(tmp_path, folder):
    judge = judge_with(
        mean_colour(tmp_path / "model.onnx", then=("Exp",)),
        CARD.replace("mean = 0", "mean = -500").replace("std = 1", "std = 10"),
    )
    (seen,) = judge.faces(folder / "face.png")
    assert seen.embedding.min() > 1e20  # its square is infinite in float32
    assert judge.compare(folder / "face.png", [folder / "face.png"]) == [pytest.approx(1)]


def test_a_judge_that_wants_other_numbers_is_refused(tmp_path):
    model = mean_colour(tmp_path / "model.onnx", kind=TensorProto.FLOAT16)
    with pytest.raises(BadModel, match=r"model\.onnx: takes tensor\(float16\), but kohl feeds float32"):
        judge_with(model, CARD)


def test_a_judge_that_fails_on_a_face_is_refused(tmp_path, folder):
    model = onnx.load(mean_colour(tmp_path / "model.onnx"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([5, 7]), "shape"))
    model.graph.node[-1].CopyFrom(helper.make_node("Reshape", ["step2", "shape"], ["y"]))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(BadModel, match=r"model\.onnx: onnxruntime cannot run this model on a face \("):
        judge_with(tmp_path / "model.onnx", CARD).faces(folder / "face.png")


@pytest.mark.parametrize("what", ["folder", "pipe", "device", "vast", "vast card", "pipe for a card"])
def test_what_is_no_file_of_that_kind_is_refused_before_it_is_read(tmp_path, what):
    model = mean_colour(tmp_path / "model.onnx")
    card = model.with_name("model.onnx.toml")
    card.write_text(CARD)
    odd = card if "card" in what else model
    odd.unlink()
    if what == "folder":
        odd.mkdir()
    elif what.startswith("pipe"):
        os.mkfifo(odd)
    elif what == "device":
        odd.symlink_to("/dev/zero")
    else:
        odd.touch()
        os.truncate(odd, 2**33)
    with pytest.raises(BadModel, match=rf"{odd.name}: ") as caught:
        cards.judge(f"onnx:{model}")
    assert "\n" not in str(caught.value)


def altered(path, change):
    """The recogniser with its graph changed."""
    model = onnx.load(mean_colour(path))
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def outside(model):
    """Take a weight from another file."""
    weight = model.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[3])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="secret.bin")


def hidden(model):
    """Take a weight from another file, inside a branch."""
    weight = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="/etc/hostname")
    branch = helper.make_graph([], "branch", [], [], [weight])
    model.graph.node[0].attribute.append(helper.make_attribute("then_branch", branch))


def words(model):
    """Say words instead of numbers."""
    model.graph.node[-1].CopyFrom(helper.make_node("Constant", [], ["y"], value_strings=["a", "b"]))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.STRING


@pytest.mark.parametrize("change", [outside, hidden], ids=["a weight", "a branch's weight"])
def test_a_model_that_wants_other_files_is_refused(tmp_path, change):
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    with pytest.raises(BadModel, match=r"model\.onnx: keeps its weights in other files; save it again as one file"):
        judge_with(altered(tmp_path / "model.onnx", change), CARD)


@pytest.mark.parametrize(
    "change",
    [
        words,
        lambda model: model.graph.ClearField("output"),
        lambda model: model.graph.ClearField("input"),
        lambda model: model.graph.node[0].input.append("y"),
        lambda model: model.opset_import[0].MergeFrom(helper.make_opsetid("", 9999)),
        lambda model: model.graph.node[0].MergeFrom(onnx.NodeProto(op_type="\x1b[2J")),
        lambda model: model.Clear(),
    ],
    ids=["words", "no output", "no input", "a loop", "a far version", "no such layer", "empty"],
)
def test_a_model_that_is_no_recogniser_is_one_sentence(tmp_path, change):
    with pytest.raises(BadModel, match=r"model\.onnx: ") as caught:
        judge_with(altered(tmp_path / "model.onnx", change), CARD)
    assert "\n" not in str(caught.value)


def test_a_damaged_model_is_one_sentence_or_works(tmp_path, folder):
    whole, rng = mean_colour(tmp_path / "model.onnx").read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        content = bytearray(whole)
        for place in rng.integers(len(content), size=rng.integers(1, 6)):
            content[place] = rng.integers(256)
        (tmp_path / "model.onnx").write_bytes(content[: None if rng.random() < 0.8 else rng.integers(len(content))])
        with suppress(BadModel):
            judge_with(tmp_path / "model.onnx", CARD).faces(folder / "face.png")


def test_a_model_that_never_ends_is_stopped(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(runtime, "LONGEST_S", 0.5)

    def value(name, kind, shape=None):
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["v", "v"], ["w"])],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("v", TensorProto.FLOAT)],
        [value("on", TensorProto.BOOL, []), value("w", TensorProto.FLOAT)],
    )

    def endless(model):
        last = model.graph.node[-1]
        model.graph.node.insert(2, helper.make_node("Loop", ["", "always", last.input[0]], ["turned"], body=body))
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "always"))
        last.input[0] = "turned"

    judge = judge_with(altered(tmp_path / "model.onnx", endless), CARD)
    with pytest.raises(BadModel, match=r"model\.onnx: onnxruntime cannot run this model on a face \("):
        judge.faces(folder / "face.png")


def test_a_missing_card_or_model_is_refused(tmp_path):
    with pytest.raises(BadModel, match=r"other\.onnx"):
        cards.judge(f"onnx:{tmp_path / 'other.onnx'}")
    model = mean_colour(tmp_path / "model.onnx")
    with pytest.raises(BadModel, match=r"model\.onnx\.toml"):
        cards.judge(f"onnx:{model}")
