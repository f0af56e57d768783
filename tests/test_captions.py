"""The captions that the text-image model learns from: they say what is drawn, and held-out ones are new."""

import importlib
import random
import re
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from kohl.errors import BadSetting
from kohl.makeup.layers import DIALS, bare
from kohl.makeup.products import NAMES
from kohl.makeup.words import spelling, tables
from kohl.makeup.words.reader import read

TRAINING = Path(__file__).parent.parent / "training"
ABSENT = re.compile(r"\b(no|without|minus|remove|not|don't)\b")
LIPS = NAMES.index("lipstick")
COLOUR = slice(1, 4)


def module(name):
    """A module of the training scripts, which are not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRAINING)
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def captions():
    return module("captions")


@pytest.fixture(scope="module")
def lexicon(captions):
    return module("makeup_words")


@pytest.fixture(scope="module")
def colours(captions):
    return module("colours")


@pytest.fixture(scope="module")
def scenes(captions):
    rng = random.Random(0)
    return [captions.scene(rng) for _ in range(1_000)]


@pytest.fixture(scope="module")
def drafts(captions):
    """Many captions with the dials that they say by name, which is faster."""
    rng = random.Random(1)
    return [captions.caption(rng) for _ in range(20_000)]


def careful_scenes(captions, count, **wording):
    """Scenes of somebody who makes no slips."""
    rng = random.Random(2)
    return [captions.scene(rng, typos=0, **wording) for _ in range(count)]


@pytest.fixture(scope="module")
def careful(captions):
    return careful_scenes(captions, 1_000)


@pytest.fixture(scope="module")
def held_out(captions):
    return careful_scenes(captions, 1_000, held_out=True)


def spoken(text):
    """The words of a text, between single spaces."""
    words = re.findall(r"[a-z0-9']+", text.lower())
    return f" {' '.join(words)} "


def phrases(text, known):
    """The known phrases in a text, the longest at each place."""
    words, found, start = re.findall(r"[a-z0-9']+|[^\w\s]", text.lower()), [], 0
    while start < len(words):
        spans = (" ".join(words[start : start + size]) for size in (6, 5, 4, 3, 2, 1))
        phrase = next((span for span in spans if span in known), "")
        found += [phrase] if phrase else []
        start += 1 + phrase.count(" ")
    return found


def without_looks(scenes, captions, lexicon):
    """Scenes that name products only."""
    products = {word for words in lexicon.WORDS.values() for word in words}
    looks = {*captions.VOCABULARY["looks"], *captions.VOCABULARY["styles"]} - products
    return [scene for scene in scenes if not phrases(scene.text, looks)]


# Oracle


def test_what_is_said_is_drawn_and_what_is_refused_is_not(careful, captions, lexicon):
    product = {word: name for name, words in lexicon.WORDS.items() for word in words}
    known = {*product, *captions.VOCABULARY["shapes"], *captions.VOCABULARY["colours"]}  # "up to the brows" is no brow
    chosen = [scene for scene in without_looks(careful, captions, lexicon) if " tan " not in spoken(scene.text)]
    assert len(chosen) > 400
    for scene in chosen:
        asked, *refused = ABSENT.split(scene.text.lower(), maxsplit=1)
        named = {product[phrase] for phrase in phrases(asked, known) if phrase in product}
        worn = {name for name, opacity in zip(NAMES, scene.said[:, 0].tolist(), strict=True) if opacity}
        assert worn == named, scene.text
        for word in phrases(" ".join(refused), known):
            assert product.get(word) not in worn, scene.text


def test_colours_are_those_that_the_words_name(careful, captions, lexicon):
    implied = {word for word, dials in lexicon.IMPLIED.items() if "red" in dials} | set(lexicon.DARKENED)
    count = 0
    for scene in without_looks(careful, captions, lexicon):
        if phrases(scene.text, implied):
            continue
        named = [captions.COLOURS[name] for name in phrases(scene.text, captions.COLOURS)]
        for name, dials, weight in zip(NAMES, scene.said, scene.weight, strict=True):
            if weight[1] == 1:
                natural = lexicon.NATURAL.get(name, {})
                meant = named + [lexicon.rgb(natural[word]) for word in phrases(scene.text, natural)]
                assert (torch.tensor(meant) - dials[COLOUR]).abs().sum(1).min() < 1e-4, scene.text
                count += 1
    assert count > 400


def test_words_of_strength_and_finish_fix_their_dials(captions):
    rng = random.Random(4)
    pattern = re.compile(r"(?:(sheer|subtle|bold|heavy) )?(?:(matte|glossy|satin) )?([a-z ]+) (?:lipstick|lips)")
    drafts = [captions._item(rng, "lipstick", captions.USED) for _ in range(10_000)]
    found = [
        (match, draft) for draft in drafts if (match := pattern.fullmatch(draft.text)) and match[3] in captions.COLOURS
    ]
    assert all(sum(bool(match[group]) for match, _ in found) > 20 for group in (1, 2, 3))
    for match, draft in found:
        said = draft.wears["lipstick"]
        assert said["opacity"] == {None: 0.8, "sheer": 0.45, "subtle": 0.5, "bold": 0.95, "heavy": 1}[match[1]]
        assert said.get("gloss") == {None: None, "matte": 0.03, "satin": 0.5, "glossy": 0.9}[match[2]]
        assert (said["red"], said["green"], said["blue"]) == captions.COLOURS[match[3]]


@pytest.mark.parametrize(
    ("product", "text", "dials"),
    [
        ("eyeliner", "winged eyeliner", {"width": 0.45, "length": 0.6}),
        ("eyeliner", "thin eyeliner", {"width": 0.1}),
        ("eyeliner", "smudged eyeliner", {"softness": 0.92}),
        ("brows", "thick eyebrows", {"width": 0.88}),
        ("mascara", "long lashes", {"width": 0.9}),
        ("lipstick", "lip gloss", {"gloss": 0.92}),
        ("lipstick", "dark lipstick", {"opacity": 0.92, "red": 0.5 * 190 / 255, "green": 0.5 * 40 / 255}),
        ("blush", "blush", {"opacity": 0.8}),
    ],
)
def test_words_of_shape_fix_their_dials_and_no_others(captions, product, text, dials):
    rng = random.Random(3)
    drafts = (captions._item(rng, product, captions.USED) for _ in range(5_000))
    found = [draft.wears[product] for draft in drafts if draft.text == text]
    assert found
    for said in found:
        assert {name: said[name] for name in dials} == pytest.approx(dials, abs=1e-3)
        assert set(said) == {"opacity", *dials, *(("blue",) if "red" in dials else ())}


def test_a_plain_request_is_as_usual(captions):
    scene = captions._drawn(random.Random(0), "lipstick", {"lipstick": {"opacity": 0.8}})
    usual = bare()
    usual[LIPS, 0] = 0.8
    torch.testing.assert_close(scene.said, usual, rtol=0, atol=1e-4)
    assert scene.weight[LIPS].tolist() == pytest.approx([1, *[0.2] * 7])


@pytest.mark.parametrize("text", ["no makeup", "bare face", "without any makeup", "no lipstick", "don't add lipstick"])
def test_nothing_is_said_where_nothing_is_wanted(drafts, text):
    found = [wears for typed, wears in drafts if typed.lower() == text]
    assert found
    assert not any(dials["opacity"] for wears in found for dials in wears.values())


def test_a_look_without_a_product_is_without_it(drafts):
    pattern = re.compile(r"(makeup|look)(, | but | with | )(no|without) lipstick$")
    found = [wears for text, wears in drafts if pattern.search(text)]
    assert found
    for wears in found:
        assert wears["lipstick"]["opacity"] == 0
        assert any(dials["opacity"] for dials in wears.values())


def test_no_look_is_asked_for_and_refused(captions):
    rng = random.Random(6)
    drafts = [captions._look(rng, captions.USED) for _ in range(3_000)]
    assert all(any(dials["opacity"] for dials in draft.wears.values()) for draft in drafts if draft.wears)
    smoky = [draft.wears["eyeshadow"] for draft in drafts if draft.text.endswith("smoky eyes")]
    assert smoky
    assert all(dials["opacity"] for dials in smoky)


def test_what_a_look_is_worn_with_is_not_its_own(drafts, captions):
    pattern = re.compile(r"[a-z ]+ (?:makeup|look|style) (?:with|and|but|plus) ([a-z ]+) (?:lips|lipstick)")
    found = [(match[1], wears) for text, wears in drafts if (match := pattern.fullmatch(text))]
    coloured = [(captions.COLOURS[name], wears["lipstick"]) for name, wears in found if name in captions.COLOURS]
    assert len(coloured) > 2
    for rgb, dials in coloured:
        assert (dials["red"], dials["green"], dials["blue"]) == rgb


# Invariant


def test_the_same_seed_gives_the_same_scenes(captions):
    first, again = (random.Random(5), random.Random(5))
    random.seed(1)
    for _ in range(50):
        one, two = captions.scene(first), captions.scene(again)
        assert one.text == two.text
        assert torch.equal(one.dials, two.dials)
        assert torch.equal(one.weight, two.weight)


def test_dials_stay_in_their_range_and_near_what_is_said(scenes, held_out):
    said, dials, weight = (
        torch.stack([getattr(scene, name) for scene in (*scenes, *held_out)]) for name in ("said", "dials", "weight")
    )
    assert said.shape[1:] == (len(NAMES), len(DIALS))
    for tensor in (said, dials, weight):
        assert tensor.min() >= 0
        assert tensor.max() <= 1
    worn = said[..., 0] > 0
    assert torch.equal(worn, dials[..., 0] > 0)
    assert dials[..., 0][worn].min() > 0.2  # always visible
    moved = (dials - said).abs()
    assert moved[..., [0, 4, 5, 6, 7]].max() <= 0.0801
    assert moved[..., COLOUR].max() <= 0.0301
    assert moved[worn].mean() > 0.01
    usual = bare().expand_as(said)[~worn]
    torch.testing.assert_close(said[~worn], usual, rtol=0, atol=1e-4)
    torch.testing.assert_close(dials[~worn], usual, rtol=0, atol=1e-4)


def test_weights_say_what_follows_from_the_words(scenes):
    weight = torch.stack([scene.weight for scene in scenes])
    worn = torch.stack([scene.said[:, 0] for scene in scenes]) > 0
    assert (weight[..., 0] == 1).all()
    assert not weight[~worn][:, 1:].any()
    assert set(weight[worn].unique().tolist()) == set(torch.tensor([0.2, 1]).tolist())


def test_all_products_colours_and_styles_come_up(scenes, drafts, captions):
    worn = torch.stack([scene.said[:, 0] for scene in scenes]) > 0
    assert worn.float().mean(0).min() > 0.03
    assert 0.03 < (~worn.any(1)).float().mean() < 0.12
    texts = "\n".join(spoken(text) for text, _ in drafts)
    missing = [name for name in captions.COLOURS if f" {name} " not in texts]
    assert len(missing) < 0.02 * len(captions.COLOURS)
    assert all(f" {name} " in texts for name in captions.VOCABULARY["styles"])
    assert len({text for text, _ in drafts}) > 0.8 * len(drafts)


def test_every_word_is_in_the_vocabulary(careful, captions):
    known = {word for phrases in captions.VOCABULARY.values() for phrase in phrases for word in phrase.split()}
    assert {word for scene in careful for word in spoken(scene.text).split()} <= known
    for phrases in captions.VOCABULARY.values():
        assert all(phrase == spoken(phrase).strip() for phrase in phrases)
        assert len(set(phrases)) == len(phrases)


def worn(scene):
    return {name for name, dials in zip(NAMES, scene.said, strict=True) if dials[0] > 0}


def test_captions_are_read_as_they_were_meant(careful, held_out):
    whole = re.compile(rf"\b({'|'.join(map(re.escape, (*tables.style_of(), 'clown', 'makeup')))})\b", re.IGNORECASE)
    scenes = [scene for scene in (*careful[:700], *held_out[:700]) if not whole.search(scene.text)]
    right = 0
    for scene in scenes:
        with suppress(BadSetting):  # yellow skin
            right += set(read(scene.text).wears) == worn(scene)
    assert right > 0.98 * len(scenes) > 300


def test_slips_are_rare_and_small(drafts, captions):
    known = {word for phrases in captions.VOCABULARY.values() for phrase in phrases for word in phrase.split()}
    slips = [word for text, _ in drafts for word in spoken(text).split() if word not in known]
    assert 0.005 < len(slips) / len(drafts) < 0.04
    assert sum(spelling.corrected(word) != word for word in slips[:100]) > 80


# Held out


def test_no_held_out_colour_is_ever_named_in_training(drafts, captions):
    held = captions.HELD_OUT_COLOURS
    spans = {
        " ".join(words[start : start + size])
        for words in (spoken(text).split() for text, _ in drafts)
        for size in (1, 2, 3, 4)
        for start in range(len(words) - size + 1)
    }
    assert not spans & set(held)
    assert not set(held) & (set(captions.COLOURS) | set(captions.FAMILIES))


def test_a_caption_that_happens_to_name_one_is_drawn_again(captions):
    held = next(name for name in captions.HELD_OUT_COLOURS if " " in name)
    texts = [f"{held.replace(' ', ', ').title()} lips", f"a {held} lipstick", "red lipstick"]
    assert [captions._names_a_held_out_colour(text) for text in texts] == [True, True, False]


def test_free_captions_have_words_of_their_own_and_no_held_out_colours(captions):
    rng = random.Random(3)
    texts = [spoken(captions.caption(rng, free=True, typos=0)[0]) for _ in range(3_000)]
    own = {frame.replace("{x}", "").strip() for frame in {*captions.FREE.frames} - {*captions.USED.frames}}
    used = [spoken(captions.caption(rng, typos=0)[0]) for _ in range(3_000)]
    for frame in ("what about", "picture me in"):
        assert any(one.startswith(frame) for one in own)
        assert any(frame in text for text in texts)
        assert not any(frame in text for text in used)
    assert not any(f" {name} " in f" {text} " for text in texts for name in captions.HELD_OUT_COLOURS)


def test_held_out_captions_name_held_out_colours(held_out, captions, colours, lexicon):
    plain = {*captions.FAMILIES, *colours.MAKEUP, *lexicon.PLAIN, "tan"}  # "sun tan" is a look
    usual = {name for table in (lexicon.NATURAL, lexicon.FAVOURITES) for names in table.values() for name in names}
    known = {**colours.SURVEY, **captions.COLOURS}
    named = [name for scene in held_out for name in phrases(scene.text, known)]
    assert sum(name in captions.HELD_OUT_COLOURS for name in named) > 0.4 * len(named)
    assert not set(named) - set(captions.HELD_OUT_COLOURS) - plain - usual


def test_held_out_sentences_are_new(drafts, held_out):
    texts = {spoken(text) for text, _ in drafts}
    assert sum(spoken(scene.text) in texts for scene in held_out) < 0.15 * len(held_out)
