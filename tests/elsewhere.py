"""A device that no machine has: the numbers of its tensors are on the CPU, yet none of them goes with one that is here.

So whatever runs there gives the same bytes as on the CPU, unless it forgot to move something: then it fails.
"""

from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

THERE = torch.device("meta")  # torch has it everywhere, and takes slopes on it in the thread that asks
MAKERS = ("arange", "as_tensor", "empty", "eye", "full", "linspace", "ones", "rand", "randint", "randn", "randperm")
MAKERS = {getattr(torch, name) for name in (*MAKERS, "tensor", "zeros")}
MAY_MIX = {torch.ops.aten.copy_.default, torch.ops.aten.index.Tensor}  # as between the CPU and a GPU


class Elsewhere(Tensor):
    """A tensor that says it is there; its numbers are in `here`."""

    @staticmethod
    def __new__(cls, here):
        form = {"strides": here.stride(), "storage_offset": here.storage_offset(), "dtype": here.dtype}
        made = Tensor._make_wrapper_subclass(cls, here.shape, **form, device=THERE)
        made.here = here
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})


def run(func, args, kwargs):
    """What the function does, on the CPU; as tensors that are there if its own are, or if that is asked for."""
    tensors = []

    def here(x):
        tensors.append(x)
        return x.here if isinstance(x, Elsewhere) else x

    given, named = changed(args, here), changed(kwargs, here)
    there = any(isinstance(x, Elsewhere) for x in tensors)
    if there and func not in MAY_MIX:
        strays = [x for x in tensors if x.dim() and not isinstance(x, Elsewhere)]
        assert not strays, f"{func}: one of its tensors was left on the CPU, {tuple(strays[0].shape)}"
    if named.get("device") is not None:
        there = torch.device(named["device"]) == THERE
        named = {**named, "device": torch.device("cpu")}
    found = func(*given, **named)
    if there and found is not None and func._schema.name.endswith("_"):  # changed in place
        return args[0]
    return changed(found, Elsewhere) if there else found


def changed(values, change):
    """The same with every tensor in it changed; torch's own `tree_map` looks for more, and takes five times as long."""
    if isinstance(values, Tensor):
        return change(values)
    if type(values) in (list, tuple):
        return type(values)(changed(each, change) for each in values)
    return {name: changed(each, change) for name, each in values.items()} if type(values) is dict else values


class _Operations(TorchDispatchMode):
    """Tensors that are made there, or moved there."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False  # to skip what is never used here, torch would import it, which takes a second

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})


class Calls(TorchFunctionMode):
    """Who makes a tensor without saying where: `unplaced`. Lists of numbers become tensors there."""

    def __init__(self):
        super().__init__()
        self.unplaced = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in MAKERS and kwargs.get("device") is None:
            self.unplaced.append(func.__name__)
        if func is Tensor.tolist:
            return func(args[0].cpu())
        if func is Tensor.new_tensor and isinstance(args[0], Elsewhere):
            return Elsewhere(args[0].here.new_tensor(*args[1:], **kwargs))
        if func is Tensor.__getitem__ and isinstance(args[0], Elsewhere) and isinstance(args[1], tuple):
            return func(args[0], tuple(torch.tensor(x) if isinstance(x, tuple) else x for x in args[1]))
        if func is torch.tensor and kwargs.get("device") == THERE:
            return Elsewhere(func(*args, **{**kwargs, "device": "cpu"}))
        return func(*args, **kwargs)


@contextmanager
def elsewhere():
    """A machine that has that device."""
    with ExitStack() as stack:
        stack.enter_context(_Operations())
        yield stack.enter_context(Calls())
