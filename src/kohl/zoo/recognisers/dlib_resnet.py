"""dlib's face recognition ResNet (Davis King, 2017) in torch, from dlib's own serialised file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from kohl.geometry import inverse, similarity
from kohl.types import Embeddings, FaceEncoder, Faces, Images, Matrices
from kohl.zoo.recognisers import frozen

MEAN = (122.782, 117.001, 104.298)  # of red, green and blue, on 0..255
BLOCKS = (32, 32, 32, -64, 64, 64, 64, -128, 128, 128, -256, 256, 256, -256)  # channels; minus: halves the size

# The landmarks that dlib aligns by (nose, eyes and the mouth without the lower lip), in the iBUG order ...
LANDMARKS = (*range(27, 55), *range(60, 65))
# ... and where its average face has them, in a unit square.
MEAN_FACE = (
    (0.490127, 0.203352), (0.490127, 0.307009), (0.490127, 0.409805), (0.490127, 0.515625), (0.366880, 0.587326),
    (0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345), (0.613373, 0.587326), (0.121737, 0.216423),
    (0.187122, 0.178758), (0.265825, 0.179852), (0.334606, 0.231733), (0.260918, 0.245099), (0.182743, 0.244077),
    (0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758), (0.858516, 0.216423), (0.797510, 0.244077),
    (0.719335, 0.245099), (0.254149, 0.780233), (0.340985, 0.745405), (0.428858, 0.727388), (0.490127, 0.742578),
    (0.551395, 0.727388), (0.639268, 0.745405), (0.726104, 0.780233), (0.290379, 0.784792), (0.428096, 0.778746),
    (0.490127, 0.785343), (0.552157, 0.778746), (0.689874, 0.784792),
)  # fmt: skip
PADDING = 0.25  # around that square, on every side


class Block(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; the smaller of the two results is filled up with zeros."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        """The features (n, channels, height, width) one block further."""
        shortcut = F.avg_pool2d(x, 2) if self.first.stride == (2, 2) else x
        change = self.second(F.relu(self.first(x)))
        shape = [max(sizes) for sizes in zip(change.shape, shortcut.shape, strict=True)]
        return F.relu(_filled_up(change, shape) + _filled_up(shortcut, shape))


class DlibResNet(FaceEncoder):
    """A ResNet whose 128 numbers dlib compares by euclidean distance: below 0.6 is the same person."""

    name = "dlib"
    size = 150
    mean: Tensor

    def __init__(self, first: nn.Conv2d, blocks: nn.Sequential, last: nn.Linear) -> None:
        super().__init__()
        self.first, self.blocks, self.last = first, blocks, last
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.eval()

    def to_input(self, faces: Faces) -> Matrices:
        """What `dlib.get_face_chip_details` finds for 150 pixels and a padding of 0.25."""
        landmarks = faces.landmarks[:, LANDMARKS]
        template = (landmarks.new_tensor(MEAN_FACE) + PADDING) / (1 + 2 * PADDING) * self.size
        # dlib fits its average face to the photo, which is not quite the inverse of the fit the other way round.
        fitted = inverse(similarity(template.expand_as(landmarks), landmarks))
        # It then samples from the first to the last pixel centre of a square that it made one photo pixel too small.
        step = torch.linalg.det(fitted[:, :, :2]).sqrt().view(-1, 1, 1)
        zoom = (self.size - 1) / (self.size - step)
        shift = (fitted[:, :, 2:] - self.size / 2) * zoom + (self.size - 1) / 2
        return torch.cat([fitted[:, :, :2] * zoom, shift], -1)

    def descriptors(self, inputs: Images) -> Tensor:
        """dlib's own 128 numbers of aligned inputs (n, 3, 150, 150), not of unit length."""
        x = (inputs * 255 - self.mean) / 256
        x = F.max_pool2d(F.relu(self.first(x)), 3, 2)
        descriptors: Tensor = self.last(self.blocks(x).mean((2, 3)))
        return descriptors

    def forward(self, inputs: Images) -> Embeddings:
        """`descriptors` scaled to unit length, as every encoder's."""
        return F.normalize(self.descriptors(inputs))


