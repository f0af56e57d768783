"""FaceNet: an Inception-ResNet-v1 (Szegedy et al., AAAI 2017) trained on VGGFace2, from its published weights."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.zoo.files import state
from kohl.zoo.recognisers.recogniser import Recogniser

# Pixels of 160 on each side: its author tested it with 32 in all around MTCNN's boxes, and these are about as large as
# what ArcFace's template is for.
MARGIN = 16


class Mixed(nn.Module):
    """Branches beside each other, their channels put one after the other."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)

    def forward(self, x: Tensor) -> Tensor:
        """What the branches make of `x` (n, channels, height, width), joined along the channels."""
        return torch.cat([branch(x) for branch in self.children()], 1)


class Block(nn.Module):
    """A shortcut beside branches whose joined channels are mixed by `conv2d`, scaled and added."""

    def __init__(self, mixed: Mixed, conv2d: nn.Conv2d, scale: float, *, rectified: bool = True) -> None:
        super().__init__()
        self.scale, self.rectified = scale, rectified
        for name, branch in mixed.named_children():  # the published names have no level for what joins the branches
            self.add_module(name, branch)
        self.conv2d = conv2d

    def forward(self, x: Tensor) -> Tensor:
        """The features (n, channels, height, width) one block further."""
        *branches, conv2d = self.children()
        change = conv2d(torch.cat([branch(x) for branch in branches], 1))
        y = torch.add(x, change, alpha=self.scale)
        return F.relu(y) if self.rectified else y


def convolution(
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int] = 1,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
) -> nn.Sequential:
    """A convolution, a normalisation and a rectifier."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs, eps=1e-3), relu=nn.ReLU()))


def block35() -> Block:
    """One of the first blocks, on 17 × 17 cells."""
    mixed = Mixed(
        convolution(256, 32),
        nn.Sequential(convolution(256, 32), convolution(32, 32, 3, 1, 1)),
        nn.Sequential(convolution(256, 32), convolution(32, 32, 3, 1, 1), convolution(32, 32, 3, 1, 1)),
    )
    return Block(mixed, nn.Conv2d(96, 256, 1), 0.17)


def block17() -> Block:
    """One of the middle blocks, on 8 × 8 cells."""
    rows_then_columns = convolution(128, 128, (1, 7), 1, (0, 3)), convolution(128, 128, (7, 1), 1, (3, 0))
    mixed = Mixed(convolution(896, 128), nn.Sequential(convolution(896, 128), *rows_then_columns))
    return Block(mixed, nn.Conv2d(256, 896, 1), 0.10)


def block8(scale: float = 0.20, *, rectified: bool = True) -> Block:
    """One of the last blocks, on 3 × 3 cells."""
    rows_then_columns = convolution(192, 192, (1, 3), 1, (0, 1)), convolution(192, 192, (3, 1), 1, (1, 0))
    mixed = Mixed(convolution(1792, 192), nn.Sequential(convolution(1792, 192), *rows_then_columns))
    return Block(mixed, nn.Conv2d(384, 1792, 1), scale, rectified=rectified)


def layers() -> nn.Sequential:
    """The whole network, from pixels in [−1, 1] (n, 3, 160, 160) to 512 numbers, named as in the published files."""
    mixed_6a = Mixed(
        convolution(256, 384, 3, 2),
        nn.Sequential(convolution(256, 192), convolution(192, 192, 3, 1, 1), convolution(192, 256, 3, 2)),
        nn.MaxPool2d(3, 2),
    )
    mixed_7a = Mixed(
        nn.Sequential(convolution(896, 256), convolution(256, 384, 3, 2)),
        nn.Sequential(convolution(896, 256), convolution(256, 256, 3, 2)),
        nn.Sequential(convolution(896, 256), convolution(256, 256, 3, 1, 1), convolution(256, 256, 3, 2)),
        nn.MaxPool2d(3, 2),
    )
    return nn.Sequential(
        OrderedDict(
            conv2d_1a=convolution(3, 32, 3, 2),
            conv2d_2a=convolution(32, 32, 3),
            conv2d_2b=convolution(32, 64, 3, 1, 1),
            maxpool_3a=nn.MaxPool2d(3, 2),
            conv2d_3b=convolution(64, 80),
            conv2d_4a=convolution(80, 192, 3),
            conv2d_4b=convolution(192, 256, 3, 2),
            repeat_1=nn.Sequential(*(block35() for _ in range(5))),
            mixed_6a=mixed_6a,
            repeat_2=nn.Sequential(*(block17() for _ in range(10))),
            mixed_7a=mixed_7a,
            repeat_3=nn.Sequential(*(block8() for _ in range(5))),
            block8=block8(1.0, rectified=False),
            avgpool_1a=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            last_linear=nn.Linear(1792, 512, bias=False),
            last_bn=nn.BatchNorm1d(512, eps=1e-3),
        )
    )


def load(path: Path) -> Recogniser:
    """FaceNet from `facenet.pth` or facenet-pytorch's `20180402-114759-vggface2.pt`."""
    # The last layer told the people of the training set apart; nobody needs it.
    weights = {name: x for name, x in state.checkpoint(path).items() if not name.startswith("logits.")}
    # facenet-pytorch divides by 128, the code that the thresholds are from by 127.5, as `Recogniser` does.
    return Recogniser("facenet", state.network(layers, weights, path), size=160, margin=MARGIN)
