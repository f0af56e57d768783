"""As much change as a photo needs: the price of a change, and the share of it that is taken."""

import pytest
import torch

from kohl.perturb.needed import ITSELF, LEAST, MOST, SHARES, Price, share
from kohl.types import Candidate, Step

ASKED = 1.15


def stepped(price, index, total=100):
    price(Step(index, total, {}, Candidate(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1))))


def priced(*distances, steps=range(100), watch=lambda _: None):
    price = Price(lambda _: torch.tensor(distances), ASKED, watch)
    for index in steps:
        stepped(price, index)
    return price


def test_a_change_is_cheaper_for_a_face_that_clings_and_dearer_for_one_that_is_further_than_asked():
    clings, lets_go = priced(0.9 * ASKED, 1.1 * ASKED).value.tolist()
    assert clings == pytest.approx(0.9**12)
    assert lets_go == pytest.approx(1.1**12)


def test_it_is_set_a_few_times_by_no_more_than_so_much():
    assert priced(0.01, 9.0, steps=[30]).value.tolist() == pytest.approx([LEAST, MOST])
    assert priced(-0.01, 0.0, steps=[30]).value.tolist() == pytest.approx([LEAST, LEAST])
    assert priced(0.01, 9.0, steps=[0, 1, 29, 99]).value == 1


def test_it_multiplies_a_term_as_it_is_by_then():
    price = priced(0.9 * ASKED, ASKED, steps=[])
    term = price.of(lambda candidate: candidate.latents[:, 0])
    candidate = Candidate(torch.zeros(2, 3, 4, 4), torch.tensor([[2.0], [3.0]]))
    assert term(candidate).tolist() == [2, 3]
    stepped(price, 30)
    assert term(candidate).tolist() == pytest.approx([2 * 0.9**3, 3])


def test_others_watch_too():
    steps = []
    priced(1.0, 1.0, steps=range(3), watch=steps.append)
    assert [step.index for step in steps] == [0, 1, 2]


@pytest.mark.parametrize("asked", [1.08, 1.15, 1.2])
def test_the_share_is_found_where_distance_levels_off_for_each_face_of_a_batch(asked):
    most = torch.tensor([1.4, 1.3])

    def far(shares):
        return ITSELF + (most - ITSELF) * (1 - torch.exp(-2 * shares))

    found = far(share(far, lambda shares: shares, asked, torch.ones(2)))
    assert found.tolist() == pytest.approx([asked, asked], abs=0.06)


def test_what_cannot_be_reached_takes_the_most_and_what_is_far_beyond_takes_the_least():
    slopes = torch.tensor([0.2, 30.0])
    found = share(lambda shares: ITSELF + slopes * shares, lambda shares: shares, ASKED, torch.ones(2))
    assert found.tolist() == pytest.approx([SHARES[1], SHARES[0]])


def test_on_a_straight_way_the_share_is_exact():
    found = share(lambda shares: ITSELF + 1.2 * shares, lambda shares: shares, ASKED, torch.ones(1))
    assert found.tolist() == pytest.approx([(ASKED - ITSELF) / 1.2])
