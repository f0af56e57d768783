"""Which of 19 parts of a face each pixel is: BiSeNet, as published for CelebAMask-HQ (Yu et al., ECCV 2018).

Layers are named as in 79999_iter.pth of zllrunning's face-parsing.PyTorch, which AMT-GAN uses.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Images
from kohl.zoo.files import state

CLASSES, SIZE = 19, 512
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
AUXILIARY = ("conv_out16.", "conv_out32.")  # heads that only training uses


class Convolved(nn.Module):
    """A convolution, normalised and rectified."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, outputs, height, width)."""
        return F.relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """The basic block of ResNet-18 (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if inputs != outputs or stride != 1
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, outputs, height / stride, width / stride)."""
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(inner + self.downsample(x))


class Trunk(nn.Module):
    """ResNet-18 without its head: features at an eighth, a sixteenth and a thirty-second of the size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        for number, (inputs, outputs) in enumerate(((64, 64), (64, 128), (128, 256), (256, 512)), 1):
            blocks = Block(inputs, outputs, 1 if number == 1 else 2), Block(outputs, outputs, 1)
            self.add_module(f"layer{number}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:
        """The three."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        found = []
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            found.append(x)
        return found[1:]


class Refined(nn.Module):
    """Features, each channel times how much it matters for the whole picture."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = Convolved(inputs, 128)
        self.conv_atten, self.bn_atten = nn.Conv2d(128, 128, 1, bias=False), nn.BatchNorm2d(128)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 128, height, width)."""
        seen: Tensor = self.conv(x)
        return seen * torch.sigmoid(self.bn_atten(self.conv_atten(seen.mean((2, 3), keepdim=True))))


class Context(nn.Module):
    """What stands where, from far to near."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = Trunk()
        self.arm16, self.arm32 = Refined(256), Refined(512)
        self.conv_head32, self.conv_head16 = Convolved(128, 128), Convolved(128, 128)
        self.conv_avg = Convolved(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the trunk and of the context, (n, 128, height / 8, width / 8) both."""
        near, middle, far = self.resnet(x)
        known = self.arm32(far) + self.conv_avg(far.mean((2, 3), keepdim=True))
        known = self.conv_head32(F.interpolate(known, middle.shape[-2:]))
        return near, self.conv_head16(F.interpolate(self.arm16(middle) + known, near.shape[-2:]))


class Fused(nn.Module):
    """Both together, each channel times one and how much it matters."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = Convolved(256, 256, 1)
        self.conv1, self.conv2 = nn.Conv2d(256, 64, 1, bias=False), nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, near: Tensor, known: Tensor) -> Tensor:
        """Features (n, 256, height / 8, width / 8)."""
        seen: Tensor = self.convblk(torch.cat([near, known], 1))
        weight = torch.sigmoid(self.conv2(F.relu(self.conv1(seen.mean((2, 3), keepdim=True)))))
        return seen * weight + seen


class Head(nn.Module):
    """How likely each place is of each class."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.conv_out = Convolved(256, 256), nn.Conv2d(256, CLASSES, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (n, 19, height / 8, width / 8)."""
        scores: Tensor = self.conv_out(self.conv(x))
        return scores


class FaceParser(nn.Module):
    """Says of each pixel which part of a face it is: 1 skin, 10 nose, 12 upper lip, 13 lower lip, 17 hair …"""

    def __init__(self) -> None:
        super().__init__()
        self.cp, self.ffm, self.conv_out = Context(), Fused(), Head()

    @torch.no_grad()
    def forward(self, images: Images) -> Tensor:
        """The class of each pixel, (n, height, width)."""
        large = F.interpolate(images, (SIZE, SIZE), mode="bilinear")
        mean, deviation = (images.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
        scores = self.conv_out(self.ffm(*self.cp((large - mean) / deviation)))
        classes = F.interpolate(scores, (SIZE, SIZE), mode="bilinear", align_corners=True).argmax(1)
        return F.interpolate(classes[:, None].float(), images.shape[-2:])[:, 0].long()


def load(path: Path) -> FaceParser:
    """The parser in the published 79999_iter.pth; raises `BadModel` for another file."""
    weights = {name: x for name, x in state.checkpoint(path).items() if not name.startswith(AUXILIARY)}
    return state.network(FaceParser, weights, path)
