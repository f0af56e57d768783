from __future__ import annotations

import os
from dataclasses import asdict, fields, is_dataclass, replace

import pytest
import tiny
import torch
from tiny import STILL, LinearText, numbers, surrogates

from kohl import recipe, settings
from kohl.errors import BadSetting
from kohl.perturb import terms
from kohl.perturb.latent import LatentSearch
from kohl.perturb.terms import Words
from kohl.recipe import Recipe
from kohl.settings import build
from kohl.types import Candidate, Goal
from kohl.zoo import cards


@pytest.mark.parametrize("name", ["default", "subtle", "strong", "mini", "paper", "released"])
def test_every_shipped_recipe_loads(name):
    assert isinstance(recipe.load(name), Recipe)


def test_the_default_recipe_is_the_defaults_and_the_others_lie_on_either_side():
    assert recipe.load("default") == Recipe()
    assert recipe.load("subtle").strength < Recipe().strength < recipe.load("strong").strength


def test_a_file_is_read_and_its_errors_name_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("strength = 0.25\n[models]\nfar = 0.1\n")
    assert recipe.load(path) == replace(Recipe(), strength=0.25, models=replace(Recipe().models, far=0.1))
    path.write_text("strenght = 0.25\n")
    with pytest.raises(BadSetting, match=r"mine\.toml: strenght: no such setting; did you mean strength\?"):
        recipe.load(str(path))


@pytest.mark.parametrize("content", [b"strength =", b"\xff\xfe", b"\0"])
def test_a_file_that_is_no_toml_is_a_bad_setting(tmp_path, content):
    (tmp_path / "broken.toml").write_bytes(content)
    with pytest.raises(BadSetting, match=r"broken\.toml: not a TOML file"):
        recipe.load(tmp_path / "broken.toml")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_text("text = " + "[" * 20_000), r"not a TOML file \(nested too deep\)$"),
        (lambda path: path.write_text("strength = " + "1" * 5000), "not a TOML file"),
        (lambda path: path.write_text("[search]\nsteps = 0x" + "f" * 9000), "more than 64 bits"),
        (lambda path: path.write_text("[search]\nsteps = 1000000000000"), r"search\.steps: must be at most 100000"),
        (
            lambda path: path.write_text("[search.views]\nblur = nan"),
            r"search\.views\.blur: must be a number, not NaN$",
        ),
        (
            lambda path: path.write_text("[models]\njudges = [" + "'a'," * 9999 + "]"),
            r"models\.judges: must be at most 32 names",
        ),
        (lambda path: path.write_text("text = [[" + "'a'," * 9999 + "]]"), "text: must be a text, not a list of lists"),
        (lambda path: path.write_text(f"text = {['a' * 9999]}"), r'text: must be a text, not \["a{198}…$'),
        (lambda path: path.write_text("a" * 60_000 + " = 1"), "no such setting"),
        (lambda path: path.write_text("#" * 70_000), r"cannot be read \(larger than 0\.06554 MB"),
        (os.mkfifo, r"cannot be read \(not an ordinary file\)$"),
        (lambda path: path.symlink_to("/dev/zero"), r"cannot be read \(not an ordinary file\)$"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
)
def test_a_hostile_file_is_one_sentence(tmp_path, write, said):
    write(tmp_path / "x.toml")
    with pytest.raises(BadSetting, match=rf"^{tmp_path}/x\.toml: .*{said}"):
        recipe.load(tmp_path / "x.toml")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, ""])
def test_a_name_that_no_file_has_is_one_sentence(name):
    with pytest.raises(BadSetting, match="this recipe cannot be read"):
        recipe.load(name)


@pytest.mark.parametrize(
    "assignment",
    ["a." * 60_000 + "a=1", "search.steps=" + "[" * 60_000, "search.steps=0x" + "f" * 60_000, "=" * 60_000],
)
def test_a_hostile_override_is_one_sentence(assignment):
    with pytest.raises(BadSetting):
        recipe.override(Recipe(), [assignment])


def test_an_unknown_recipe_lists_the_shipped_ones(tmp_path):
    with pytest.raises(BadSetting, match=r"no such recipe; name one of .*default.*strong.*subtle"):
        recipe.load("stronk")
    with pytest.raises(BadSetting, match="cannot be read"):
        recipe.load(tmp_path)


def test_overrides_are_laid_over_in_order_and_leave_the_recipe_alone():
    start = Recipe()
    changed = recipe.override(start, ["search.steps=80", "strength=1", "models.generator=other", "strength = 0.25"])
    assert (changed.search.steps, changed.strength, changed.models.generator) == (80, 0.25, "other")
    assert changed.models.judges == start.models.judges
    assert start == Recipe()


