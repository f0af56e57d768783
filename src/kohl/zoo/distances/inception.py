"""Inception v3 as the FID uses it (Szegedy et al., CVPR 2016; Heusel et al., NeurIPS 2017): 2048 numbers of a picture.

It reads the file of weights that the package pytorch-fid publishes, whose network is TensorFlow's of 2015: averages do
not count what lies beyond the rim, and the last block takes a maximum instead.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Images
from kohl.zoo.files import state

SIZE = 299  # pixels of a side that it was trained on
FEATURES = 2048


class Convolution(nn.Module):
    """A convolution without bias, a normalisation and a rectifier."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if pad else 0
        self.conv = nn.Conv2d(inputs, outputs, (height, width), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, outputs, …)."""
        return F.relu(self.bn(self.conv(x)))


def average(x: Tensor) -> Tensor:
    """The mean of nine cells; fewer at the rim."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def largest(x: Tensor) -> Tensor:
    """The largest of nine cells."""
    return F.max_pool2d(x, 3, stride=1, padding=1)


class BlockA(nn.Module):
    """Up to 5 × 5, at 35 × 35 cells."""

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = Convolution(inputs, 48, 1), Convolution(48, 64, 5)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Convolution(inputs, 64, 1), Convolution(64, 96, 3)
        self.branch3x3dbl_3 = Convolution(96, 96, 3)
        self.branch_pool = Convolution(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 224 + pooled, height, width)."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat(
            [self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(average(x))], 1
        )


class BlockB(nn.Module):
    """From 35 × 35 cells to 17 × 17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(inputs, 384, 3, 2, pad=False)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Convolution(inputs, 64, 1), Convolution(64, 96, 3)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, 2, pad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 480 + inputs, …)."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class BlockC(nn.Module):
    """Up to 7 × 7 as rows and columns, at 17 × 17 cells."""

    def __init__(self, inputs: int, inner: int) -> None:
        super().__init__()
        row, column = (1, 7), (7, 1)
        self.branch1x1 = Convolution(inputs, 192, 1)
        self.branch7x7_1, self.branch7x7_2 = Convolution(inputs, inner, 1), Convolution(inner, inner, row)
        self.branch7x7_3 = Convolution(inner, 192, column)
        self.branch7x7dbl_1, self.branch7x7dbl_2 = Convolution(inputs, inner, 1), Convolution(inner, inner, column)
        self.branch7x7dbl_3, self.branch7x7dbl_4 = Convolution(inner, inner, row), Convolution(inner, inner, column)
        self.branch7x7dbl_5 = Convolution(inner, 192, row)
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 768, height, width)."""
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(average(x))], 1)


class BlockD(nn.Module):
    """From 17 × 17 cells to 8 × 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Convolution(inputs, 192, 1), Convolution(192, 320, 3, 2, pad=False)
        self.branch7x7x3_1, self.branch7x7x3_2 = Convolution(inputs, 192, 1), Convolution(192, 192, (1, 7))
        self.branch7x7x3_3, self.branch7x7x3_4 = Convolution(192, 192, (7, 1)), Convolution(192, 192, 3, 2, pad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 512 + inputs, …)."""
        other = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), other, F.max_pool2d(x, 3, 2)], 1)


class BlockE(nn.Module):
    """Rows beside columns, at 8 × 8 cells; the `last` one pools by the maximum."""

    def __init__(self, inputs: int, *, last: bool) -> None:
        super().__init__()
        row, column = (1, 3), (3, 1)
        self.pool = largest if last else average
        self.branch1x1 = Convolution(inputs, 320, 1)
        self.branch3x3_1 = Convolution(inputs, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = Convolution(384, 384, row), Convolution(384, 384, column)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Convolution(inputs, 448, 1), Convolution(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Convolution(384, 384, row), Convolution(384, 384, column)
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 2048, height, width)."""
        single, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat(
            [
                self.branch1x1(x),
                *(self.branch3x3_2a(single), self.branch3x3_2b(single)),
                *(self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)),
                self.branch_pool(self.pool(x)),
            ],
            1,
        )


class Inception(nn.Module):
    """Features (n, 2048) of pictures in [0, 1] of any size, which are resized to 299 × 299 first, bilinear."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, 2, pad=False)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3, pad=False)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3, pad=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c = BlockC(768, 128), BlockC(768, 160)
        self.Mixed_6d, self.Mixed_6e = BlockC(768, 160), BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, last=False), BlockE(2048, last=True)

    def forward(self, images: Images) -> Tensor:
        """The features."""
        x = 2 * F.interpolate(images, (SIZE, SIZE), mode="bilinear") - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        means: Tensor = x.mean((2, 3))
        return means


def load(path: Path) -> Inception:
    """The network with the weights in pytorch-fid's `pt_inception-2015-12-05-6726825d.pth`.

    Raises `BadModel` for any other file; nothing in it is run.
    """
    # The classifier is of no use here.
    weights = {name: x for name, x in state.checkpoint(path).items() if not name.startswith("fc.")}
    return state.network(Inception, weights, path)
