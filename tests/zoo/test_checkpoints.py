"""Published checkpoints of StyleGAN2: what comes out of them, that nothing in them runs, and which are refused."""

import json
import pickle
import random
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fills import FIR, filled, given, nv
from safetensors import safe_open
from scarce import full_disk
from tiny import numbers
from torch import nn

from kohl.errors import BadModel
from kohl.zoo.files import checkpoints, pickles, torch_files
from kohl.zoo.files.checkpoints import nvidia_name, rosinality_name
from kohl.zoo.generators import stylegan2

GOLDEN = Path(__file__).parents[1] / "golden"
PICKLES = [f"nv_{kind}_tiny_p{protocol}.pkl" for kind in ("ada", "sg3") for protocol in (3, 4)]
WIDTH = 6


class Touch:
    """Its pickle creates a file when it is read by a reader that runs what it is told to."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class Network:
    """A network as NVIDIA's pickles have it: its attributes, beside source code to be run."""

    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        about = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit",
            "class_name": "N",
            "state": self.state,
        }
        return _reconstruct_persistent_obj, (about,)


def nested(tensors):
    """NVIDIA's network with these tensors; a dot in a name is a network inside."""
    here = {name: nn.Parameter(values) for name, values in tensors.items() if "." not in name}
    inner = {name.split(".")[0] for name in tensors if "." in name}
    modules = {
        name: nested({rest[len(name) + 1 :]: x for rest, x in tensors.items() if rest.startswith(f"{name}.")})
        for name in inner
    }
    return Network({"_parameters": here, "_buffers": {"nothing": None}, "_modules": modules, "training": False})


def _reconstruct_persistent_obj(about):
    raise AssertionError


@pytest.fixture
def pickled(tmp_path, monkeypatch):
    """Writes an NVIDIA pickle, with their module there only while it is written."""

    def written(content):
        module = ModuleType("torch_utils.persistence")
        module._reconstruct_persistent_obj = _reconstruct_persistent_obj
        path = tmp_path / "network.pkl"
        with monkeypatch.context() as patch:
            patch.setattr(_reconstruct_persistent_obj, "__module__", module.__name__)
            patch.setitem(sys.modules, "torch_utils", ModuleType("torch_utils"))
            patch.setitem(sys.modules, module.__name__, module)
            path.write_bytes(pickle.dumps(content))
        return path

    return written


@pytest.fixture(scope="module")
def toy():
    """A generator of 16 pixels."""
    made = stylegan2.untrained((5, 4, 3), width=WIDTH, depth=2, rng=numbers())
    made.average.normal_(generator=numbers(1))
    return made


def as_rosinality(generator):
    """A checkpoint like rosinality's, as a dictionary."""
    tensors = {rosinality_name(name): x.clone() for name, x in generator.state_dict().items()}
    for name, values in tensors.items():
        if name.endswith("conv.weight"):
            tensors[name] = values.view(1, *values.shape, *([1, 1] if values.dim() == 2 else []))
        elif name.startswith("to_rgb") and name.endswith(".bias") and "modulation" not in name:
            tensors[name] = values.view(1, 3, 1, 1)
        elif name.endswith("noise.weight"):
            tensors[name] = values.view(1)
    average = tensors.pop("latent_avg")
    kernels = ["convs.0.conv.blur.kernel", "convs.2.conv.blur.kernel", "to_rgbs.0.upsample.kernel"]
    return {"g_ema": {**tensors, **{name: torch.tensor(FIR * 4) for name in kernels}}, "latent_avg": average}


def as_nvidia(generator):
    """The tensors of a generator as NVIDIA has them."""
    tensors = {nvidia_name(name): x.clone() for name, x in generator.state_dict().items()}
    tensors["synthesis.b4.const"] = tensors["synthesis.b4.const"][0]
    tensors["synthesis.b8.conv0.resample_filter"] = torch.tensor(FIR, dtype=torch.float32)
    for name in (name for name in tensors if name.endswith("noise_const")):
        tensors[name] = tensors[name][0, 0]
    for name in (name for name in tensors if name.endswith("torgb.weight")):
        tensors[name] = tensors[name][:, :, None, None]
    return tensors


def saved(content, folder, **options):
    torch.save(content, folder / "g.pt", **options)
    return folder / "g.pt"


def drawn(generator):
    return generator.synthesis(torch.randn(1, *generator.latent_shape, generator=numbers(2)))