def test_an_override_may_be_any_toml_value():
    assert recipe.override(Recipe(), ['models.judges=["dlib"]']).models.judges == ("dlib",)
    assert recipe.override(Recipe(), ["models={far=0.1}"]).models == replace(Recipe().models, far=0.1)
    assert recipe.override(Recipe(), ["models.generator=a b"]).models.generator == "a b"


@pytest.mark.parametrize("assignment", ["search.steps", "=5", "", "a b=1"])
def test_what_is_no_assignment_is_refused(assignment):
    with pytest.raises(BadSetting):
        recipe.override(Recipe(), [assignment])


def test_an_override_with_a_wrong_name_suggests_the_nearest():
    with pytest.raises(BadSetting, match=r"^search\.stesp: no such setting; did you mean search\.steps\?$"):
        recipe.override(Recipe(), ["search.stesp=80"])


def test_a_written_recipe_reads_back(tmp_path):
    changed = recipe.override(
        Recipe(), ["search.steps=7", 'models.generator=a "quoted" näme', "models.judges=['a', 'b']"]
    )
    path = tmp_path / "written.toml"
    path.write_text(settings.to_toml(changed), encoding="utf-8")
    assert recipe.load(path) == changed


def test_every_default_in_the_recipe_has_the_type_that_it_declares():
    def rebuilt(settings):
        for setting in fields(settings):
            if is_dataclass(value := getattr(settings, setting.name)):
                rebuilt(value)
        assert build(type(settings), asdict(settings)) == settings

    rebuilt(Recipe())


# The published method


PUBLISHED = {  # CVPR 2023, and the code that was released with it
    "paper": {
        "steps": 450,
        "noise": False,
        "adversarial": 1.0,
        "text": 0.5,
        "loss": "directional",
        "tilt": 0.0,
        "beyond": "edge",
        "shown": "aligned",
    },
    "released": {
        "steps": 150,
        "noise": True,
        "adversarial": 0.7,
        "text": 0.3,
        "loss": "contrastive",
        "tilt": 0.5,
        "beyond": "black",
        "shown": "squeezed",
    },
}
SOURCE, TARGET = tiny.faces(2, seed=1), tiny.faces(2, seed=2)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_recipes_say_what_was_published(name):
    known, settings = PUBLISHED[name], recipe.load(name)
    models, tuning, search = settings.models, settings.tuning, settings.search
    assert (tuning.steps, tuning.noise, tuning.refine) == (known["steps"], known["noise"], 0)
    assert (tuning.rate, tuning.pixels, tuning.size, tuning.enough) == (5e-4, 0.4, 256, 0.0)
    assert tuning.held == 8
    assert (search.steps, search.rate, search.last_rate, search.scouts) == (50, 0.01, 1.0, 0)
    assert (search.distance, search.margin, search.closeness, search.decoy) == ("cosine", 2.0, 0.0, 1.0)
    assert (search.text, search.text_loss, search.perspective) == (known["text"], known["loss"], known["tilt"])
    assert (search.latent, search.noise) == (pytest.approx(0.01 * (18 - 8) * 512), 0.0)  # the sum over rows of w+
    assert (search.lines, search.change, search.chance, search.tries) == (0.0, 0.0, 0.0, 1)  # none of these is theirs
    assert tuning.exact
    assert (models.alignment, models.shown) == ("ffhq", known["shown"])
    assert not recipe.override(settings, ["tuning.exact=false"]).tuning.exact
    assert (search.beyond, tuning.whole) == (known["beyond"], False)
    assert search.recognition == pytest.approx(known["adversarial"] * len(models.searched))
    assert search.at(settings.strength) == search
    assert replace(search.views, blur=0.0) == STILL
    assert search.views.blurred == 0.0  # so that the sigma does not count
    assert (settings.text, search.change) == ("red lipstick", 0.0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_recipes_name_models_that_play_these_parts(name):
    models = recipe.load(name).models
    parts = {"generator": [models.generator], "inverter": [models.encoder], "perceptual": [models.perceptual]}
    parts |= {"encoder": models.surrogates, "text": [models.text], "judge": models.judging}
    for kind, names in parts.items():
        assert set(names) <= set(cards.named(kind))
    assert sorted(models.surrogates) == ["facenet", "ir152", "irse50", "mobile_face"]
    assert models.leave_out == "mobile_face"


@pytest.mark.parametrize("left", ["irse50", "ir152", "facenet", "mobile_face"])
def test_whoever_is_left_out_judges_and_is_not_searched(left):
    chosen = recipe.override(recipe.load("paper"), [f"models.leave_out={left}"])
    assert {*chosen.models.searched, left} == {*chosen.models.surrogates}
    assert len(chosen.models.searched) == 3
    assert chosen.models.judging == (*recipe.Models().judges, left)
    assert {"irse50", "ir152", "facenet", "mobile_face"} <= {*recipe.names(chosen, words=False)}  # one file for both
    twice = recipe.override(chosen, [f"models.judges=['{left}', 'dlib']"])
    assert twice.models.judging == (left, "dlib")


def test_nobody_is_left_out_by_default():
    models = Recipe().models
    assert (models.searched, models.judging) == (models.surrogates, models.judges)
    assert recipe.override(Recipe(), ["models.leave_out=sface"]).models.searched == ("dlib", "faceres", "facelib")


@pytest.mark.parametrize("settings", [["leave_out=irse50"], ["surrogates=['dlib']", "leave_out=dlib"]])
def test_whoever_is_left_out_must_be_one_of_several(settings):
    with pytest.raises(BadSetting, match=r"^models\.leave_out: must be one of several surrogates, "):
        recipe.override(Recipe(), [f"models.{setting}" for setting in settings])


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("paper", Goal.dodge(SOURCE, TARGET)),
        ("paper", Goal.impersonate(SOURCE, TARGET)),
        ("released", Goal.dodge(SOURCE, TARGET)),
    ],
    ids=["paper", "paper, as another", "released"],
)
def test_the_published_losses_are_these(name, goal):
    # Dodging: the sum over recognisers of D(face, target) − D(face, source), but for a constant; D is 1 − cosine.
    known, chosen, steps = PUBLISHED[name], recipe.load(name), []
    settings = replace(chosen.search, perspective=0.0)
    three, words = surrogates(3, threshold=0.0), Words(LinearText(), "red lips")
    LatentSearch(tiny.invert, three, settings, words)(SOURCE, goal, rng=numbers(), watch=steps.append)
    assert len(steps) == 50  # nothing is ever enough
    text = {
        "directional": lambda: terms.directional(words, SOURCE.crops, view=lambda images: images),
        "contrastive": lambda: terms.contrastive(words, SOURCE.crops, view=lambda images: images),
    }[known["loss"]]()
    for step in steps[1::10]:
        images, expected = step.candidate.images.detach(), torch.zeros(2)
        for surrogate in three:
            face, source, target = (surrogate.embed(SOURCE.with_crops(x)) for x in (images, SOURCE.crops, TARGET.crops))
            expected += goal.towards * (1 - (face * target).sum(1)) - goal.away * (1 - (face * source).sum(1))
        found = sum(loss for key, loss in step.losses.items() if key.startswith("linear"))
        constant = goal.away * 2 * len(three) * len(images)
        assert found == pytest.approx(known["adversarial"] * (expected.sum().item() + constant), rel=1e-4)
        worded = text(Candidate(images, step.candidate.latents)).sum().item()
        assert step.losses["text"] == pytest.approx(known["text"] * worded, rel=1e-3)
        assert step.losses["change"] == 0


