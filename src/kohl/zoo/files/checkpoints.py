"""Published StyleGAN2 checkpoints, read without running anything in them, and written again as safetensors.

Two kinds of file: `.pt` of rosinality's stylegan2-pytorch, also inside e4e's, and `.pkl` of NVIDIA's
stylegan2-ada-pytorch and stylegan3.
A `.pkl` is a pickle that carries source code for its reader to run. Here all that it asks for by name is replaced by
stand-ins: tensors are built from their raw numbers, and the rest does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from kohl import files, plain_file
from kohl.errors import BadModel, Remedy
from kohl.zoo.files import state, torch_files
from kohl.zoo.files.pickles import DEAREST, Budget, Inert, Named, Refused, Stream, loaded
from kohl.zoo.generators.stylegan2 import STAGES, StyleGAN2, blank
from kohl.zoo.generators.stylegan2_ops import BINOMIAL

LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # how torch.save began before its files were zip files
ZIP, PICKLE = b"PK", b"\x80"
DECODER = "decoder."  # what e4e puts before the names of its generator
FILTERS = (".kernel", ".resample_filter")  # the blur, which our layers have built in
DEEPEST = 64  # more dense layers have no StyleGAN2
ASKED = 5  # names that an error repeats
ESTIMATES = 10_000  # latents whose mean stands in for a missing average
GOOD = "use stylegan2-ffhq-config-f.pt, or ffhq.pkl of stylegan2-ada-pytorch"


def convert(path: Path, output: Path, *, force: bool = False) -> None:
    """Write the generator in a published checkpoint to `output`, for `kohl.zoo.generators.stylegan2.load`.

    `output` is then whole, or as it was; a file that is there is overwritten only with `force`.
    Raises `BadModel` for a file that holds no StyleGAN2 that we can express.
    """
    found = generator(path)
    described = {
        "size": str(found.size),
        "channel_multiplier": f"{found.layers[-1].get_parameter('bias').numel() * found.size / 16384:g}",
        "n_mlp": str(len(found.mapping)),
    }
    try:
        with files.placed(output, force=force) as part:
            save_file(found.state_dict(), part, described)
    except (OSError, SafetensorError) as error:
        raise BadModel(f"{output}: cannot be written ({_reason(error)})", Remedy.OTHER_NAME) from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def generator(path: Path) -> StyleGAN2:
    """The averaged generator, `G_ema`, of a published checkpoint; raises `BadModel`."""
    try:
        with plain_file.opened(path, torch_files.LARGEST) as file:
            start = file.read(len(LEGACY))
            file.seek(0)
            if start.startswith((LEGACY, ZIP)):
                return _expressed(path, _rosinality(path), rosinality_name)
            if start.startswith(PICKLE):
                return _expressed(path, _nvidia(path, file), nvidia_name)
    except OSError as error:
        raise BadModel(f"{path}: cannot be read ({error.strerror}); download the checkpoint first.") from error
    raise BadModel(f"{path}: neither a .pt of torch nor an NVIDIA .pkl; {GOOD}.")


def _expressed(path: Path, theirs: Mapping[str, Tensor], name: Callable[[str], str]) -> StyleGAN2:
    """Our generator with their tensors; `name` says what they call one of ours."""
    found = _blank(theirs, name)
    if found is None:
        raise BadModel(f"{path}: holds no generator of StyleGAN2; {GOOD}.")
    wanted = found.state_dict()
    _check_names(path, theirs, {name(ours): ours for ours in wanted})
    rng = torch.Generator().manual_seed(0)
    tensors = {}
    for ours, empty in wanted.items():
        values = theirs.get(name(ours))
        if values is None:  # noise, or the average, which is estimated below
            values = torch.randn(empty.shape, generator=rng)
        if [n for n in values.shape if n > 1] != [n for n in empty.shape if n > 1]:
            raise BadModel(f"{path}: {name(ours)} is {tuple(values.shape)}, not {tuple(empty.shape)}; {GOOD}.")
        if values.is_complex() or not values.isfinite().all():
            raise BadModel(f"{path}: {name(ours)} holds numbers that are not finite; download the checkpoint again.")
        tensors[ours] = values.float().reshape(empty.shape).contiguous()
    found.load_state_dict(tensors, assign=True)
    if name("average") not in theirs:
        found.average = found.mapping(torch.randn(ESTIMATES, found.latent_shape[1], generator=rng)).detach().mean(0)
    return found.requires_grad_(False)


def _blank(theirs: Mapping[str, Tensor], name: Callable[[str], str]) -> StyleGAN2 | None:
    """A generator of the shape of theirs, without numbers, if they are one's."""

    def there(kind: str, numbers: range) -> list[int]:
        return [n for n in numbers if any(name(f"{kind}.{n}.{part}") in theirs for part in ("weight", "bias"))]

    def length(ours: str) -> int:
        return theirs[name(ours)].numel() if name(ours) in theirs else 1  # a missing one will be named

    layers, dense = there("layers", range(2 * STAGES)), there("mapping", range(DEEPEST))
    channels = [length(f"layers.{layer}.bias") for layer in range(0, layers[-1] + 1, 2)] if layers else []
    if not all(channels) or not channels or not dense:
        return None
    return blank(channels, width=length("mapping.0.bias"), depth=dense[-1] + 1)


