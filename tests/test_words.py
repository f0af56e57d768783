"""From the words of a recipe to the look, the search and the notes; and which inverter a generator gets."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import bundled
import pytest
import torch
from sitters import sitter
from tiny import LinearEncoder, LinearText, MeanColour, numbers
from tiny_styles import Blocks, Encoder, generator

from kohl import pipeline
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert.closed_form import in_closed_form
from kohl.invert.own_styles import OwnStyles
from kohl.invert.pivotal import Tuning, pivotal
from kohl.makeup.products import LAYERED
from kohl.makeup.words.reader import read
from kohl.perturb import looks
from kohl.perturb.latent import Search
from kohl.recipe import Models, Recipe
from kohl.types import Goal
from kohl.zoo import cards

CLIP = "clip-vit-b32"


class Whole(LinearEncoder):
    """A recogniser that takes the whole crop."""

    def to_input(self, faces):
        return torch.eye(2, 3).expand(len(faces.crops), -1, -1) * (self.size / faces.crops.shape[-1])


PEOPLE = [resized(sitter(0), 24)]
STRANGE = SimpleNamespace(of=lambda name: None)  # of toys, nobody knows what people see
TOYS = {
    **{CLIP: LinearText(), "e4e": Encoder(8), "lpips": Blocks(), "yunet": None, "landmarks68": None},
    **{"decoys": PEOPLE, "impressions": STRANGE},
}


def shelf(*, clip=TOYS[CLIP], **makers):
    """The bundled generator and words are real, the rest are toys."""
    toys = {**TOYS, CLIP: clip}

    def load(name, kind=None):
        return toys[name] if name in toys else bundled.load(name, *filter(None, [kind]))

    usual = {"load": load, "inverter": load, "judge": lambda name: MeanColour(name=name), "encoder": Whole}
    return bundled.Toys({getattr(cards, name): make for name, make in {**usual, **makers}.items()})


def recipe(text="", *, text_model="makeup_clip", **settings):
    return Recipe(models=Models(text=text_model), text=text, **settings)


def loaded(chosen, toys=None):
    """The house with those on the shelf."""
    return pipeline.load(chosen, toys or shelf())


def look_of(house):
    """The look that its faces start with."""
    assert house.attack.invert.func is in_closed_form
    return house.attack.invert.keywords["look"]


# Words and looks


def test_words_are_worn_from_the_start():
    house = loaded(recipe(" Red lipstick "))
    assert house.attack.words.model is bundled.load("makeup_clip", "text")
    assert house.attack.words.text == "red lipstick"
    assert torch.equal(look_of(house), looks.dressed(read("red lipstick")))
    worn = [name for name, dials in zip(LAYERED, look_of(house), strict=True) if dials[0] > 0]
    assert worn == ["lipstick"]
    assert (house.draws, house.look, house.notes) == (True, {"lipstick": "red"}, ())
    inversion = house.attack.invert(sitter(0))
    changed = inversion.generator(inversion.latents) - sitter(0).crops
    x, y = sitter(0).landmarks[0, [51, 57]].mean(0).int().tolist()
    assert changed[0, 0, y - 8 : y + 9, x].mean() > changed[0, 1, y - 8 : y + 9, x].mean() + 0.02  # redder
    assert not changed[..., :100, :].any()


def test_a_slip_is_corrected_and_noted():
    house = loaded(recipe("red lipstik"))
    assert house.attack.words.text == "red lipstick"
    assert house.notes == ("read “lipstik” as “lipstick”",)
    assert torch.equal(look_of(house), looks.dressed(read("red lipstick")))


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"], ids=["empty", "blank", "invisible"])
def test_no_words_no_look(text):
    toys = shelf()
    house = loaded(recipe(text), toys)
    assert house.attack.words is None
    assert look_of(house) is None
    assert (house.draws, house.notes) == (False, ())
    assert text == "\u200b" or "makeup_clip" not in toys.names


def test_without_words_the_text_model_is_not_asked_for():
    assert loaded(recipe(text_model="no such model")).attack.words is None


@pytest.mark.parametrize("text", ["no makeup", "never any blush"])
@pytest.mark.parametrize("text_model", ["makeup_clip", CLIP])
def test_words_for_no_makeup_are_as_no_words_and_that_is_said(text, text_model):
    house = loaded(recipe(text, text_model=text_model))
    assert house.attack.words is None
    assert look_of(house) is None
    assert (house.draws, house.look, house.notes) == (False, {}, ("nothing will be drawn",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a spaceship", r"^text: “a spaceship” names no makeup .*kohl models pull clip-vit-b32"),
        ("red lipstick " * 50, r"^text: must be at most 300 characters long, not 649$"),
        ("губная помада", "^text: .* is not English"),
        ("blackface", "^text: kohl draws nothing that could mock people"),
    ],
)
def test_words_that_say_nothing_are_refused_before_any_network_is_loaded(text, message):
    toys = shelf()
    with pytest.raises(BadSetting, match=message):
        loaded(recipe(text), toys)
    assert toys.names == [*Models().judges, "face_model", "makeup_clip"]  # who judges is no network here


@pytest.mark.parametrize(("text", "told"), [("lipstick, not red", "rose lipstick"), ("red lips, ok?", "red lipstick")])
def test_a_model_of_free_words_starts_from_the_look_that_kohl_reads(text, told):
    house = loaded(recipe(text, text_model=CLIP))
    assert house.attack.words.text == told
    assert torch.equal(look_of(house), looks.dressed(read(text)))
    assert house.look == read(text).said


def test_what_kohl_reads_in_part_goes_to_a_model_of_free_words_as_it_was_typed():
    house = loaded(recipe("a villain with red lipstick", text_model=CLIP))
    assert house.attack.words.text == "a villain with red lipstick"
    assert torch.equal(look_of(house), looks.dressed(read("red lipstick")))


def test_an_insult_is_refused_for_a_model_of_free_words_too():
    with pytest.raises(BadSetting, match="mock people"):
        loaded(recipe("blackface", text_model=CLIP))


def test_where_kohl_reads_nothing_such_a_model_gets_the_most_alike_of_random_looks():
    house = loaded(recipe(" a villain, für immer ", text_model=CLIP))
    model, text = house.attack.words.model, "a villain, für immer"  # free text: as it was typed
    assert (model.name, house.attack.words.text) == ("linear text", text)
    tried = looks.drawn(looks.TRIED, numbers(0))
    assert torch.equal(look_of(house), looks.most_alike(LinearText(), text, PEOPLE[0], tried))
    assert (house.draws, house.look, house.notes) == (True, {}, (looks.GUESSED,))
    assert torch.equal(look_of(loaded(recipe(text, text_model=CLIP))), look_of(house))


def test_the_random_looks_are_many():
    assert looks.TRIED >= 32


@pytest.mark.parametrize("name", ["sface", "clip", "clip-tokens"])
def test_a_text_model_that_is_none_is_refused_by_name(name):
    with pytest.raises(BadSetting, match=rf"^text {name}: no such model; did you mean text "):
        loaded(recipe("red lipstick", text_model=name))


@pytest.mark.parametrize(("frames", "wanted"), [((), True), (("a {}",), False)], ids=["none", "its own"])
def test_it_is_told_when_the_published_sentences_are_not_here(monkeypatch, tmp_path, frames, wanted):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    toys = shelf(clip=LinearText(frames=frames))
    notes = [
        loaded(replace(recipe("red lipstick", text_model=CLIP), search=Search(text_loss=loss)), toys).notes
        for loss in ("contrastive", "directional")
    ]
    said = "the words stand in kohl's own 8 sentences; `kohl models pull clip-templates` brings the published ones"
    assert notes == [(said,) if wanted else (), ()]


# Units of distance


@pytest.mark.parametrize("far", [0.1, 0.01])
def test_distances_are_in_thresholds_or_cosines(far):
    toys = shelf(judge=lambda name: MeanColour(thresholds={far: 0.5}))
    models = Models(surrogates=("sface", "dlib"), far=far)
    thresholds = [cards.find(name).roles["encoder"].thresholds[far] for name in models.surrogates]
    for distance, expected in (("thresholds", thresholds), ("cosine", [0.0, 0.0])):
        house = loaded(Recipe(models=models, search=Search(distance=distance)), toys)
        assert [surrogate.threshold for surrogate in house.attack.surrogates] == expected


# A StyleGAN2


@pytest.fixture
def styles():
    """A recipe for a StyleGAN2 of 32 pixels, the generator, and a shelf with it."""
    made = generator()
    tuning = Tuning(steps=2, held=2, size=32)
    search = Search(steps=3, scouts=0, change=1.0)
    toys = {"generator": lambda name: made}
    return SimpleNamespace(recipe=Recipe(tuning=tuning, search=search), made=made, toys=toys, shelf=shelf(**toys))


def test_a_stylegan2_is_tuned_to_the_face_as_the_recipe_says(styles):
    house = loaded(styles.recipe, styles.shelf)
    assert house.attack.invert.func is pivotal
    assert house.attack.invert.keywords == {"settings": styles.recipe.tuning}
    assert {"e4e", "lpips"} <= set(styles.shelf.names)
    inversion = house.attack.invert(sitter(0))
    assert isinstance(inversion.generator, OwnStyles)
    assert torch.equal(inversion.generator(inversion.latents), sitter(0).crops)
    expected = pivotal(styles.made, Encoder(8), Blocks(), sitter(0), styles.recipe.tuning)
    assert torch.equal(inversion.latents, expected.latents)


def test_the_search_moves_a_stylegan2_within_the_face_and_leaves_it_as_it_was(styles):
    before = [part.clone() for part in styles.made.state_dict().values()]
    house = loaded(styles.recipe, styles.shelf)
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
    house = loaded(chosen, styles.shelf)
    assert house.draws is False  # its crops stay at the size that it was tuned at
    assert house.attack.words.text == "red lipstick"
    assert (house.look, house.notes) == ({"lipstick": "red"}, (looks.STEERED,))
    inversion = house.attack.invert(sitter(0))
    assert torch.equal(inversion.generator(inversion.latents), sitter(0).crops)
    steps = []
    house.attack(sitter(0), Goal.dodge(sitter(0), sitter(1)), rng=numbers(), watch=steps.append)
    tuning, search = steps[: chosen.tuning.steps], steps[chosen.tuning.steps :]
    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert all(step.losses.keys() == {"tuning"} for step in tuning)
    assert all(step.losses["text"] > 0 for step in search)


def test_an_encoder_of_another_generator_is_refused_before_the_work(styles):
    with pytest.raises(BadSetting) as error:
        loaded(styles.recipe, shelf(**styles.toys, inverter=lambda name: Encoder(6)))
    assert str(error.value) == (
        "models.encoder: e4e finds latents of 6 × 8, but face_model takes 8 × 8; "
        "name an encoder that was trained with this generator"
    )


def test_the_linear_model_needs_neither_encoder_nor_distance():
    toys = shelf()
    loaded(Recipe(models=Models(encoder="none such", perceptual="none such")), toys)
    assert not {"none such", "e4e", "lpips"} & set(toys.names)


@pytest.mark.parametrize(("setting", "kind"), [("encoder", "inverter"), ("perceptual", "perceptual")])
def test_a_stylegan2_asks_for_them_by_role(styles, setting, kind):
    models = replace(Models(), **{setting: "dlib"})
    makers = {cards.generator: lambda name: styles.made, cards.inverter: lambda name: Encoder(8)}
    if kind == "inverter":
        makers.pop(cards.inverter)
    with pytest.raises(BadSetting, match=f"^{kind} dlib: no such model; did you mean {kind} "):
        loaded(replace(styles.recipe, models=models), bundled.Toys(makers))
