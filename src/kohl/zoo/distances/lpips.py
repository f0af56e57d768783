"""How different two pictures look to a network that learned to see (LPIPS: Zhang et al., CVPR 2018), on VGG-16."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from kohl.device import convolving_in
from kohl.types import Images, Scores
from kohl.zoo.files import state

CHANNELS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)  # of VGG-16; 0 halves
LOOKS = (3, 8, 15, 22, 29)  # the last layer of each size, where features are compared ...
HEADS = (64, 128, 256, 512, 512)  # ... and the channels there


class Trunk(nn.Module):
    """The convolutions of VGG-16 (Simonyan & Zisserman, ICLR 2015)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for outputs in CHANNELS:
            if outputs:
                layers += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU()]
                inputs = outputs
            else:
                layers += [nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features (n, channels, height, width) at five sizes, from fine to coarse."""
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in LOOKS:
                found.append(x)
        return found


class Head(nn.Module):
    """The weights of one size's channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))  # after dropout

    def forward(self, differences: Tensor) -> Tensor:
        """The weighted sum over channels (n, channels, height, width), the mean over cells: (n,)."""
        sums: Tensor = self.model(differences)
        return sums.mean((1, 2, 3))


class LPIPS(nn.Module):
    """A distance that agrees better with people than differences of pixels do; differentiable.

    `dtype` is that of the trunk's convolutions, with float32 weights, images and distances: bfloat16 is twice as fast
    where the processor has it (`stylegan2_ops.fast_dtype`).
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, trunk: Trunk, heads: nn.ModuleDict) -> None:
        super().__init__()
        self.trunk, self.heads, self.dtype = trunk, heads, torch.float32
        # Published for pixels in [−1, 1], and rounded there.
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1))
        self.eval()

    def features(self, images: Images) -> list[Tensor]:
        """What the network sees in `images` at five sizes; in every cell a vector of unit length."""
        x = ((images * 2 - 1 - self.shift) / self.scale).contiguous(memory_format=torch.channels_last)
        with convolving_in(self.dtype, x.device):
            found = [seen.to(x) for seen in self.trunk(x)]
        # Without the small number a cell in which nothing is seen would be divided by zero.
        return [seen / (torch.linalg.vector_norm(seen, dim=1, keepdim=True) + 1e-10) for seen in found]

    def forward(self, first: Images, second: Images) -> Scores:
        """The distance of each image of `first` from that of `second`; 0 for equal images."""
        return self._distance(self.features(first), self.features(second))

    def to_reference(self, reference: Images) -> Callable[[Images], Scores]:
        """The distance from `reference`, which is looked at only once."""
        with torch.no_grad():
            wanted = self.features(reference)
        return lambda images: self._distance(self.features(images), wanted)

    def _distance(self, first: list[Tensor], second: list[Tensor]) -> Scores:
        """The weighted squared difference of features, the mean over cells, the sum over sizes."""
        pairs = zip(self.heads.values(), first, second, strict=True)
        return torch.stack([head((a - b).square()) for head, a, b in pairs]).sum(0)


def load(vgg: Path, heads: Path) -> LPIPS:
    """The distance with the trunk in torchvision's `vgg16-397923af.pth` and the heads in `vgg.pth` of lpips 0.1."""
    # The file's classifier is of no use here.
    weights = {name: x for name, x in state.checkpoint(vgg).items() if not name.startswith("classifier.")}
    return LPIPS(state.network(Trunk, weights, vgg), state.network(_heads, state.checkpoint(heads), heads))


def _heads() -> nn.ModuleDict:
    """One weight for each channel that is compared."""
    return nn.ModuleDict({f"lin{index}": Head(channels) for index, channels in enumerate(HEADS)})