def assert_near(ours, theirs, atol):
    torch.testing.assert_close(ours, torch.from_numpy(theirs), atol=atol, rtol=0)


@pytest.mark.parametrize("name", PICKLES)
def test_reads_what_nvidia_wrote_and_runs_none_of_it(name):
    # Its source code raises an error; its G and D are other networks than its G_ema.
    golden = np.load(GOLDEN / f"{name[:-7]}.npz")
    generator = checkpoints.generator(GOLDEN / name)
    z = given("input.z", (2, 16))
    assert_near(generator.latents(z), golden["w_from_z"], 1e-5)
    assert_near(generator.latents(z, truncation=0.7), golden["w_trunc"], 1e-5)
    assert_near(generator.synthesis(given("input.wplus", (1, 6, 16))) * 2 - 1, golden["img"], 5e-5)
    assert_near(generator.synthesis(generator.latents(z, truncation=0.7)) * 2 - 1, golden["img_trunc"], 5e-5)
    assert not {"dnnlib", "torch_utils"} & set(sys.modules)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ada", "sg3"])
def test_draws_as_nvidia(kind, pickled):
    golden = np.load(GOLDEN / f"nv_{kind}_64.npz")
    weights = filled(json.loads(str(golden["keys_json"])), nv)
    path = pickled({"G_ema": nested(weights)})
    generator = checkpoints.generator(path)
    path.unlink()
    z = given("input.z", (2, 512))
    assert_near(generator.latents(z)[:, 0], golden["w_from_z"], 1e-5)
    truncated = generator.latents(z, truncation=0.7)
    assert_near(truncated[:, 0], golden["w_trunc"], 1e-5)
    for latents, name in ((given("input.wplus", (1, 10, 512)), "img_pool4"), (truncated, "img_trunc_pool4")):
        assert_near(F.avg_pool2d(generator.synthesis(latents) * 2 - 1, 4), golden[name], 5e-5)


PUBLISHED = {  # list of tensors: the size and the multiplier of its generator, and what it calls one of our tensors
    **{f"sg2_keys_{size}_cm{each}": (size, each, rosinality_name) for size in (64, 256, 1024) for each in (1, 2)},
    **{f"nv_keys_{kind}_256": (256, 1, nvidia_name) for kind in ("ada", "sg3")},
    **{f"nv_keys_{kind}_1024": (1024, 2, nvidia_name) for kind in ("ada", "sg3")},
}


@pytest.mark.parametrize("file", PUBLISHED)
def test_knows_every_published_tensor(file):
    size, multiplier, name = PUBLISHED[file]
    published = {
        key: tuple(shape) for key, shape in json.loads(str(np.load(GOLDEN / f"{file}.npz")["keys_json"])).items()
    }
    ours = stylegan2.blank(stylegan2.channels(size, multiplier), width=512, depth=8).state_dict()
    ours = {name(key): tuple(n for n in x.shape if n > 1) for key, x in ours.items()}
    ours.pop("latent_avg", None)  # not in the network but beside it
    filters = {key for key in published if key.endswith(checkpoints.FILTERS)}
    assert ours == {key: tuple(n for n in published[key] if n > 1) for key in published.keys() - filters}


@pytest.mark.parametrize("legacy", [False, True])
def test_reads_what_rosinality_wrote(toy, tmp_path, legacy):
    content = {**as_rosinality(toy), "g": {"other": torch.zeros(1)}, "d": {}, "g_optim": {"state": {}}}
    path = saved(content, tmp_path, _use_new_zipfile_serialization=not legacy)
    found = checkpoints.generator(path)
    torch.testing.assert_close(drawn(found), drawn(toy))
    assert torch.equal(found.average, toy.average)


def as_e4e(generator, rows=6):
    """A checkpoint like e4e's, with the generator beside its encoder, and the average repeated for every style."""
    content = as_rosinality(generator)
    parts = {f"decoder.{name}": x for name, x in content["g_ema"].items()} | {"encoder.body": torch.ones(1)}
    return {"state_dict": parts, "opts": {}, "latent_avg": content["latent_avg"].repeat(rows, 1)}


@pytest.mark.parametrize("rows", [1, 6])
@pytest.mark.parametrize("legacy", [False, True])
def test_reads_the_generator_inside_e4e(toy, tmp_path, legacy, rows):
    path = saved(as_e4e(toy, rows), tmp_path, _use_new_zipfile_serialization=not legacy)
    found = checkpoints.generator(path)
    assert torch.equal(found.average, toy.average)
    torch.testing.assert_close(drawn(found), drawn(toy))