def _check_names(path: Path, theirs: Mapping[str, Tensor], ours: Mapping[str, str]) -> None:
    """Raises `BadModel` unless their tensors are those of our layers; noise and average may be missing."""
    missing = [name for name, our in ours.items() if name not in theirs and not our.endswith(("noise", "average"))]
    if missing:
        raise BadModel(f"{path}: lacks {', '.join(missing)}; download the checkpoint again.")
    line = torch.tensor(BINOMIAL)
    for name, values in theirs.items():
        if name.endswith(FILTERS):
            blur = line[:, None] * line / 64
            if values.shape != blur.shape or not torch.allclose(values.float() / values.float().sum(), blur):
                raise BadModel(f"{path}: {name} is another blur than that of the published StyleGAN2; {GOOD}.")
        elif name not in ours:
            raise BadModel(f"{path}: holds {name}, which StyleGAN2 has not; {GOOD}.")


def rosinality_name(name: str) -> str:
    """What stylegan2-pytorch calls one of our tensors."""
    if name in ("average", "constant"):
        return {"average": "latent_avg", "constant": "input.input"}[name]
    kind, index, part = name.split(".", 2)
    number = int(index)
    if kind == "mapping":
        return f"style.{number + 1}.{part}"
    if part == "noise":
        return f"noises.noise_{number}"
    part = part.replace("style.", "conv.modulation.")
    if kind == "colours":
        return f"{f'to_rgbs.{number - 1}' if number else 'to_rgb1'}.{'conv.weight' if part == 'weight' else part}"
    part = {"weight": "conv.weight", "bias": "activate.bias", "strength": "noise.weight"}.get(part, part)
    return f"{f'convs.{number - 1}' if number else 'conv1'}.{part}"


def nvidia_name(name: str) -> str:
    """What NVIDIA's networks call one of our tensors."""
    if name in ("average", "constant"):
        return {"average": "mapping.w_avg", "constant": "synthesis.b4.const"}[name]
    kind, index, part = name.split(".", 2)
    number = int(index)
    if kind == "mapping":
        return f"mapping.fc{number}.{part}"
    part = {"noise": "noise_const", "strength": "noise_strength"}.get(part, part.replace("style.", "affine."))
    if kind == "colours":
        return f"synthesis.b{4 << number}.torgb.{part}"
    return f"synthesis.b{4 << (number + 1) // 2}.conv{(number + 1) % 2}.{part}"


def _rosinality(path: Path) -> dict[str, Tensor]:
    """`g_ema` of a .pt file, or the generator in e4e's, and `latent_avg` if there is one."""
    found = state.checkpoint(path)
    tensors = found["g_ema"] if "g_ema" in found else _inside(found.get("state_dict"))
    average = found.get("latent_avg")
    if not isinstance(tensors, Mapping) or not all(isinstance(values, Tensor) for values in tensors.values()):
        raise BadModel(f"{path}: holds no g_ema, so it is another kind of checkpoint; {GOOD}.")
    named = {**tensors, **({"latent_avg": average} if isinstance(average, Tensor) else {})}
    for name, values in named.items():
        # None is larger than its numbers in the file: a small file shall not become a large tensor.
        if not state.plain(values) or values.nbytes > values.untyped_storage().nbytes():
            raise BadModel(f"{path}: {name} is not simply its numbers; {GOOD}.")
    return {name: _one(values) if name == "latent_avg" else values for name, values in named.items()}


