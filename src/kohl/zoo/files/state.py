"""Published weights, read without running code, checked against the network they are for, and frozen in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import fusion

from kohl.errors import BadModel
from kohl.zoo.files import store, torch_files
from kohl.zoo.recognisers import frozen

Network = TypeVar("Network", bound=nn.Module)

FRACTIONS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def checkpoint(path: Path) -> dict[str, Any]:
    """What the file at `path` holds, by name; of a zip archive, each tensor stays on disk until it is used.

    Raises `BadModel` for a file that is missing or broken, or that only running code from it could read.
    """
    if path.suffix == ".safetensors":
        return dict(store.tensors(path))
    try:
        content = torch_files.read(path)
    except FileNotFoundError as error:
        raise BadModel(f"{path}: this model file is missing; fetch the published file.") from error
    except (OSError, *torch_files.DAMAGED) as error:
        raise _not_weights(path) from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise _not_weights(path)
    return content


def plain(x: Any) -> bool:
    """Whether `x` is a tensor of fractions, each in its place: no sparse, quantised, nested or empty promise of one."""
    return (
        isinstance(x, Tensor)
        and x.dtype in FRACTIONS
        and x.layout == torch.strided
        and x.device.type == "cpu"
        and not x.is_nested
    )


def network(build: Callable[[], Network], weights: Mapping[str, Any], path: Path) -> Network:
    """What `build` makes, with the `weights` found in `path`; frozen, in evaluation mode, and faster than built.

    Raises `BadModel` unless every weight is there, none is left over, and all have the right shape and finite numbers.
    """
    with torch.device("meta"):
        made = build()
    # Only training counts batches, and old files lack the count.
    wanted, given = (
        {name: value for name, value in values.items() if not name.endswith("num_batches_tracked")}
        for values in (made.state_dict(), weights)
    )
    for fault, names in _faults(wanted, given):
        if names:
            raise BadModel(f"{path}: {fault} {_listed(names)}; fetch the published file.")
    made.load_state_dict({name: _own(value) for name, value in given.items()}, strict=False, assign=True)
    _fold(made.requires_grad_(False).eval())
    return made.eval()  # the layers that are new, too


def _own(value: Tensor) -> Tensor:
    """A copy in float32, as a CPU likes it: the file's own pages would stay in memory beside copies made later."""
    channels_last = torch.channels_last if value.dim() == 4 else torch.preserve_format
    return value.to(torch.float32, copy=True, memory_format=channels_last)


class Affine(nn.Module):
    """A scale and a shift per channel: a batch normalisation in evaluation mode, faster than torch's own."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale, shift = frozen.scale_and_shift(norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
        self.register_buffer("scale", scale.detach().float().view(-1, 1, 1))
        self.register_buffer("shift", shift.detach().float().view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, channels, height, width), scaled and shifted."""
        return torch.addcmul(self.shift, x, self.scale)


def _faults(wanted: Mapping[str, Tensor], given: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What may be wrong, and with which weights it is; the first fault explains the later ones."""
    both = {name: given[name] for name in wanted if name in given}
    right = {name: x for name, x in both.items() if plain(x) and x.shape == wanted[name].shape}
    return [
        ("this file lacks", [name for name in wanted if name not in given]),
        ("this file is for another network, for it has", [name for name in given if name not in wanted]),
        ("this file is for another network, by the shape of", [name for name in both if name not in right]),
        # A sum is finite only if every number is; it needs no second tensor of that size.
        ("there are numbers that are not finite in", [name for name, x in right.items() if not x.sum().isfinite()]),
    ]


def _listed(names: list[str]) -> str:
    """The first name, and how many more there are."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _fold(network: nn.Module) -> None:
    """Put each normalisation into the matrix or convolution that it follows, and the rest into faster layers.

    In float64: rounded after every factor, the gradients of IR-152 would no longer be the original's.
    """
    for module in [*network.modules()]:
        if isinstance(module, nn.Sequential):
            for (name, layer), (after, norm) in pairwise(module.named_children()):
                if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module.add_module(name, fusion.fuse_conv_bn_eval(layer.double(), norm.double()).float())
                elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                    module.add_module(name, fusion.fuse_linear_bn_eval(layer.double(), norm.double()).float())
                else:
                    continue
                module.add_module(after, nn.Identity())
        for name, layer in module.named_children():
            module.add_module(name, _faster(layer))


def _faster(layer: nn.Module) -> nn.Module:
    """A layer that does the same in less time, or the layer itself."""
    if isinstance(layer, nn.BatchNorm2d):
        return Affine(layer.double())
    if isinstance(layer, nn.PReLU):
        return frozen.PReLU(layer.weight)
    if isinstance(layer, nn.Conv2d):
        # With channels last, steps on a CPU are a tenth to a fifth faster.
        layer.weight = frozen.parameter(layer.weight.contiguous(memory_format=torch.channels_last))
    return layer


def _not_weights(path: Path) -> BadModel:
    """The error for a file that is broken, or that only running code could read."""
    return BadModel(
        f"{path}: this is not a file of weights alone, the only kind that kohl reads; fetch the published file, "
        "or save its state dict as safetensors."
    )