def test_the_generator_inside_e4e_has_the_published_names_and_shapes():
    held = json.loads(str(np.load(GOLDEN / "e4e_1024.npz")["ckpt_state_dict_keys_json"]))
    alone = json.loads(str(np.load(GOLDEN / "sg2_keys_1024_cm2.npz")["keys_json"]))
    assert {name: shape for name, shape in held.items() if name.startswith(checkpoints.DECODER)} == {
        f"{checkpoints.DECODER}{name}": shape for name, shape in alone.items()
    }


def test_an_average_that_differs_from_style_to_style_is_refused(toy, tmp_path):
    content = as_e4e(toy)
    content["latent_avg"][1, 0] += 1
    with pytest.raises(BadModel, match=r"latent_avg is \(6, 6\), not \(6,\)"):
        checkpoints.generator(saved(content, tmp_path))


def test_reads_half_precision(toy, pickled):
    half = {name: values.half() for name, values in as_nvidia(toy).items()}
    found = checkpoints.generator(pickled({"G_ema": nested(half)}))
    assert drawn(found).dtype == torch.float32
    torch.testing.assert_close(drawn(found), drawn(toy), atol=0.02, rtol=0)


def test_missing_noise_is_the_same_noise_every_time(toy, tmp_path):
    content = as_rosinality(toy)
    content["g_ema"] = {
        name: x for name, x in content["g_ema"].items() if not name.startswith("noises.") and "kernel" not in name
    }
    first, second = (checkpoints.generator(saved(content, tmp_path)) for _ in range(2))
    assert all(torch.equal(*noises) for noises in zip(first.noise, second.noise, strict=True))
    assert all(noise.abs().max() > 0 for noise in first.noise)


def test_missing_average_is_estimated(toy, tmp_path):
    content = as_rosinality(toy)
    del content["latent_avg"]
    found = checkpoints.generator(saved(content, tmp_path)).average
    truth = toy.mapping(torch.randn(100_000, WIDTH, generator=numbers(3)))
    assert ((found - truth.mean(0)).abs() < 5 * truth.std(0) / 1e4**0.5).all()


def test_converts_to_a_file_that_loads(toy, tmp_path):
    output = tmp_path / "toy.safetensors"
    output.write_text("before")
    with output.open() as reading:  # whoever reads the file meanwhile reads all of the old one
        checkpoints.convert(saved(as_rosinality(toy), tmp_path), output, force=True)
        assert reading.read() == "before"
    torch.testing.assert_close(drawn(stylegan2.load(output)), drawn(toy))
    with safe_open(output, "pt") as file:
        assert file.metadata() == {"size": "16", "channel_multiplier": "0.00292969", "n_mlp": "2"}
    assert {path.name for path in tmp_path.iterdir()} == {"g.pt", "toy.safetensors"}


def test_failure_leaves_what_was_there(toy, tmp_path):
    output = tmp_path / "toy.safetensors"
    output.write_text("before")
    with pytest.raises(BadModel):
        checkpoints.convert(saved({"g": 1}, tmp_path), output)
    whole = saved(as_rosinality(toy), tmp_path)
    with pytest.raises(BadModel, match="cannot be written"):
        checkpoints.convert(whole, tmp_path / "no folder" / "toy.safetensors")

    with full_disk(1000), pytest.raises(BadModel, match="cannot be written"):
        checkpoints.convert(whole, output, force=True)
    assert output.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"g.pt", "toy.safetensors"}


