"""What the terms of the search say, against the same sums by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import STILL, LinearEncoder, LinearText, Paint, faces, numbers, surrogates

from kohl.colour import brightness
from kohl.nlpd import bands
from kohl.perturb.terms import (
    DARKEST,
    FRAMES,
    SCALES,
    STANDS_OUT,
    Surrogate,
    Words,
    change,
    contrastive,
    directional,
    lines,
    near,
    recognition,
    recognitions,
)
from kohl.types import Candidate, Goal, Inversion
from kohl.zoo.impressions import RATINGS, strayed

SOURCE, TARGET = faces(2, seed=1), faces(2, seed=2)
WEIGHTS = (0.299, 0.587, 0.114)  # BT.601


def candidate(images):
    return Candidate(images, torch.zeros(len(images), 1))


def term(goal, surrogate, *, margin=1.6, closeness=0.7, views=STILL, seed=0):
    return recognition(surrogate, goal, margin=margin, closeness=closeness, views=views, rng=numbers(seed))


def embedding(crops, encoder):
    """By hand, (n, 8)."""
    rows = (crops.double().numpy() - 0.5).reshape(len(crops), -1) @ encoder.weight.double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def distance(first, second, encoder, threshold):
    """By hand, in thresholds, (n,)."""
    cosine = (embedding(first, encoder) * embedding(second, encoder)).sum(1)
    return (1 - cosine) / (1 - threshold)


@pytest.mark.parametrize(
    "goal",
    [
        Goal.dodge(SOURCE, TARGET, towards=0.5),
        Goal.dodge(SOURCE, TARGET, towards=0.0),
        Goal.impersonate(SOURCE, TARGET),
        Goal(SOURCE, TARGET, away=2.0, towards=3.0),
    ],
    ids=["dodge", "pure dodge", "impersonate", "both"],
)
def test_recognition_is_two_hinges_on_distances_in_thresholds(goal):
    encoder, images = LinearEncoder(), faces(2, seed=3).crops
    found = term(goal, Surrogate(encoder, 0.4), margin=1.5, closeness=0.3)(candidate(images))
    leaving = np.maximum(1.5 - distance(images, SOURCE.crops, encoder, 0.4), 0)
    nearing = np.maximum(distance(images, TARGET.crops, encoder, 0.4) - 0.3, 0)
    assert (nearing > 0).all()
    np.testing.assert_allclose(found, goal.away * leaving + goal.towards * nearing, rtol=1e-4)


def test_every_face_to_avoid_is_left_as_far_as_is_asked():
    (surrogate,), goal, images = surrogates(1), Goal.dodge(SOURCE, TARGET, towards=0.5), faces(2, seed=3).crops
    other = faces(2, seed=4)
    settings = {"margin": 4.0, "closeness": 0.3, "views": STILL}
    weighed = recognition(surrogate, goal, (other,), weight=0.25, apart=3.0, rng=numbers(), **settings)
    found = weighed(candidate(images))
    hinges = term(goal, surrogate, margin=4.0, closeness=0.3)(candidate(images))
    hinges += term(Goal.dodge(other, TARGET, towards=0.0), surrogate, margin=3.0)(candidate(images))
    torch.testing.assert_close(found, 0.25 * hinges)


def test_the_impression_on_people_is_weighed_where_it_is_known():
    encoder, images = LinearEncoder(), faces(2, seed=3).crops
    goal, far = Goal.dodge(SOURCE, TARGET, towards=0.5), {"margin": 1.5, "closeness": 0.3, "views": STILL}
    seen = 9 * torch.randn(8, len(RATINGS), generator=numbers())

    def weighed(surrogate, **settings):
        return recognition(surrogate, goal, weight=0.5, rng=numbers(), **far, **settings)(candidate(images))

    without = weighed(Surrogate(encoder, 0.4))
    assert torch.equal(weighed(Surrogate(encoder, 0.4), keep=3.0), without)
    assert torch.equal(weighed(Surrogate(encoder, 0.4, seen)), without)
    moved = torch.from_numpy(embedding(images, encoder) - embedding(SOURCE.crops, encoder)).float() @ seen
    assert (strayed(moved) > 0).all()
    torch.testing.assert_close(
        weighed(Surrogate(encoder, 0.4, seen), keep=3.0), without + 0.5 * 3.0 * strayed(moved), rtol=1e-4, atol=1e-5
    )


def test_recognition_of_the_face_itself_is_the_margin():
    (surrogate,) = surrogates(1)
    away = term(Goal.dodge(SOURCE, TARGET, towards=0.0), surrogate, margin=1.6)
    torch.testing.assert_close(away(candidate(SOURCE.crops)), torch.full((2,), 1.6), atol=1e-5, rtol=0)


def test_recognition_is_zero_where_both_distances_are_reached():
    (surrogate,) = surrogates(1)
    reached = term(Goal.dodge(SOURCE, TARGET, towards=1.0), surrogate, margin=0.01, closeness=0.01)
    assert not reached(candidate(TARGET.crops)).any()


def test_a_threshold_is_one_unit_of_distance():
    surrogate = Surrogate(LinearEncoder(), 0.36)
    first, second = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.36, (1 - 0.36**2) ** 0.5]])
    torch.testing.assert_close(surrogate.distance(first, second), torch.ones(1))


def test_a_batch_is_its_faces_one_by_one():
    (surrogate,), images = surrogates(1), faces(2, seed=3).crops
    both = term(Goal.dodge(SOURCE, TARGET), surrogate)(candidate(images))
    for index in (0, 1):
        source, target = (f.with_crops(f.crops[index : index + 1]) for f in (SOURCE, TARGET))
        alone = term(Goal.dodge(source, target), surrogate)(candidate(images[index : index + 1]))
        torch.testing.assert_close(alone, both[index : index + 1])


def test_every_call_is_a_new_view_and_the_seed_decides_which():
    (surrogate,), goal = surrogates(1), Goal.dodge(SOURCE, TARGET)
    views = replace(STILL, shift=0.05, rotation=0.1, light=0.1)
    first, same, other = (term(goal, surrogate, views=views, seed=seed) for seed in (0, 0, 1))
    one, two = (first(candidate(SOURCE.crops)) for _ in range(2))
    assert not torch.equal(one, two)
    assert torch.equal(one, same(candidate(SOURCE.crops)))
    assert not torch.equal(one, other(candidate(SOURCE.crops)))


def test_the_goal_is_embedded_once_and_not_in_the_loop():
    (surrogate,) = surrogates(1)
    built = term(Goal.dodge(SOURCE, TARGET), surrogate)
    at_first = surrogate.encoder.calls
    for _ in range(5):
        built(candidate(SOURCE.crops))
    assert surrogate.encoder.calls == at_first + 5


def test_the_gradient_leads_away_from_the_source():
    (surrogate,) = surrogates(1)
    away = term(Goal.dodge(SOURCE, TARGET, towards=0.0), surrogate)
    images = faces(2, seed=3).crops.lerp(SOURCE.crops, 0.8).requires_grad_()
    (gradient,) = torch.autograd.grad(away(candidate(images)).sum(), images)
    assert (away(candidate(images - 0.01 * gradient.sign())) < away(candidate(images))).all()


# Words


ASKED, NEUTRAL = (0.8, 0.6, 0.0), (0.8, -0.6, 0.0)  # unit vectors: their difference is along the second axis
LOW, HIGH, DEEP = (0.6, -0.48, 0.64), (0.6, 0.48, 0.64), (0.6, -0.48, -0.64)  # pictures, also unit vectors


def spoken():
    """A model of two sentences."""
    return LinearText({"red lips": ASKED, LinearText.neutral: NEUTRAL})


def plain(*vectors):
    """Pictures of one colour with these embeddings."""
    return (0.5 + 0.3 * torch.tensor(vectors)).view(-1, 3, 1, 1).expand(-1, -1, 8, 8)


def same(images):
    return images


@pytest.mark.parametrize(
    ("before", "after", "loss"),
    [
        (LOW, HIGH, 0.0),
        (HIGH, LOW, 2.0),
        (LOW, DEEP, 1.0),
        (LOW, (0.6, 0.48, -0.64), 1 - 0.96 / (0.96**2 + 1.28**2) ** 0.5),
    ],
    ids=["as the words", "against them", "aside", "aslant"],
)
def test_directional_is_the_cosine_of_how_pictures_and_words_moved(before, after, loss):
    term = directional(Words(spoken(), "red lips"), plain(before), view=same)
    assert term(candidate(plain(after))).item() == pytest.approx(loss, abs=1e-6)


def test_directional_is_one_number_for_each_face():
    term = directional(Words(spoken(), "red lips"), plain(LOW, HIGH, LOW), view=same)
    torch.testing.assert_close(term(candidate(plain(HIGH, LOW, DEEP))), torch.tensor([0.0, 2.0, 1.0]))


@pytest.mark.parametrize(("length", "counts"), [(0.0, 0.0), (0.01, 0.2), (0.04, 0.8), (0.2, 1.0)])
def test_a_short_movement_counts_as_long_as_the_shortest_that_says_something(length, counts):
    # 0.05 in embeddings: below it the loss is 1 less the share of that length, along the words.
    angle = 2 * np.arcsin(length / 2)
    towards = np.array([1.0, -1.0, 0.0]) / 2**0.5
    model = LinearText({"red lips": towards.tolist(), "a face": (-towards).tolist()})
    start = np.array([1.0, 1.0, 0.0]) / 2**0.5
    end = np.cos(angle) * start + np.sin(angle) * towards
    loss = directional(Words(model, "red lips"), plain(tuple(start)), view=same)(candidate(plain(tuple(end)))).item()
    assert loss == pytest.approx(1 - counts * np.cos(angle / 2), abs=2e-5)


def test_the_words_are_compared_with_what_the_model_calls_neutral():
    # With other neutral words the same movement is no longer what was asked for.
    model = spoken()
    model.neutral, model.known["a plain face"] = "a plain face", (0.8, 0.0, 0.6)
    loss = directional(Words(model, "red lips"), plain(LOW), view=same)(candidate(plain(HIGH))).item()
    assert loss == pytest.approx(1 - 0.5**0.5, abs=1e-6)


def contrast(before, after, frames, temperature):
    """The released InfoNCE by hand, in numpy: the mean of that of either positive."""

    def said(words):
        return LinearText().embed_texts([frame.format(words) for frame in frames]).double().numpy()

    def unit(vector):
        return np.array(vector) / np.linalg.norm(vector)

    asked, neutral, start = said("red lips"), said(LinearText.neutral), np.array(before)
    query = unit(np.array(after) - start)
    against = [np.exp(query @ unit(sentence - start) / temperature) for sentence in neutral]
    positives = [unit(asked.mean(0) - neutral.mean(0)), unit(asked.mean(0) - start)]
    likeness = [np.exp(query @ positive / temperature) for positive in positives]
    return np.mean([-np.log(one / (one + sum(against))) for one in likeness])


PUBLISHED = tuple(f"picture {index} of {{}}" for index in range(79))


@pytest.mark.parametrize("frames", [(), PUBLISHED], ids=["ours", "the model's"])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_contrastive_is_the_released_infonce(temperature, frames):
    model = LinearText()
    model.frames = frames
    term = contrastive(Words(model, "red lips"), plain(LOW, HIGH), view=same, temperature=temperature)
    found = term(candidate(plain(DEEP, LOW)))
    pairs = [(LOW, DEEP), (HIGH, LOW)]
    assert found.tolist() == pytest.approx([contrast(*pair, frames or FRAMES, temperature) for pair in pairs], rel=1e-5)


def test_a_picture_that_went_where_the_words_lead_is_nearly_free():
    model = LinearText()
    asked = model.embed_texts([frame.format("red lips") for frame in FRAMES]).mean(0)
    there, back = plain((asked / asked.norm()).tolist(), (-asked / asked.norm()).tolist())[:, None]
    like, unlike = (
        contrastive(Words(model, "red lips"), start, view=same)(candidate(end)).item()
        for start, end in ((back, there), (there, back))
    )
    assert like < unlike / 5


def test_every_frame_is_another_sentence_about_the_words():
    assert len({frame.format("lips") for frame in FRAMES}) == len(FRAMES)
    assert all("red lips" in frame.format("red lips") for frame in FRAMES)


TEXT_TERMS = {
    "directional": lambda model, view: directional(Words(model, "red lips"), plain(LOW, HIGH), view=view),
    "contrastive": lambda model, view: contrastive(Words(model, "red lips"), plain(LOW, HIGH), view=view),
}


@pytest.fixture(params=TEXT_TERMS)
def text_term(request):
    """Makes the term from a model and a view."""
    return TEXT_TERMS[request.param]


def test_the_words_are_embedded_once_and_not_in_the_loop(text_term):
    model = spoken()
    term = text_term(model, same)
    pictures, sentences = model.pictures, list(model.sentences)
    for _ in range(5):
        term(candidate(plain(DEEP, DEEP)))
    assert model.sentences == sentences
    assert model.pictures == pictures + 5


def test_the_picture_is_seen_in_the_view(text_term):
    seen = []

    def flipped(images):
        seen.append(images)
        return 1 - images

    pictures = plain(DEEP, HIGH)
    in_view = text_term(spoken(), flipped)(candidate(pictures))
    assert len(seen) == 1  # not what it is compared with
    assert torch.equal(seen[0], pictures)
    torch.testing.assert_close(in_view, text_term(spoken(), same)(candidate(1 - pictures)))


def test_no_gradient_is_kept_of_what_does_not_change(text_term):
    images = plain(DEEP, DEEP).clone().requires_grad_()
    loss = text_term(spoken(), same)(candidate(images))
    assert loss.shape == (2,)
    (gradient,) = torch.autograd.grad(loss.sum(), images)
    assert gradient.isfinite().all()
    assert not text_term(spoken(), same)(candidate(images.detach())).requires_grad


def test_the_gradient_leads_towards_the_words(text_term):
    # Against central differences, in double precision; a picture is its mean colour: all its pixels count the same.
    term = text_term(spoken().double(), same)
    images = plain(DEEP, DEEP).double().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(term(candidate(images)).sum(), images)
    for channel in range(3):
        step = torch.zeros(3, 1, 1).double()
        step[channel] = 1e-5
        with torch.no_grad():
            slope = (term(candidate(images + step)) - term(candidate(images - step))) / 2e-5
        torch.testing.assert_close(gradient[:, channel].sum((1, 2)), slope, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        assert (term(candidate(images - gradient)) < term(candidate(images))).all()


@pytest.mark.parametrize(("styles", "noise"), [(2.0, 0.0), (0.0, 3.0), (2.0, 3.0)])
def test_styles_and_noise_are_held_back_each_by_itself(styles, noise):
    start, end = torch.randn(2, 2, 7, generator=numbers())
    found = near(Inversion(start, Paint(SOURCE), noise=3), styles=styles, noise=noise)(Candidate(SOURCE.crops, end))
    squares = (end - start).double().numpy() ** 2
    np.testing.assert_allclose(found, styles * squares[:, :4].mean(1) + noise * squares[:, 4:].mean(1), rtol=1e-5)


def test_without_noise_all_latents_are_styles():
    start, end = torch.randn(2, 2, 3, 7, generator=numbers())
    found = near(Inversion(start, Paint(SOURCE)), styles=2.0, noise=9.0)(Candidate(SOURCE.crops, end))
    np.testing.assert_allclose(found, 2 * ((end - start).double().numpy() ** 2).mean((1, 2)), rtol=1e-5)


def test_no_change_costs_nothing():
    crops = faces(2).crops
    assert not change(crops, colour=3.0, masking=0.03)(candidate(crops)).any()


FLAT = torch.full((1, 3, 24, 24), 0.5)


@pytest.mark.parametrize(
    ("step", "brightness", "cb", "cr"),
    [
        ((0.1, 0.1, 0.1), 0.1, 0.0, 0.0),
        ((-0.2, -0.2, -0.2), 0.2, 0.0, 0.0),
        ((0.0, 0.0, 0.1), 0.0114, 0.564 * 0.0886, 0.713 * 0.0114),
        ((0.1, 0.0, 0.0), 0.0299, 0.564 * 0.0299, 0.713 * 0.0701),
        ((0.1, -0.1 * 0.299 / 0.587, 0.0), 0.0, 0.0, 0.0713),
    ],
    ids=["grey", "darker", "blue", "red", "colour alone"],
)
@pytest.mark.parametrize("colour", [0.0, 1.0, 3.0])
def test_a_step_on_a_flat_face_costs_its_square_and_colour_by_its_weight(step, brightness, cb, cr, colour):
    seen = change(FLAT, colour=colour, masking=0.03)(candidate(FLAT + torch.tensor(step).view(3, 1, 1)))
    assert seen.item() == pytest.approx(brightness**2 + colour * (cb**2 + cr**2), rel=1e-4, abs=1e-12)


def checked(columns, contrast):
    """A chequerboard of that contrast in the last columns of a flat face; its detail is the contrast."""
    y, x = torch.meshgrid(torch.arange(24), torch.arange(48), indexing="ij")
    board = contrast * (1 - 2 * ((x + y) % 2)) * (x >= 48 - columns)
    return 0.5 + board.float().expand(1, 3, -1, -1)


def dotted(crops, column):
    """The cost of one pixel a little brighter."""
    spot = crops.clone()
    spot[..., 12, column] += 0.01
    return candidate(spot)


def test_detail_of_the_masking_s_size_hides_half_of_a_change():
    crops = checked(columns=24, contrast=0.08)
    cost = change(crops, colour=3.0, masking=0.08)
    assert (cost(dotted(crops, 8)) / cost(dotted(crops, 40))).item() == pytest.approx(2, rel=0.01)


def test_only_where_the_face_has_more_detail_than_elsewhere_counts():
    # Weights have mean one: a face that is equally busy everywhere is like a flat one.
    busy = checked(columns=48, contrast=0.08)
    cost = change(busy, colour=3.0, masking=0.03)(candidate(busy + 0.1))
    assert cost.item() == pytest.approx(0.01, rel=1e-3)


def test_a_batch_of_changes_is_its_faces_one_by_one():
    crops, images = torch.cat([faces(1).crops, faces(1, seed=5).crops.round()]), faces(2, seed=6).crops
    both = change(crops, colour=3.0, masking=0.03)(candidate(images))
    alone = [change(crops[i : i + 1], colour=3.0, masking=0.03)(candidate(images[i : i + 1])) for i in (0, 1)]
    assert both.shape == (2,)
    torch.testing.assert_close(torch.cat(alone), both)


def test_a_new_line_costs_the_square_of_how_much_steeper_it_is():
    flat, ramp = torch.full((1, 3, 32, 32), 0.3), (torch.arange(32) * 0.01).expand(1, 3, 32, 32)
    term = lines(flat)
    assert term(candidate(flat)).item() == pytest.approx(0, abs=1e-9)
    # Half as steep as what is seen, all over but at the rims, where a slope of five columns ends.
    assert term(candidate(ramp)).item() == pytest.approx(0.5**2, rel=0.15)
    assert lines(ramp)(candidate(ramp)).item() == pytest.approx(0, abs=1e-9)


def test_scales_and_squares_add_up_as_they_are_weighed():
    before, after = torch.rand(2, 1, 3, 64, 64, generator=numbers())
    settings = {"colour": 0.0, "masking": 1e6}
    pairs = zip(SCALES, bands(after), bands(before), strict=True)
    scales = [scale * (x - y).square().mean() for scale, x, y in pairs]
    squares = (brightness(after) - brightness(before)).square().mean()
    found = change(before, **settings, plain=0.5, contours=0.3)(candidate(after))
    assert found.item() == pytest.approx(float(0.5 * squares + 0.3 * torch.stack(scales).mean()), rel=1e-4)


@pytest.mark.parametrize(
    ("times", "share"),
    [
        (0.5, 0.25),  # weaker: all of it counts so much
        (0.0, 0.25),  # gone
        (1.5, 1.0),  # stronger
        (-1.0, (4 - 0.75) / 4),  # turned about: the half that leads to nothing is a quarter of the square
    ],
)
def test_a_contrast_that_only_becomes_weaker_costs_less(times, share):
    stripes = 0.2 * torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(16).expand(1, 3, 64, 64)
    settings = {"colour": 0.0, "masking": 0.03, "plain": 0.0, "contours": 1.0}
    costs = [change(0.5 + stripes, **settings, softer=softer) for softer in (0.25, 1.0)]
    cost, whole = (float(each(candidate(0.5 + times * stripes))) for each in costs)
    assert cost / whole == pytest.approx(share, rel=0.01)


def test_darker_is_not_weaker():
    flat = torch.full((1, 3, 64, 64), 0.5)
    cost = change(flat, colour=0.0, masking=0.03, plain=0.0, contours=1.0, softer=0.0)
    darker, lighter = (float(cost(candidate(flat + step))) for step in (-0.1, 0.1))
    assert darker > lighter > 0  # the eye minds it more where there is less light


@pytest.mark.parametrize("contours", [0.0, 0.3])
def test_a_change_costs_more_where_it_is_dear(contours):
    before = torch.rand(1, 3, 64, 64, generator=numbers())
    left, right = before.clone(), before.clone()
    left[..., 20:44, 8:20] += 0.1
    right[..., 20:44, 44:56] += 0.1
    settings = {"colour": 1.0, "masking": 1e6, "plain": 0.5, "contours": contours}
    dear = torch.ones(1, 1, 64, 64)
    dear[..., :32] = 3
    alike, cost = change(before, **settings), change(before, **settings, dear=dear)
    for images, times in ((left, 3), (right, 1)):
        # What the eye sees of a change at the coarser scales is wider than the change.
        ratio = float(cost(candidate(images)) / alike(candidate(images)))
        assert ratio == pytest.approx(times, rel=0.25 if contours else 1e-5)


@pytest.mark.parametrize(("light", "step"), [(0.5, 0.09), (0.5, -0.18), (0.1, 0.03)])
def test_what_is_large_for_the_light_there_costs_more_than_its_square(light, step):
    flat = torch.full((1, 3, 24, 24), light)
    squares, cost = (change(flat, colour=1.0, masking=0.03, plain=0.5, peaks=peaks) for peaks in (0.0, 2.0))
    changed = candidate(flat + step)
    times = 1 + 2 * (step / (STANDS_OUT * (light + DARKEST))) ** 2
    assert float(cost(changed) / squares(changed)) == pytest.approx(times, rel=1e-4)


def test_one_spot_costs_more_than_the_same_change_all_over():
    flat, spot = torch.full((1, 3, 32, 32), 0.5), torch.full((1, 3, 32, 32), 0.5)
    spot[..., 8:16, 8:16] += 0.2
    costs = {peaks: change(flat, colour=1.0, masking=0.03, peaks=peaks) for peaks in (0.0, 16.0)}
    all_over = candidate(flat + 0.05)  # sixteen times as wide, a quarter as high
    assert float(costs[0.0](candidate(spot))) == pytest.approx(float(costs[0.0](all_over)), rel=1e-4)
    assert float(costs[16.0](candidate(spot))) > 5 * float(costs[16.0](all_over))


@pytest.mark.parametrize("peaks", [0.0, 4.0])
def test_a_spot_costs_more_where_it_is_dear(peaks):
    flat, dear = torch.full((1, 3, 24, 24), 0.5), torch.full((1, 1, 24, 24), 2.0)
    costs = [change(flat, colour=1.0, masking=0.03, peaks=peaks, dear=times) for times in (1.0, dear)]
    once, twice = (float(cost(candidate(flat + 0.1))) for cost in costs)
    assert twice == pytest.approx(2 * once, rel=1e-4)


@pytest.mark.parametrize(
    ("bend", "short", "expected"), [(0.0, 0.3, 0.3), (0.8, 0.3, 0.3**2 / 1.6), (0.8, 1.0, 0.6), (0.8, -0.2, 0)]
)
def test_near_its_end_a_hinge_is_a_parabola_that_goes_on_as_a_line(bend, short, expected):
    surrogate, goal = surrogates(1)[0], Goal.dodge(SOURCE, TARGET, towards=0.0)
    apart = surrogate.distance(surrogate.embed(TARGET), surrogate.embed(SOURCE))
    weighed = [
        recognition(surrogate, goal, margin=float(one) + short, closeness=0.0, bend=bend, views=STILL, rng=numbers())
        for one in apart
    ]
    for index, term_of_one in enumerate(weighed):
        assert float(term_of_one(candidate(TARGET.crops))[index]) == pytest.approx(expected, abs=1e-5)


def test_a_recogniser_that_is_named_twice_is_looked_at_once_and_weighs_double():
    one, other = surrogates(2)
    goal, settings = Goal.dodge(SOURCE, TARGET), {"margin": 9.0, "closeness": 0.0, "views": STILL}
    twice = recognitions([one, one, other], goal, weight=3.0, rng=numbers(), **settings)
    once = recognitions([one, other], goal, weight=2.0, rng=numbers(), **settings)
    assert list(twice) == list(once) == ["linear0 0", "linear1 1"]
    first, second = (terms["linear0 0"](candidate(TARGET.crops)) for terms in (twice, once))
    torch.testing.assert_close(first, 2 * second)
