"""Thresholds: of similarities that are known, and of people who are not measured on."""

import math

import pytest
import tiny

from kohl.bench import calibrate, cells
from kohl.errors import BadSetting


def test_the_threshold_is_the_least_that_no_larger_share_reaches():
    impostors = [index / 1000 for index in range(1000)]
    for rate in (0.1, 0.01, 0.001):
        found = calibrate.threshold(impostors, rate)
        assert calibrate.share(impostors, found) <= rate
        assert calibrate.share(impostors, found - 0.0011) > rate
    assert math.isnan(calibrate.share([], 0.5))


@pytest.fixture
def folder(tmp_path):
    for person in ("ann", "bob", "cat"):
        (tmp_path / "people" / person).mkdir(parents=True)
        for index in range(2):
            tiny.picture(tmp_path / "people" / person / f"{index}.png", seed=10 * ord(person[0]) + index)
    return tmp_path / "people"


class Names:
    """A judge to whom photos are as alike as their persons' names and numbers say."""

    name, thresholds, count = "names", {}, 0

    def compare(self, probe, gallery, *, box=None):
        self.count += 1
        return [None if "cat" in path.parts else 0.9 if path.parent == probe.parent else 0.2 for path in gallery]


def test_every_two_photos_are_compared_once(folder):
    photos = calibrate.apart(folder, set(), set())
    found = calibrate.similarities(Names(), photos)
    assert (sorted(found.genuine), found.impostors, found.unseen) == ([0.9, 0.9], [0.2] * 4, 9)


def test_nobody_is_in_both(folder):
    own = cells.sha256(folder / "bob" / "1.png")
    assert {name for name, _ in calibrate.apart(folder, {"ann"}, {own})} == {"bob", "cat"}
    assert len(calibrate.apart(folder, {"ann"}, {own})) == 3
    with pytest.raises(BadSetting, match="fewer than two people who are not measured on"):
        calibrate.apart(folder, {"ann", "bob"}, set())


def test_pairs_of_two_people(folder, tmp_path):
    ann, bob, cat = (folder / name / "0.png" for name in ("ann", "bob", "cat"))
    left = calibrate.pairs_apart([(ann, bob), (bob, cat)], {cells.sha256(ann)})
    assert left == [(bob, cat)]
    with pytest.raises(BadSetting, match="names no pair of two people"):
        calibrate.pairs_apart([(ann, bob)], {cells.sha256(ann)})
    found = calibrate.measured(Names(), "ab" * 32, [], tmp_path / "cells", [(ann, bob), (bob, ann)])
    assert found == ({0.1: 0.2001, 0.01: 0.2001, 0.001: 0.2001}, "2 pairs of people who are not measured on")


def test_a_calibration_is_kept(folder, tmp_path):
    photos, judge = calibrate.apart(folder, set(), set()), Names()
    first = calibrate.measured(judge, "ab" * 32, photos, tmp_path / "cells")
    count = judge.count
    assert calibrate.measured(judge, "ab" * 32, photos, tmp_path / "cells") == first
    assert judge.count == count
    assert first == ({0.1: 0.2001, 0.01: 0.2001, 0.001: 0.2001}, "4 pairs of people who are not measured on")
    with pytest.raises(BadSetting, match="finds no faces of two people"):
        calibrate.measured(judge, "ab" * 32, [photos[0], photos[-1]], tmp_path / "cells")
