"""Which attacks there are by name, with which settings, and what is left out of them."""

from dataclasses import replace

import pytest

from kohl import recipe
from kohl.bench import entries
from kohl.bench.entries import entry
from kohl.errors import BadSetting
from kohl.perturb import attacks


@pytest.mark.parametrize("name", entries.names())
def test_every_name_that_is_listed_is_an_entry_with_a_source(name):
    found = entry(name)
    assert found.source == entries.names()[name]
    assert (found.way == "attack") == (name not in entries.FLOOR)


def test_every_attack_of_the_table_and_every_recipe_is_listed():
    assert attacks.ATTACKS.keys() - {"latent"} <= entries.names().keys()
    assert all(attacks.ATTACKS[name].source for name in attacks.ATTACKS)
    for name in entries.RECIPES:
        assert entry(name).recipe == recipe.load(name)


def test_baselines_are_as_published_and_get_one_try():
    found = entry("mi-fgsm").recipe
    assert (found.attack, found.pixel.epsilon, found.pixel.steps) == ("mi-fgsm", 16 / 255, 10)
    assert (found.search.decoy, found.search.tries) == (0.0, 1)


def test_a_strength_and_overrides():
    found = entry("pgd@0.25", ["pixel.steps=3"])
    assert (found.name, found.recipe.strength, found.recipe.pixel.steps) == ("pgd@0.25", 0.25, 3)
    assert entry("vmi").recipe.attack == "vmi-fgsm"


def test_a_recipe_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("strength = 0.1\n")
    assert entry(str(path)).recipe.strength == 0.1
    assert entry(str(path)).source == "the recipe mine.toml"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pdg", "did you mean pgd?"),
        ("qqqqqq", "kohl bench --list` names all"),
        ("pgd@much", "must be a strength"),
        ("pgd@2", "strength: must be between 0 and 1"),
    ],
)
def test_other_names_are_refused(name, said):
    with pytest.raises(BadSetting, match=said.replace("?", r"\?")):
        entry(name)


def test_who_is_left_out_is_not_seen_and_has_no_say():
    all_ = entry("default").recognisers
    found = entry("default").without("sface")
    assert found.surrogates == tuple(name for name in all_ if name != "sface")
    assert found.recipe.models.judging == ("dlib", "facelib")
    alone = entry("default", ['models.surrogates=["dlib"]'])
    with pytest.raises(BadSetting, match="sees only dlib"):
        alone.without("dlib")


def test_the_one_that_the_paper_leaves_out_is_left_out_in_turn_too():
    paper = entry("paper")
    assert (len(paper.recognisers), len(paper.surrogates)) == (4, 3)
    assert paper.without("irse50").surrogates == ("ir152", "facenet", "mobile_face")


def test_the_floor_sees_nobody():
    assert entry("clean").surrogates == entry("inverted").surrogates == ()
    assert entry("default").surrogates == tuple(dict.fromkeys(recipe.load("default").models.searched))


@pytest.mark.parametrize("name", entries.RECIPES)
def test_each_ablation_differs_from_the_recipe_and_from_all_others(name):
    whole, *parts = entries.without_parts(name)
    assert len({str(part.recipe) for part in (whole, *parts)}) == 1 + len(parts)
    tuned = {"no tuning", "held 0", "no paste"}
    assert tuned <= {part.name.removeprefix(f"{name}, ") for part in parts} or name in ("default", "subtle", "strong")
    assert sum("“" in part.name for part in parts) >= 9
    assert all(part.name.startswith(f"{name}, ") for part in parts)


def test_what_an_ablation_changes():
    whole, *parts = entries.without_parts("paper")
    by_name = {part.name: part.recipe for part in parts}
    assert by_name["paper, no text"].text == ""
    assert by_name["paper, no tuning"].tuning == replace(whole.recipe.tuning, steps=0)
    assert by_name["paper, “blue eyeshadow”"] == replace(whole.recipe, text="blue eyeshadow")
    assert "paper, “red lipstick”" not in by_name  # what it says anyway
    assert "paper, held 8" not in by_name


@pytest.mark.parametrize("name", ["clean", "pgd", "inverted"])
def test_a_baseline_has_no_parts(name):
    with pytest.raises(BadSetting, match="is no recipe whose parts could be left out"):
        entries.without_parts(name)


def test_what_the_generator_of_another_recipe_gives_back():
    found = entry("inverted:mini")
    assert (found.way, found.start, found.recipe.tuning.whole) == ("inverted", "mini", True)
    assert found.recipe.models.generator == "stylegan2-mini"
    with pytest.raises(BadSetting, match="no such attack"):
        entry("inverted:nothing")


def test_the_table_of_attacks_says_where_its_settings_are_from(monkeypatch):
    class Said:
        source = "somewhere else"

    monkeypatch.setitem(entries.attacks.ATTACKS, "pgd", Said())
    assert entries.names()["pgd"] == entry("pgd").source == "somewhere else"
