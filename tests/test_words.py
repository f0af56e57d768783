"""From the words of a user to the look, the search and the notes; and which inverter a generator gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import bundled
import pytest
import torch
from sitters import sitter
from tiny import LinearEncoder, LinearText, MeanColour, numbers, picture
from tiny_styles import Blocks, Encoder, generator

from kohl import commands, pipeline
from kohl.cli import main
from kohl.errors import BadSetting
from kohl.invert.closed_form import in_closed_form
from kohl.invert.own_styles import OwnStyles
from kohl.invert.pivotal import Tuning, pivotal
from kohl.makeup import layers as makeup
from kohl.perturb import looks
from kohl.perturb.latent import Search
from kohl.recipe import Models, Recipe
from kohl.status import Status
from kohl.types import Goal, Row
from kohl.zoo import cards

CLIP = "clip-vit-b32"
REAL_LOAD = pipeline.load


class Whole(LinearEncoder):
    """A recogniser that takes the whole crop."""

    def to_input(self, faces):
        return torch.eye(2, 3).expand(len(faces.crops), -1, -1) * (self.size / faces.crops.shape[-1])


@pytest.fixture
def loaded(monkeypatch):
    """The names that are loaded: the bundled generator, words and decoys are real, the rest are toys."""
    toys = {CLIP: LinearText(), "e4e": Encoder(8), "lpips": Blocks(), "yunet": None, "landmarks68": None}
    names = []

    def load(name, kind=None):
        names.append(name)
        if name in toys:
            return toys[name]
        return bundled.load(name, kind)

    monkeypatch.setattr(cards, "load", load)
    monkeypatch.setattr(cards, "judge", lambda name: MeanColour(name=name))
    monkeypatch.setattr(cards, "encoder", Whole)
    monkeypatch.setattr(looks, "TRIED", 3)
    return names


def recipe(text="", *, text_model="makeup_clip", **settings):
    return Recipe(models=Models(text=text_model), text=text, **settings)


def look_of(house):
    """The look that its faces start with."""
    assert house.attack.invert.func is in_closed_form
    return house.attack.invert.keywords["look"]


# Words and looks


def test_words_are_worn_from_the_start(loaded):
    house = pipeline.load(recipe(" Red lipstick "))
    model = bundled.load("makeup_clip")
    assert house.attack.words.model is model
    assert house.attack.words.text == "red lipstick"
    assert torch.equal(look_of(house), model.look(["red lipstick"])[0])
    worn = [name for name, dials in zip(makeup.NAMES, look_of(house), strict=True) if dials[0] > 0]
    assert worn == ["lipstick"]
    assert (house.draws, house.notes) == (True, ())
    inversion = house.attack.invert(sitter(0))
    changed = inversion.generator(inversion.latents) - sitter(0).crops
    x, y = sitter(0).landmarks[0, [51, 57]].mean(0).int().tolist()
    assert changed[0, 0, y - 8 : y + 9, x].mean() > changed[0, 1, y - 8 : y + 9, x].mean() + 0.02  # redder
    assert not changed[..., :100, :].any()


def test_a_slip_is_corrected_and_noted(loaded):
    house = pipeline.load(recipe("red lipstik"))
    assert house.attack.words.text == "red lipstick"
    assert house.notes == ("read “lipstik” as “lipstick”",)
    assert torch.equal(look_of(house), bundled.load("makeup_clip").look(["red lipstick"])[0])


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"], ids=["empty", "blank", "invisible"])
def test_no_words_no_look(loaded, text):
    house = pipeline.load(recipe(text))
    assert house.attack.words is None
    assert look_of(house) is None
    assert (house.draws, house.notes) == (False, ())
    assert text == "\u200b" or "makeup_clip" not in loaded


def test_without_words_the_text_model_is_not_asked_for(loaded):
    assert pipeline.load(recipe(text_model="no such model")).attack.words is None


def test_words_for_no_makeup_are_a_search_like_any_other(loaded):
    # Their direction has no length.
    search = Search(steps=2, scouts=0)
    house = pipeline.load(recipe("no makeup", search=search))
    assert not look_of(house)[:, 0].any()
    changed = house.attack(sitter(0), Goal.dodge(sitter(0), sitter(1)), rng=numbers())
    assert changed.isfinite().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a spaceship", r"^text: “a spaceship” names no makeup .*kohl models pull clip-vit-b32"),
        ("red lipstick " * 50, r"^text: must be at most 300 characters long, not 649$"),
        ("rote Lippen für Bösewichte", "^text: .* is not English"),
    ],
)
def test_words_that_say_nothing_are_refused_before_any_network_is_loaded(loaded, text, message):
    with pytest.raises(BadSetting, match=message):
        pipeline.load(recipe(text))
    assert loaded == ["face_model", "makeup_clip"]


def test_a_model_that_only_judges_gets_the_most_alike_of_random_looks(loaded):
    house = pipeline.load(recipe(" a villain, für immer ", text_model=CLIP))
    model, text = house.attack.words.model, "a villain, für immer"  # free text: as it was typed
    assert (model.name, house.attack.words.text) == ("linear text", text)
    tried = looks.drawn(3, numbers(0))
    assert torch.equal(look_of(house), looks.most_alike(LinearText(), text, bundled.load("decoys")[0], tried))
    assert (house.draws, house.notes) == (True, ())
    assert torch.equal(look_of(pipeline.load(recipe(text, text_model=CLIP))), look_of(house))


def test_the_random_looks_are_many():
    assert looks.TRIED >= 32


@pytest.mark.parametrize("name", ["sface", "clip", "clip-tokens"])
def test_a_text_model_that_is_none_is_refused_by_name(name):
    with pytest.raises(BadSetting, match=rf"^text {name}: no such model; did you mean text "):
        pipeline.load(recipe("red lipstick", text_model=name))


@pytest.mark.parametrize(("frames", "wanted"), [((), True), (("a {}",), False)], ids=["none", "its own"])
def test_it_is_told_when_the_published_sentences_are_not_here(loaded, monkeypatch, tmp_path, frames, wanted):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    monkeypatch.setattr(LinearText, "frames", frames)
    notes = [
        pipeline.load(replace(recipe("red lipstick", text_model=CLIP), search=Search(text_loss=loss))).notes
        for loss in ("contrastive", "directional")
    ]
    said = "the words stand in kohl's own 8 sentences; `kohl models pull clip-templates` brings the published ones"
    assert notes == [(said,) if wanted else (), ()]


# Units of distance


@pytest.mark.parametrize("far", [0.1, 0.01])
def test_distances_are_in_thresholds_or_cosines(loaded, monkeypatch, far):
    monkeypatch.setattr(cards, "judge", lambda name: MeanColour(thresholds={far: 0.5}))
    models = Models(surrogates=("sface", "dlib"), far=far)
    thresholds = [cards.find(name).roles["encoder"].thresholds[far] for name in models.surrogates]
    for distance, expected in (("thresholds", thresholds), ("cosine", [0.0, 0.0])):
        house = pipeline.load(Recipe(models=models, search=Search(distance=distance)))
        assert [surrogate.threshold for surrogate in house.attack.surrogates] == expected


# A StyleGAN2


@pytest.fixture
def styles(monkeypatch, loaded):
    """A recipe for a StyleGAN2 of 32 pixels, and the generator."""
    made = generator()
    monkeypatch.setattr(cards, "generator", lambda name: made)
    tuning = Tuning(steps=2, held=2, size=32)
    search = Search(steps=3, scouts=0, change=1.0)
    return SimpleNamespace(recipe=Recipe(tuning=tuning, search=search), made=made)


def test_a_stylegan2_is_tuned_to_the_face_as_the_recipe_says(styles, loaded):
    house = pipeline.load(styles.recipe)
    assert house.attack.invert.func is pivotal
    assert house.attack.invert.keywords == {"settings": styles.recipe.tuning}
    assert {"e4e", "lpips"} <= set(loaded)
    inversion = house.attack.invert(sitter(0))
    assert isinstance(inversion.generator, OwnStyles)
    assert torch.equal(inversion.generator(inversion.latents), sitter(0).crops)
    expected = pivotal(styles.made, Encoder(8), Blocks(), sitter(0), styles.recipe.tuning)
    assert torch.equal(inversion.latents, expected.latents)


def test_the_search_moves_a_stylegan2_within_the_face_and_leaves_it_as_it_was(styles):
    before = [part.clone() for part in styles.made.state_dict().values()]
    house = pipeline.load(styles.recipe)
    goal = Goal.dodge(sitter(0), sitter(1))
    changed = house.attack(sitter(0), goal, rng=numbers())
    where = (changed != sitter(0).crops).any(1)
    assert changed.shape == sitter(0).crops.shape
    assert where.any()
    assert not where[..., :4, :].any()
    assert not where[..., :8].any()
    assert all(map(torch.equal, before, styles.made.state_dict().values()))
    assert torch.equal(house.attack(sitter(0), goal, rng=numbers()), changed)


@pytest.mark.parametrize("text_model", ["makeup_clip", CLIP])
def test_words_steer_a_stylegan2_but_nothing_is_drawn_on_it(styles, text_model):
    chosen = replace(styles.recipe, text="red lipstick", models=Models(text=text_model))
    house = pipeline.load(chosen)
    assert house.draws is False  # its crops stay at the size that it was tuned at
    assert house.attack.words.text == "red lipstick"
    inversion = house.attack.invert(sitter(0))
    assert torch.equal(inversion.generator(inversion.latents), sitter(0).crops)
    steps = []
    house.attack(sitter(0), Goal.dodge(sitter(0), sitter(1)), rng=numbers(), watch=steps.append)
    tuning, search = steps[: chosen.tuning.steps], steps[chosen.tuning.steps :]
    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert all(step.losses.keys() == {"tuning"} for step in tuning)
    assert all(step.losses["text"] > 0 for step in search)


def test_an_encoder_of_another_generator_is_refused_before_the_work(styles, monkeypatch):
    monkeypatch.setattr(cards, "inverter", lambda name: Encoder(6))
    with pytest.raises(BadSetting) as error:
        pipeline.load(styles.recipe)
    assert str(error.value) == (
        "models.encoder: e4e finds latents of 6 × 8, but face_model takes 8 × 8; "
        "name an encoder that was trained with this generator"
    )


def test_the_linear_model_needs_neither_encoder_nor_distance(loaded):
    pipeline.load(Recipe(models=Models(encoder="none such", perceptual="none such")))
    assert not {"e4e", "lpips"} & set(loaded)


@pytest.mark.parametrize(("setting", "kind"), [("encoder", "inverter"), ("perceptual", "perceptual")])
def test_a_stylegan2_asks_for_them_by_role(styles, setting, kind):
    models = replace(Models(), **{setting: "dlib"})
    with pytest.raises(BadSetting, match=f"^{kind} dlib: no such model; did you mean {kind} "):
        pipeline.load(replace(styles.recipe, models=models))


# `kohl protect`


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """The recipes that photos were protected by, in a folder with two photos."""
    recipes = []

    def protect(job, house, *, watch):
        recipes.append(house.recipe)
        return Row(str(job.photo), str(job.output), Status.PROTECTED)

    monkeypatch.setattr(pipeline, "load", lambda recipe: SimpleNamespace(recipe=recipe, decoys=range(9), notes=()))
    monkeypatch.setattr(pipeline, "protect", protect)
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        picture(Path(name))
    return recipes


def run(*arguments):
    """The exit code, whether it is returned or raised."""
    try:
        return main(arguments)
    except SystemExit as leaving:
        return leaving.code


def chosen_text(asked, *arguments):
    """The text that reaches the pipeline."""
    assert run("protect", "a.png", "--force", *arguments) == 0
    return asked.pop().text


def test_text_reaches_the_pipeline_as_it_was_typed(asked):
    assert chosen_text(asked) == ""
    assert chosen_text(asked, "--text", " Red  lipstick ") == " Red  lipstick "
    assert chosen_text(asked, "--set", "text=blue lips") == "blue lips"
    assert chosen_text(asked, "--set", "text=blue lips", "--text", "red lips") == "red lips"
    assert chosen_text(asked, "--set", "text=blue lips", "--text", "") == ""


@pytest.mark.parametrize("name", ["smoky-eyes", "smoky eyes", "Smoky-Eyes", " smoky--eyes "])
def test_a_style_reaches_the_pipeline_as_its_words(asked, name):
    assert chosen_text(asked, "--style", name) == "smoky eyes"


@pytest.mark.parametrize("name", ["none", "None", " NONE "])
def test_the_style_none_is_no_words_and_loads_nothing(asked, monkeypatch, name):
    monkeypatch.setattr(cards, "load", None)
    assert chosen_text(asked, "--style", name, "--set", "text=blue lips") == ""


def test_every_style_is_known_by_its_name_and_is_a_look(loaded):
    model = bundled.load("makeup_clip")
    styles = model.vocabulary["styles"]
    assert len(styles) >= 10
    for style in styles:
        assert commands._style(style.replace(" ", "-")) == style
        words, look, notes = looks.asked(model, style, None, draws=True)
        assert (words.text, notes) == (style, ())
        assert (look[:, 0] > 0.05).any()


@pytest.mark.parametrize("name", ["smokey", "", "-", "lipstick"])
def test_an_unknown_style_lists_those_that_there_are(asked, capsys, name):
    assert run("protect", "a.png", "--style", name) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"kohl: {name}: no such style; there are none, smoky-eyes, natural, ")
    assert said.endswith(", or say it in your own words with --text\n")
    assert said.count("\n") == 1
    assert asked == []
    assert not Path("a_kohl.png").exists()


def test_text_and_style_are_one_or_the_other(asked, capsys):
    assert run("protect", "a.png", "--text", "red lips", "--style", "goth") == 2
    said = capsys.readouterr().err
    assert said == "kohl: argument --style: not allowed with argument --text; see kohl protect --help\n"
    assert asked == []


@pytest.mark.parametrize("as_json", [False, True], ids=["", "json"])
def test_notes_are_said_beside_the_results(asked, monkeypatch, capsys, as_json):
    def load(chosen):
        return SimpleNamespace(recipe=chosen, decoys=range(9), notes=("read “lipstik” as “lipstick”", "second"))

    monkeypatch.setattr(pipeline, "load", load)
    assert run("protect", "a.png", "b.png", *(["--json"] if as_json else [])) == 0
    printed = capsys.readouterr()
    assert printed.err == "kohl: read “lipstik” as “lipstick”\nkohl: second\n"  # once, however many photos
    assert "lipst" not in printed.out
    assert len(asked) == 2


def test_words_that_say_nothing_are_a_wrong_usage_and_nothing_is_written(asked, monkeypatch, capsys):
    monkeypatch.setattr(pipeline, "load", REAL_LOAD)
    assert run("protect", "a.png", "--text", "a spaceship") == 2
    said = capsys.readouterr().err
    assert said.startswith("kohl: text: “a spaceship” names no makeup")
    assert said.count("\n") == 1
    assert not Path("a_kohl.png").exists()
