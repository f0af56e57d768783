"""An attacker who adapts, where what can be learned is known."""

import numpy as np
import pytest
import tiny
from PIL import Image

from kohl.bench import adapt
from kohl.bench.data import Probe
from kohl.bench.linker import attacked, learned, unit
from kohl.bench.made import Made
from kohl.bench.seen import Remembering
from kohl.zoo.judges.judge import Judge, Seen, cosine

SIZE = 12


def people(count, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(count, SIZE)))


def turn(seed=1):
    """A rotation: as if an attack moved every face alike."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(SIZE, SIZE)))[0]


def moved(before, noise=0.0, seed=2):
    drawn = np.random.default_rng(seed).normal(size=before.shape)
    return unit(before @ turn().T + noise * drawn)


def test_of_no_pairs_nothing_is_learned():
    assert (learned(np.zeros((0, SIZE)), np.zeros((0, SIZE))).matrix == np.eye(SIZE)).all()


def test_a_rotation_is_undone_once_enough_pairs_are_seen():
    faces, others = people(40), people(300, seed=5)
    likeness = [
        float((learned(moved(others[:count]), others[:count])(moved(faces)) * faces).sum(1).mean())
        for count in (0, 10, 300)
    ]
    assert likeness[0] < 0.3 < likeness[1] < 0.98 < likeness[2]


def test_of_faces_that_do_not_change_nothing_is_learned():
    after, faces = people(30, seed=3), people(20, seed=6)
    assert (learned(after, after)(faces) * faces).sum(1) == pytest.approx(np.ones(20))


def test_noise_is_not_taken_for_a_change():
    before = people(8, seed=3)
    after = unit(before + 0.1 * np.random.default_rng(4).normal(size=before.shape))
    faces = people(200, seed=6)
    assert ((learned(after, before)(faces) * faces).sum(1) > 0.9).mean() > 0.95


def test_thresholds_hold_the_rate_among_these_very_results():
    seen, strangers, faces = people(300, seed=8), people(100, seed=10), people(10, seed=9)
    results, names = moved(faces), ["a", "a", *"bcdefghi"]
    linker, alone = learned(moved(seen), seen), learned(seen[:0], seen[:0])

    def said(linker):
        others = [face[None] for face in faces]
        left = {"strangers": strangers, "attacked_strangers": moved(strangers)}
        return attacked(linker, results, others, names, **left, far=0.01)

    taught, naive, mapped = said(linker), said(alone), linker(results)
    assert (mapped @ strangers.T >= taught.threshold).mean() <= 0.01
    assert (mapped @ strangers.T >= taught.threshold - 0.03).mean() > 0.005
    assert [scores[0] for scores in taught.genuine] == pytest.approx((mapped * faces).sum(1))
    assert taught.pairs == [(0, 1, pytest.approx(float(mapped[0] @ mapped[1])))]
    assert np.mean([scores[0] >= taught.threshold for scores in taught.genuine]) > 0.9
    assert np.mean([scores[0] >= naive.threshold for scores in naive.genuine]) < 0.5
    # Links: between results of two people, whether they are measured on or not, and nobody else's.
    impostors = [*(mapped @ linker(moved(strangers)).T).flatten()]
    impostors += [mapped[a] @ mapped[b] for a in range(10) for b in range(a + 1, 10) if names[a] != names[b]]
    assert np.mean(np.array(impostors) >= taught.link_threshold) <= 0.01


@pytest.fixture
def photo(tmp_path):
    """Makes a picture whose embedding is given: three mean colours."""

    def photo(name, colour):
        path = tmp_path / name
        Image.new("RGB", (4, 4), tuple(int(value) for value in colour)).save(path)
        return path

    return photo


def test_photos_before_and_after_become_answers_for_each_count(photo, tmp_path):
    rng = np.random.default_rng(0)
    judge = Judge(
        "colours", {}, lambda pixels: [Seen((0, 0, 4, 4), pixels[0, 0] - 127.5)] if pixels.any() else [], cosine
    )
    remembering = Remembering(judge, "ab" * 32, tmp_path / "seen")

    def made(name, person):
        """A person's photo, another one that is alike, and the first with its channels turned round."""
        colour = rng.integers(1, 250, 3)
        before, other = photo(f"{name}.png", colour), photo(f"{name}-other.png", colour + rng.integers(0, 4, 3))
        return Made(Probe(person, before, (other,)), photo(f"{name}-after.png", colour[[1, 2, 0]]), {})

    strangers = [made(f"s{index}", f"s{index}") for index in range(60)]
    results = [made(f"r{index}", f"r{index // 2}") for index in range(8)]
    blind = Made(Probe("r0", results[0].probe.photo, ()), photo("black.png", (0, 0, 0)), {})
    unseen = [made(f"u{index}", "u").probe.photo for index in range(20)]
    found = adapt.answers(remembering, [*results, blind], lambda: strangers, unseen, (0, 60, 1000), 0.1)["adapted"]
    assert [one["pairs seen"] for one in found] == [0, 60]
    assert [probe["person"] for probe in found[0]["probes"]] == [f"r{index // 2}" for index in range(8)]
    assert [pair[:2] for pair in found[0]["pairs"]] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    naive, taught = (np.mean([probe["genuine"][0] for probe in one["probes"]]) for one in found)
    assert taught > 0.99 > naive


def test_too_few_strangers_or_a_judge_that_only_compares(photo, tmp_path):
    one = Made(Probe("a", photo("a.png", (9, 9, 9)), (photo("b.png", (9, 9, 9)),)), photo("c.png", (9, 9, 9)), {})
    judge = Judge("colours", {}, lambda pixels: [Seen((0, 0, 4, 4), pixels[0, 0] * 1.0)], cosine)
    remembering, unseen = Remembering(judge, "ab" * 32, tmp_path / "seen"), [one.probe.photo] * 10
    assert adapt.answers(remembering, [one], lambda: [one] * 9, unseen, (0,), 0.1) == {"adapted": []}
    assert adapt.answers(remembering, [one], lambda: [one] * 20, unseen[:9], (0,), 0.1) == {"adapted": []}
    assert adapt.answers(remembering, [one], lambda: [one] * 20, unseen, (0,), 0.1)["adapted"]
    services = Remembering(tiny.MeanColour(), "cd" * 32, tmp_path / "seen")
    assert adapt.answers(services, [one], lambda: [one] * 20, unseen, (0,), 0.1) == {"adapted": []}
