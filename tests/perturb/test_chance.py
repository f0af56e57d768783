"""The chance that a stranger's recogniser still matches: the curve, what it goes by, and the search that heeds it."""

from dataclasses import replace

import pytest
import tiny
import torch
from tiny import SEARCH, STILL, LinearEncoder, faces, numbers, surrogates

from kohl.perturb.chance import CURVE, Curve, strangeness
from kohl.perturb.latent import LatentSearch
from kohl.perturb.needed import SHARES
from kohl.perturb.terms import Surrogate, known
from kohl.perturb.views import Views
from kohl.types import Faces, Goal

SOURCE, TARGET, OTHER = faces(1, seed=1), faces(1, seed=2), faces(3, seed=3)
ALONE = Goal.dodge(SOURCE, TARGET, towards=0.0)


def test_the_curve_falls_from_one_to_nothing_and_is_a_half_in_the_middle():
    curve = Curve(middle=1.2, slope=5.0)
    assert curve(1.2) == 0.5
    assert 1 > curve(0.0) > curve(0.7) > curve(1.5) > curve(3.0) > 0
    assert curve(1.4) == pytest.approx(1 / (1 + 2.718281828**1.0))


@pytest.mark.parametrize("chance", [0.001, 0.02, 0.5, 0.9])
def test_a_distance_is_where_the_chance_is_that(chance):
    assert CURVE(CURVE.distance(chance)) == pytest.approx(chance)


def test_the_source_is_no_distance_from_itself_and_others_are_as_far_as_the_recognisers_say():
    far = strangeness(surrogates(), ALONE, STILL, numbers())
    assert far(SOURCE.crops).item() == pytest.approx(0, abs=1e-6)
    apart = [each.distance(each.embed(TARGET), each.embed(SOURCE)) for each in surrogates()]
    torch.testing.assert_close(far(TARGET.crops), torch.stack(apart).amin(0))


def test_a_recogniser_that_is_named_twice_counts_once():
    one, other = surrogates()
    twice, once = (
        strangeness(named, ALONE, STILL, numbers())(TARGET.crops) for named in ([one, one, other], [one, other])
    )
    assert torch.equal(twice, once)


def test_the_views_are_the_same_for_every_picture_and_others_for_other_numbers():
    views = Views()
    far = strangeness(surrogates(), ALONE, views, numbers())
    first = far(TARGET.crops)
    assert torch.equal(far(TARGET.crops), first)
    assert not torch.equal(strangeness(surrogates(), ALONE, views, numbers(1))(TARGET.crops), first)


def test_a_dozen_views_of_every_recogniser_are_looked_at():
    encoder = LinearEncoder()
    far = strangeness([Surrogate(encoder, 0.5)], ALONE, STILL, numbers())
    before = encoder.calls
    far(TARGET.crops)
    assert encoder.calls - before == 12


def test_of_another_photo_the_face_most_like_the_source_counts():
    (surrogate,) = surrogates(1)
    _, found = known(surrogate, replace(ALONE, others=(OTHER,)))
    each = surrogate.embed(OTHER)
    likest = (each @ surrogate.embed(SOURCE)[0]).argmax()
    torch.testing.assert_close(found[0], each[likest])


def test_the_nearest_photo_of_the_person_decides():
    same = Faces(TARGET.crops, TARGET.points, TARGET.landmarks)
    far = strangeness(surrogates(), replace(ALONE, others=(same,)), STILL, numbers())
    assert far(TARGET.crops).item() == pytest.approx(0, abs=1e-6)


def searched(chance, goal=ALONE, **settings):
    settings = {"steps": 60, "rate": 0.3, "margin": 5.0, "change": 0.0, **settings}
    settings = replace(SEARCH, scouts=0, chance=chance, **{"views": STILL, **settings})
    return LatentSearch(tiny.invert, surrogates(), settings)(SOURCE, goal, rng=numbers())


def size(images):
    return float((images - SOURCE.crops).square().mean())


def test_the_search_takes_the_smallest_change_that_reaches_the_chance():
    goal = Goal.dodge(SOURCE, TARGET)
    whole = searched(0.0, goal)
    far = strangeness(surrogates(), ALONE, STILL, numbers())
    wanted = CURVE(0.7 * float(far(whole)))  # less far than it could
    changed = searched(wanted, goal)
    assert float(far(changed)) == pytest.approx(0.7 * float(far(whole)), rel=0.2)
    assert 0 < size(changed) < size(whole)


def test_a_face_that_clings_pays_less_for_change():
    def ended(chance):
        settings = replace(SEARCH, scouts=0, chance=chance, views=STILL, change=30.0)
        search = LatentSearch(tiny.invert, surrogates(), settings)
        way = search.way(SOURCE, Goal.dodge(SOURCE, TARGET), rng=numbers())
        return float((way.end - way.seen.latents).square().mean())

    assert ended(1e-9) > 1.05 * ended(0.0)


def test_a_chance_out_of_reach_takes_a_little_more_than_was_found_and_never_all_there_is():
    whole, most = searched(0.0, steps=4), searched(1e-9, steps=4)
    assert size(most) == pytest.approx(SHARES[1] ** 2 * size(whole), rel=0.05)


def test_the_same_random_numbers_find_the_same_place():
    assert torch.equal(searched(0.02, steps=4, views=Views()), searched(0.02, steps=4, views=Views()))


def test_impersonation_leaves_nobody_and_is_taken_as_found():
    goal = Goal.impersonate(SOURCE, TARGET)
    assert torch.equal(searched(0.02, goal), searched(0.0, goal))


def test_without_recognisers_nobody_says_how_much_is_needed():
    settings = replace(SEARCH, views=STILL, chance=0.02)
    changed = LatentSearch(tiny.invert, [], settings)(SOURCE, ALONE, rng=numbers())
    torch.testing.assert_close(changed, SOURCE.crops)


def test_other_photos_of_the_person_are_left_too():
    (one, two), goal = surrogates(), replace(ALONE, others=(TARGET,))
    with_others, without = searched(0.0, goal, decoy=0.0), searched(0.0)
    for surrogate in (one, two):
        near = [
            surrogate.distance(surrogate.embed(SOURCE.with_crops(x)), surrogate.embed(TARGET))
            for x in (with_others, without)
        ]
        assert near[0] > near[1]


def test_new_lines_are_weighed_where_they_have_a_weight():
    def seen(weight):
        steps = []
        settings = replace(SEARCH, views=STILL, lines=weight)
        LatentSearch(tiny.invert, surrogates(), settings)(SOURCE, ALONE, rng=numbers(), watch=steps.append)
        return steps[-1].losses

    assert "lines" not in seen(0.0)
    assert "lines" in seen(1.0)


def test_a_search_that_counts_in_cosines_is_taken_as_found():
    assert torch.equal(searched(0.02, distance="cosine"), searched(0.0, distance="cosine"))