@pytest.mark.parametrize("kind", ["pickle", "network", "zip", "legacy"])
def test_hostile_files_do_nothing(toy, tmp_path, pickled, kind):
    trap = tmp_path / "trap"
    if kind == "pickle":
        path = pickled(Touch(trap))
    elif kind == "network":
        path = pickled({"G_ema": Touch(trap)})
    else:
        content = {**as_rosinality(toy), "args": Touch(trap)}
        path = saved(content, tmp_path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(BadModel, match=str(path)):
        checkpoints.generator(path)
    assert not trap.exists()


def test_a_hostile_object_beside_the_network_does_nothing(toy, tmp_path, pickled):
    trap = tmp_path / "trap"
    path = pickled({"G_ema": nested(as_nvidia(toy)), "augment_pipe": Touch(trap)})
    torch.testing.assert_close(drawn(checkpoints.generator(path)), drawn(toy))
    assert not trap.exists()


FUNCTIONS = ["torch.storage._load_from_bytes", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"]


@pytest.mark.parametrize("state", [b"}(%sK\x01u", b"N}(%sK\x01u\x86"], ids=["dictionary", "slots"])
def test_a_pickle_cannot_change_the_reader(tmp_path, state):
    # GLOBAL, then BUILD: an attribute to set on what was found under that name.
    path = tmp_path / "bad.pkl"
    for name in (*FUNCTIONS, "collections.OrderedDict", "os.system"):
        module, _, function = name.rpartition(".")
        build = state % (b"X\x08\0\0\0tampered")
        path.write_bytes(b"\x80\x04c" + f"{module}\n{function}\n".encode() + build + b"b.")
        with pytest.raises(BadModel):
            checkpoints.generator(path)
    functions = [torch_files.tensor, torch_files.table, checkpoints._Network, pickles.Named, pickles.Inert]
    assert not any(hasattr(function, "tampered") for function in functions)


@pytest.mark.parametrize("index", [10**6, 2**32 - 1])
def test_a_pickle_cannot_fill_the_memory(tmp_path, index):
    # LONG_BINPUT: the C reader of Python would make room for as many objects.
    path = tmp_path / "bad.pkl"
    path.write_bytes(b"\x80\x04}r" + index.to_bytes(4, "little") + b".")
    with pytest.raises(BadModel, match="no G_ema"):
        checkpoints.generator(path)


def laughs(tensors):
    """Networks in networks, twice each: more tensors than anybody could count, in few bytes."""
    made = nested(tensors)
    for _ in range(60):
        made = Network({"_parameters": {}, "_buffers": {}, "_modules": {"a": made, "b": made}})
    return made


def in_itself(tensors):
    made = nested(tensors)
    made.state["_modules"]["again"] = made
    return made


@pytest.mark.parametrize("make", [laughs, in_itself])
def test_networks_without_end_are_refused(toy, pickled, make):
    with pytest.raises(BadModel, match="damaged"):
        checkpoints.generator(pickled({"G_ema": make(as_nvidia(toy))}))


def test_the_same_numbers_again_and_again_do_not_fill_the_memory(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own about storages
        content = torch.zeros(2**18).storage().__reduce__()[1][0]
    call = b"h\x00h\x01R"
    path = tmp_path / "g.pkl"
    held = b"B" + len(content).to_bytes(4, "little") + content
    path.write_bytes(b"\x80\x02ctorch.storage\n_load_from_bytes\nq\x00" + held + b"\x85q\x01(" + call * 5000 + b"l.")
    with pytest.raises(BadModel, match="damaged"):
        checkpoints.generator(path)


def test_a_file_larger_than_any_checkpoint_is_refused_unread(tmp_path):
    with (tmp_path / "g.pkl").open("wb") as file:
        file.write(b"\x80")
        file.truncate(2**32)
    with pytest.raises(BadModel, match=r"g\.pkl: cannot be read \(larger than 2147 MB"):
        checkpoints.generator(tmp_path / "g.pkl")


def changed(tensors, change):
    """The tensors after a change: a dictionary of those to set, with None for those to remove."""
    return {name: values for name, values in {**tensors, **change}.items() if values is not None}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"convs.1.conv.weight": None, "style.2.bias": None}, r"lacks style\.2\.bias, convs\.1\.conv\.weight"),
        ({"convs.3.activate.bias": None}, r"lacks convs\.3\.activate\.bias"),
        ({"style.1.weight": torch.zeros(5, WIDTH)}, r"style\.1\.weight is \(5, 6\), not \(6, 6\)"),
        ({"skips.0.weight": torch.zeros(1)}, r"holds skips\.0\.weight"),
        ({"input.input": torch.full((1, 5, 4, 4), torch.nan)}, r"input\.input .* not finite"),
        ({"convs.0.conv.blur.kernel": torch.ones(4, 4)}, "another blur"),
    ],
)
def test_refuses_a_generator_that_is_not_whole(toy, tmp_path, change, reason):
    content = as_rosinality(toy)
    content["g_ema"] = changed(content["g_ema"], change)
    with pytest.raises(BadModel, match=reason):
        checkpoints.generator(saved(content, tmp_path))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"synthesis.b4.const": None, "synthesis.input.freqs": torch.zeros(3, 2)},
            "stylegan3-t/-r: another architecture",
        ),
        ({"mapping.embed.weight": torch.zeros(6, 3)}, "conditional"),
        ({"synthesis.b8.skip.weight": torch.zeros(4, 5, 1, 1)}, "architecture 'resnet'"),
        ({"synthesis.b16.conv1.noise_strength": None}, r"lacks synthesis\.b16\.conv1\.noise_strength"),
        ({"mapping.fc0.bias": torch.full((6,), torch.inf)}, r"mapping\.fc0\.bias .* not finite"),
        ({"mapping.fc0.weight": torch.zeros(1).expand(6, 6)}, "damaged"),  # so could a small file fill the memory
    ],
)
def test_refuses_networks_that_are_something_else(toy, pickled, change, reason):
    with pytest.raises(BadModel, match=reason):
        checkpoints.generator(pickled({"G_ema": nested(changed(as_nvidia(toy), change))}))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"state_dict": {"encoder.body": torch.zeros(1)}}, "holds no g_ema"),
        ({"state_dict": {"decoder.body": torch.zeros(1)}}, "holds no generator"),
        ({"state_dict": {"decoder.body": 1}}, "holds no g_ema"),
        ({"g_ema": {"encoder.body": torch.zeros(1)}}, "holds no generator"),
        ({"g_ema": torch.zeros(2)}, "holds no g_ema"),
        ({"g_ema": {"style.1.weight": 1}}, "holds no g_ema"),
        ([1, 2], r"g\.pt"),
    ],
)
def test_refuses_another_checkpoint_of_torch(tmp_path, content, reason):
    with pytest.raises(BadModel, match=reason):
        checkpoints.generator(saved(content, tmp_path))