# Settings of the search


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("search.distance=metres", 'search.distance: must be one of thresholds, cosine, not "metres"'),
        ("search.text_loss=clip", 'search.text_loss: must be one of directional, contrastive, not "clip"'),
        ("search.perspective=1", "search.perspective: must be below 1, not 1.0"),
        ("search.perspective=-0.1", "search.perspective: must not be negative, not -0.1"),
        ("search.last_rate=-0.5", "search.last_rate: must not be negative, not -0.5"),
        ("search.recognition=-1", "search.recognition: must not be negative, not -1.0"),
        ("search.recognition=true", "search.recognition: must be a number, not true"),
        ("tuning.noise=1", "tuning.noise: must be true or false, not 1"),
        ("tuning.exact=1", "tuning.exact: must be true or false, not 1"),
        ("tuning.still=1", "tuning.still: must be a share, at least 0 and below 1, not 1.0"),
        ("tuning.size=100", "tuning.size: must be 16, 32 and so on, doubling, not 100"),
        ("models.perceptual=3", "models.perceptual: must be a text, not 3"),
    ],
)
def test_a_wrong_setting_of_the_search_is_named(assignment, message):
    with pytest.raises(BadSetting) as error:
        recipe.override(Recipe(), [assignment])
    assert str(error.value) == message


def test_new_settings_are_taken():
    names = ["distance=cosine", "text_loss=contrastive", "perspective=0.99", "last_rate=1", "recognition=0", "text=2"]
    search = recipe.override(Recipe(), [f"search.{name}" for name in names]).search
    assert (search.distance, search.text_loss, search.perspective) == ("cosine", "contrastive", 0.99)
    assert (search.last_rate, search.recognition, search.text) == (1.0, 0.0, 2.0)
