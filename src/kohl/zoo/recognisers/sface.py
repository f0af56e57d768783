"""SFace (Zhong et al., TIP 2021) in torch, from OpenCV Zoo's block-quantised ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from kohl.geometry import similarity
from kohl.templates import ARCFACE
from kohl.types import Embeddings, FaceEncoder, Faces, Images, Matrices
from kohl.zoo.files import initializers
from kohl.zoo.recognisers import frozen

LAYERS = ("conv_1", *(f"conv_{index}{part}" for index in range(2, 15) for part in ("_dw", "")))
HALVING = ("conv_3_dw", "conv_5_dw", "conv_7_dw", "conv_13_dw")  # convolutions with stride 2


class SFace(FaceEncoder):
    """A MobileNet whose 128 numbers are compared by cosine."""

    name = "sface"
    size = 112

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers
        self.eval()

    def to_input(self, faces: Faces) -> Matrices:
        """Eyes, nose tip and mouth corners onto ArcFace's template."""
        return similarity(faces.points, faces.points.new_tensor(ARCFACE).expand(len(faces.points), -1, -1))

    def forward(self, inputs: Images) -> Embeddings:
        """Embeddings of aligned inputs (n, 3, 112, 112)."""
        # The graph's own Sub and Mul on 0..255. Its convolutions pad with zeros after them: they cannot be folded.
        return F.normalize(self.layers((inputs * 255 - 127.5) * 0.0078125))


def load(path: Path) -> SFace:
    """The network in OpenCV Zoo's ONNX file, in evaluation mode and without gradients of its own."""
    values = initializers.read(path)
    layers = [layer for name in LAYERS for layer in _convolution_and_prelu(values, name)]
    return SFace(nn.Sequential(*layers, nn.Flatten(), _last(values)))


def _convolution_and_prelu(values: Mapping[str, np.ndarray], name: str) -> tuple[nn.Module, frozen.PReLU]:
    """One layer; the batch normalisation between the two is folded into the convolution."""
    weight = _dequantised(values, f"{name}_conv2d_weight").view(*values[f"{name}_conv2d_weight_shape"])
    weight, bias = fuse_conv_bn_weights(weight, None, *_batch_norm(values, f"{name}_batchnorm", eps=1e-3))
    prelu = frozen.PReLU(_numbers(values[f"{name}_relu_gamma"]))
    if weight.shape[2] == 1:
        return frozen.Pointwise(weight, bias), prelu
    stride, groups = 2 if name in HALVING else 1, len(weight) if name.endswith("_dw") else 1
    return frozen.convolution(weight, bias, stride=stride, padding=1, groups=groups), prelu


def _last(values: Mapping[str, np.ndarray]) -> nn.Linear:
    """The matrix product, with the batch normalisations before and after it folded in."""
    weight, bias = _dequantised(values, "pre_fc1_weight"), _dequantised(values, "pre_fc1_bias")
    before = frozen.scale_and_shift(*_batch_norm(values, "bn1", eps=2e-5))
    scale, shift = (x.repeat_interleave(7 * 7) for x in before)  # 7 × 7 cells a channel
    bias = bias + weight @ shift
    weight.mul_(scale)  # in place: 50 MB
    return frozen.linear(*fuse_linear_bn_weights(weight, bias, *_batch_norm(values, "fc1", eps=2e-5)))


def _batch_norm(
    values: Mapping[str, np.ndarray], name: str, *, eps: float
) -> tuple[Tensor, Tensor, float, Tensor, Tensor]:
    """Mean, variance, epsilon, weight and bias of a batch normalisation, in the order in which torch fuses them."""
    mean, variance, weight, bias = (
        _numbers(values[f"{name}_{part}"]) for part in ("moving_mean", "moving_var", "gamma", "beta")
    )
    return mean, variance, eps, weight, bias


def _dequantised(values: Mapping[str, np.ndarray], name: str) -> Tensor:
    """Weights from 8-bit integers; consecutive ones share a scale and a zero point."""
    quantised, scales, zeros = (_numbers(values[f"{name}_{part}"]) for part in ("quantized", "scales", "zero_point"))
    blocks = quantised.view(scales.numel(), -1).sub_(zeros.view(-1, 1)).mul_(scales.view(-1, 1))
    return blocks.view(quantised.shape)


def _numbers(values: np.ndarray) -> Tensor:
    """A copy in float64."""
    return torch.tensor(values, dtype=torch.float64)