@pytest.mark.parametrize(
    "odd",
    [lambda x: x.to_sparse(), lambda x: x.to("meta"), lambda x: x.to(torch.complex64), lambda x: x[:1].expand(10**9)],
    ids=["sparse", "no numbers", "complex", "one number for all"],
)
@pytest.mark.parametrize("name", ["conv1.activate.bias", "latent_avg"])
def test_refuses_tensors_that_are_not_their_numbers(toy, tmp_path, name, odd):
    content = as_rosinality(toy)
    values = content if name in content else content["g_ema"]
    values[name] = odd(values[name])
    with pytest.raises(BadModel, match=f"({name} is not simply its numbers; use|is not a file of weights alone)"):
        checkpoints.generator(saved(content, tmp_path))


@pytest.mark.parametrize("content", [{}, [1], {"G_ema": 5}, {"G": {}}, {"G_ema": SimpleNamespace(state={})}])
def test_refuses_another_pickle(pickled, content):
    with pytest.raises(BadModel, match=r"network\.pkl"):
        checkpoints.generator(pickled(content))


def test_says_what_another_pickle_asks_for(pickled):
    with pytest.raises(BadModel, match=r"no G_ema but asks for types\.SimpleNamespace"):
        checkpoints.generator(pickled((SimpleNamespace(),)))


@pytest.mark.parametrize(
    "content", [None, b"", b"not weights", b"PK", b"\x80", checkpoints.LEGACY, b"\x08\0\0\0\0\0\0\0{}"]
)
def test_refuses_what_is_no_checkpoint(tmp_path, content):
    path = tmp_path / "some.pkl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadModel, match=r"some\.pkl: .*[;,] .*\.$"):
        checkpoints.generator(path)


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle"])
def test_refuses_a_file_cut_off_anywhere(toy, tmp_path, kind):
    if kind == "pickle":
        path = GOLDEN / PICKLES[0]
    else:
        path = saved(as_rosinality(toy), tmp_path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    cut = tmp_path / "cut"
    for length in random.Random(0).sample(range(len(whole)), 30):
        cut.write_bytes(whole[:length])
        with pytest.raises(BadModel, match="cut: "):
            checkpoints.generator(cut)


@pytest.mark.parametrize("kind", ["legacy", "pickle"])
def test_damage_is_refused_or_harmless(toy, tmp_path, kind):
    path = GOLDEN / PICKLES[0]
    if kind == "legacy":
        path = saved(as_rosinality(toy), tmp_path, _use_new_zipfile_serialization=False)
    rng, whole = random.Random(0), path.read_bytes()
    damaged = tmp_path / "damaged"
    for _ in range(30):
        content = bytearray(whole)
        for _ in range(3):
            content[rng.randrange(len(content))] = rng.randrange(256)
        damaged.write_bytes(content)
        with suppress(BadModel):
            assert drawn(checkpoints.generator(damaged)).dtype == torch.float32