def load(path: Path) -> DlibResNet:
    """The network in dlib's file, in evaluation mode and without gradients of its own."""
    weights = list(_weights(path.read_bytes()))
    channels = [32, *(abs(block) for block in BLOCKS for _ in range(2))]
    strides = [2, *(stride for block in BLOCKS for stride in ((2, 1) if block < 0 else (1, 1)))]
    convolutions = [
        _convolution(*layer) for layer in zip(weights[:-1:2], weights[1:-1:2], channels, strides, strict=True)
    ]
    blocks = [Block(*pair) for pair in zip(convolutions[1::2], convolutions[2::2], strict=True)]
    return DlibResNet(
        convolutions[0], nn.Sequential(*blocks), frozen.linear(weights[-1].view(256, 128).T, torch.zeros(128))
    )


def _convolution(weights: Tensor, affine: Tensor, outputs: int, stride: int) -> nn.Conv2d:
    """A convolution (kernels, then biases) with the affine layer behind it (scales, then shifts) folded in."""
    kernels, bias = weights[:-outputs].view(outputs, -1), weights[-outputs:]
    scale, shift = affine.view(2, outputs)
    kernel = 7 if len(kernels[0]) == 3 * 7 * 7 else 3
    normal = torch.zeros_like(shift), torch.ones_like(scale), 0.0  # mean, variance and epsilon of what is normalised
    kernels, bias = fuse_conv_bn_weights(kernels, bias, *normal, scale, shift)
    kernels = kernels.view(outputs, -1, kernel, kernel)
    return frozen.convolution(kernels, bias, stride=stride, padding=0 if stride == 2 else 1)


def _filled_up(x: Tensor, shape: Sequence[int]) -> Tensor:
    """`x` with zeros behind its last channel, row and column."""
    _, channels, height, width = (wanted - has for wanted, has in zip(shape, x.shape, strict=True))
    return F.pad(x, (0, width, 0, height, 0, channels)) if channels or height or width else x


# What dlib writes behind a layer's name: t, a tensor; i, an integer (a float is two: mantissa and exponent).
FIELDS = {
    "con_4": "t" + 25 * "i",
    "affine_": "t" + 11 * "i",
    "fc_2": "iit" + 19 * "i",
    "max_pool_2": 6 * "i",
    "avg_pool_2": 6 * "i",
    "relu_": "",
    "add_prev_": "",
}
INPUT = b"input_rgb_image_sized"


def _weights(content: bytes) -> Iterator[Tensor]:
    """The float64 weights of every layer that has any, flat, from the input to the output."""
    # Before the input layer there are only the version numbers of the nested layers.
    stream = BytesIO(content[content.index(INPUT) + len(INPUT) :])
    for _ in range(3 * 2 + 2):  # the mean colour, the input's size
        _integer(stream)
    yield from _layer(stream)
    _integer(stream)  # images per input, which only the first layer has
    while stream.tell() < stream.getbuffer().nbytes:
        yield from _layer(stream)


def _layer(stream: BytesIO) -> Iterator[Tensor]:
    """The weights of one layer, if it has any."""
    name = stream.read(_integer(stream)).decode()
    for field in FIELDS[name]:
        if field == "t":
            yield _tensor(stream)
        else:
            _integer(stream)
    stream.read(3)  # flags, as digits
    for _ in range(3):  # gradients and the last output, all empty
        _tensor(stream)


def _tensor(stream: BytesIO) -> Tensor:
    """A version, four sizes, and raw numbers."""
    _, *shape = (_integer(stream) for _ in range(5))
    return torch.tensor(np.frombuffer(stream.read(4 * math.prod(shape)), "<f4"), dtype=torch.float64)


def _integer(stream: BytesIO) -> int:
    """A byte that says how many bytes follow and the sign, then those bytes."""
    control = int.from_bytes(stream.read(1), "little")
    magnitude = int.from_bytes(stream.read(control & 0x0F), "little")
    return -magnitude if control & 0x80 else magnitude