def _inside(parts: Any) -> dict[str, Any] | None:
    """The generator among the parts of e4e, if there is one."""
    names = [name for name in parts if str(name).startswith(DECODER)] if isinstance(parts, Mapping) else []
    return {name.removeprefix(DECODER): parts[name] for name in names} or None


def _one(average: Tensor) -> Tensor:
    """The average latent, which e4e repeats for each of its styles."""
    return average[0] if average.dim() == 2 and bool((average == average[:1]).all()) else average


def _nvidia(path: Path, file: BinaryIO) -> dict[str, Tensor]:
    """`G_ema` of an NVIDIA pickle."""
    size = file.seek(0, 2)
    file.seek(0)
    budget, inert = Budget(size), set[str]()
    try:
        found = loaded(Stream(file, size), budget, _finder(budget, inert))
        tensors = dict(_tensors(found["G_ema"], budget)) if isinstance(found, dict) and "G_ema" in found else {}
    except Refused as error:
        raise BadModel(f"{path}: damaged, cut off, or not of networks; download the checkpoint again.") from error
    if not tensors:
        asks = f" but asks for {', '.join(sorted(inert)[:ASKED])}" if inert else ""
        raise BadModel(f"{path}: holds no G_ema{asks}, so it is another kind of pickle; {GOOD}.")
    if "synthesis.b4.const" not in tensors:
        raise BadModel(f"{path}: without synthesis.b4.const, as stylegan3-t/-r: another architecture; {GOOD}.")
    if "mapping.embed.weight" in tensors:
        raise BadModel(f"{path}: a conditional generator (c_dim > 0), which kohl has no labels for; {GOOD}.")
    if any(".skip." in name for name in tensors):
        raise BadModel(f"{path}: architecture 'resnet', but kohl needs a generator with 'skip'; {GOOD}.")
    return tensors


@dataclass(frozen=True)
class _Network:
    """A network of a pickle: its attributes, without the source code."""

    attributes: Mapping[str, Any]


def _tensors(network: Any, budget: Budget, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every parameter and buffer of a network and those inside it, by name."""
    budget.spend(DEAREST + len(prefix))  # a network may be inside another many times, and so on
    if not isinstance(network, _Network):
        raise Refused("something else than a network")
    parts: list[Any] = [network.attributes.get(kind) for kind in ("_parameters", "_buffers", "_modules")]
    if not all(isinstance(part, dict) for part in parts):
        raise Refused("a network without its parts")
    parameters, buffers, modules = parts
    for name, value in (*parameters.items(), *buffers.items()):
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
    for name, inner in modules.items():
        yield from _tensors(inner, budget, f"{prefix}{name}.")


def _network(about: Any) -> _Network:
    """What NVIDIA's classes keep of a network."""
    if not isinstance(about, dict) or not isinstance(about.get("state"), dict):
        raise Refused("a network without its state")
    return _Network(about["state"])


def _storage(content: bytes, budget: Budget) -> Tensor:
    """The flat numbers in what torch.save made of one storage."""
    values = torch_files.older(BytesIO(content), budget, torch_files.find)
    if not isinstance(values, Tensor):
        raise Refused("something else than numbers")
    return values


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
    """A tensor of numbers in `storage`; none is used twice, so that a small file cannot become a large tensor."""
    values = torch_files.tensor(storage, offset, size, stride)
    if values.numel() > storage.numel():
        raise Refused("a tensor larger than its numbers")
    return values


def _finder(budget: Budget, inert: set[str]) -> Callable[[str], Named]:
    """What stands for a name: our own function, or something that does nothing, whose name is added to `inert`."""
    known: dict[str, Callable[..., Any]] = {
        "collections.OrderedDict": torch_files.table,
        "torch.storage._load_from_bytes": partial(_storage, budget=budget),
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
        "torch_utils.persistence._reconstruct_persistent_obj": _network,
    }

    def find(name: str) -> Named:
        if name not in known:
            inert.add(name)
        return Named(name, known.get(name, lambda *_: Inert()))

    return find
