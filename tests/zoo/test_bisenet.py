"""The face parser against a plain computation on random weights, and regions by it or by landmarks."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sitters import sitters
from tiny import numbers

from kohl.errors import BadModel
from kohl.zoo.detectors import bisenet, regions
from kohl.zoo.detectors.bisenet import FaceParser


@pytest.fixture(scope="module")
def weights():
    """Random ones, with the heads that only training uses, as the published file has them."""
    rng = numbers()
    found = {}
    for name, value in FaceParser().state_dict().items():
        if name.endswith("num_batches_tracked"):
            found[name] = torch.tensor(1)
        elif name.endswith("running_var"):
            found[name] = 0.75 + 0.5 * torch.rand(value.shape, generator=rng)
        elif value.dim() == 4:
            found[name] = 1.4 * torch.randn(value.shape, generator=rng) / value[0].numel() ** 0.5
        else:
            found[name] = (0.9 if name.endswith("weight") else 0) + 0.1 * torch.randn(value.shape, generator=rng)
    found["conv_out16.conv_out.weight"] = torch.randn(19, 64, 1, 1, generator=rng)
    return found


def plainly(w, x):
    """The published network, layer by layer."""

    def conv(x, name, stride=1, padding=0):
        return F.conv2d(x, w[f"{name}.weight"], stride=stride, padding=padding)

    def norm(x, name):
        return F.batch_norm(x, *(w[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    def convolved(x, name, padding=1):
        return F.relu(norm(conv(x, f"{name}.conv", padding=padding), f"{name}.bn"))

    def block(x, name, stride):
        inner = F.relu(norm(conv(x, f"{name}.conv1", stride, 1), f"{name}.bn1"))
        inner = norm(conv(inner, f"{name}.conv2", 1, 1), f"{name}.bn2")
        if f"{name}.downsample.0.weight" in w:
            x = norm(conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
        return F.relu(inner + x)

    def refined(x, name):
        seen = convolved(x, f"{name}.conv")
        return seen * torch.sigmoid(norm(conv(seen.mean((2, 3), True), f"{name}.conv_atten"), f"{name}.bn_atten"))

    size = x.shape[-2:]
    y, kept = F.max_pool2d(F.relu(norm(conv(x, "cp.resnet.conv1", 2, 3), "cp.resnet.bn1")), 3, 2, 1), []
    for layer in (1, 2, 3, 4):
        for number in (0, 1):
            y = block(y, f"cp.resnet.layer{layer}.{number}", 2 if layer > 1 and number == 0 else 1)
        kept.append(y)
    _, near, middle, far = kept
    known = refined(far, "cp.arm32") + convolved(far.mean((2, 3), True), "cp.conv_avg", 0)
    known = convolved(F.interpolate(known, middle.shape[-2:], mode="nearest"), "cp.conv_head32")
    known = F.interpolate(refined(middle, "cp.arm16") + known, near.shape[-2:], mode="nearest")
    seen = convolved(torch.cat([near, convolved(known, "cp.conv_head16")], 1), "ffm.convblk", 0)
    seen = seen + seen * torch.sigmoid(conv(F.relu(conv(seen.mean((2, 3), True), "ffm.conv1")), "ffm.conv2"))
    scores = conv(convolved(seen, "conv_out.conv"), "conv_out.conv_out")
    return F.interpolate(scores, size, mode="bilinear", align_corners=True)


def test_it_says_what_the_published_network_says(weights, tmp_path, monkeypatch):
    torch.save(weights, tmp_path / "79999_iter.pth")
    monkeypatch.setattr(bisenet, "SIZE", 96)  # the published one is 512
    images = sitters().crops[:1]
    parser = bisenet.load(tmp_path / "79999_iter.pth")
    small = F.interpolate(images, (96, 96), mode="bilinear")
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        scores = plainly(weights, (small - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1))
    expected = F.interpolate(scores.argmax(1)[:, None].float(), (256, 256))[:, 0].long()
    found = parser(images)
    assert (found == expected).float().mean() > 0.999
    assert len(found.unique()) > 2


def test_its_weights_have_the_published_names():
    names = FaceParser().state_dict()
    assert {
        "cp.resnet.layer3.0.downsample.1.running_var",
        "cp.arm16.bn_atten.weight",
        "cp.conv_avg.conv.weight",
        "ffm.conv2.weight",
        "conv_out.conv_out.weight",
    } <= set(names)
    assert names["conv_out.conv_out.weight"].shape == (19, 256, 1, 1)
    with pytest.raises(KeyError):
        names["cp.resnet.layer1.0.downsample.0.weight"]


def test_another_file_is_refused(weights, tmp_path):
    torch.save({name: x for name, x in weights.items() if "ffm" not in name}, tmp_path / "other.pth")
    with pytest.raises(BadModel, match="this file lacks ffm"):
        bisenet.load(tmp_path / "other.pth")


def test_regions_by_the_parser_are_its_classes_and_the_skin_near_the_eyes_is_one_of_its_own():
    faces = sitters()
    classes = torch.zeros(3, 256, 256, dtype=torch.long)
    classes[:, 60:220, 70:190], classes[:, 180:200, 105:150], classes[:, 130:165, 115:140] = 1, 12, 10
    classes[:, 110:120, 80:110] = 4  # an eye
    lips, skin, near = regions.by_parser(lambda crops: classes, faces).unbind(1)
    assert torch.equal(lips, (classes == 12).float())
    assert torch.equal(skin + near, ((classes == 1) | (classes == 10)).float())
    for index, landmarks in enumerate(faces.landmarks.round().long()):
        left, top = (landmarks[36:42].amin(0) - 16).tolist()
        right, bottom = (landmarks[36:42].amax(0) + 16).tolist()
        assert near[index, top : bottom + 1, left : right + 1].sum() > 0
        assert skin[index, top : bottom + 1, left : right + 1].sum() == 0
        assert near[index, : top - 1].sum() == 0 or top > landmarks[42:48, 1].min() - 16


def test_regions_by_landmarks_are_where_people_have_them():
    faces = sitters()
    found = regions.by_landmarks(faces)
    assert found.shape == (3, 3, 256, 256)
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert found.sum(1).max() == 1  # none in two of them
    for (lips, skin, near), marks in zip(found, faces.landmarks.round().long().numpy(), strict=True):
        assert lips[marks[57, 1] - 2, marks[57, 0]] == 1
        assert skin[marks[30, 1], marks[30, 0]] == 1
        eye = np.round(marks[36:42].mean(0)).astype(int)
        assert lips[eye[1], eye[0]] == skin[eye[1], eye[0]] == near[eye[1], eye[0]] == 0
        assert near[marks[41, 1] + 6, marks[41, 0]] == 1
