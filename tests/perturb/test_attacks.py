"""What every attack of the table promises, on toy models; and that those on pixels find the best answer there is."""

import math
from dataclasses import dataclass, replace
from functools import cache

import pytest
import tiny
import torch
import torch.nn.functional as F
from tiny import REACH, SEARCH, LinearEncoder, LinearText, faces, numbers, surrogates

from kohl.errors import BadSetting
from kohl.perturb import attacks
from kohl.perturb.pixel import FAINT, NEVER_ENOUGH, Diversity, Painted, Pixel, Scales, SignGradient, Smooth
from kohl.perturb.terms import Surrogate, Words
from kohl.perturb.tip_im import Greedy
from kohl.types import Goal
from kohl.zoo.detectors.regions import by_landmarks
from kohl.zoo.generators.amt_gan import MakeupTransfer
from kohl.zoo.generators.eye_makeup import EyeMakeup


def shaken(network):
    """The network with random weights."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(generator=numbers(1))
    return network


PIXEL = Pixel(epsilon=0.04, steps=4)
GREEDY = Greedy(epsilon=0.04, steps=8, targets=3)
PEOPLE = [faces(seed=seed) for seed in (3, 4, 5)]
EYE_MAKEUP = shaken(EyeMakeup(4))
RING = torch.tensor([[8 + 5 * math.cos(turn), 8 + 5 * math.sin(turn)] for turn in torch.arange(68) * 2 * math.pi / 68])
SOURCE, TARGET = (replace(faces(2, seed=seed), landmarks=RING.expand(2, -1, -1)) for seed in (1, 2))
GOALS = {
    "pure dodging": Goal.dodge(SOURCE, TARGET, towards=0.0),
    "dodging": Goal.dodge(SOURCE, TARGET, towards=0.5),
    "impersonation": Goal.impersonate(SOURCE, TARGET),
}
TRANSFERRED = attacks.Transferred(shaken(MakeupTransfer(2, tiny.SIZE)), TARGET, by_landmarks)
BEFORE = [part.clone() for whole in (SOURCE, TARGET) for part in vars(whole).values()]
WITH_WORDS = "latent with words"  # beside the table


def given(models=None, words=None):
    search = SEARCH if words is None else replace(SEARCH, text=0.05)
    return attacks.Given(
        tiny.invert,
        models or surrogates(),
        search,
        PIXEL,
        words,
        greedy=GREEDY,
        people=PEOPLE,
        eye_makeup=EYE_MAKEUP,
        transferred=TRANSFERRED,
    )


def attack(name, models=None):
    words = Words(LinearText(), "red lips") if name == WITH_WORDS else None
    return attacks.find("latent" if words else name)(given(models, words))


@dataclass(frozen=True)
class Case:
    """One attack with one goal."""

    name: str
    wanted: str

    @property
    def goal(self):
        return GOALS[self.wanted]

    @property
    def first(self):
        """The images and the steps of its first run."""
        return _first(self)

    def __call__(self, seed=0, watch=lambda step: None, source=SOURCE):
        return attack(self.name)(source, self.goal, rng=numbers(seed), watch=watch)


@cache
def _first(case):
    steps = []
    return case(watch=steps.append), steps


@pytest.fixture(params=[(name, goal) for name in (*attacks.ATTACKS, WITH_WORDS) for goal in GOALS], ids=" × ".join)
def case(request):
    return Case(*request.param)


def test_gives_images_like_those_it_got(case):
    changed, _ = case.first
    assert changed.shape == SOURCE.crops.shape
    assert changed.dtype == torch.float32
    assert not changed.requires_grad
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert not torch.equal(changed, SOURCE.crops)


def test_changes_none_of_its_arguments(case):
    assert case.first
    now = [part for whole in (SOURCE, TARGET) for part in vars(whole).values()]
    assert all(map(torch.equal, BEFORE, now))


@pytest.mark.parametrize("name", ["latent", "pgd", "dim", "ti-dim", "vmi-fgsm", "tip-im"])
def test_other_random_numbers_give_other_images(name):
    case = Case(name, "dodging")
    assert not torch.equal(case(seed=3), case(seed=4))


def test_the_same_random_numbers_give_the_same_images_and_no_others_are_used_or_spent(case):
    first, _ = case.first
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        state = torch.get_rng_state()
        assert torch.equal(case(), first)
        assert torch.equal(torch.get_rng_state(), state)


def test_what_is_no_face_stays_bit_for_bit(case):
    reach = Painted(SOURCE).mask[0, 0] > 0
    assert 40 < reach.sum() < 150
    if case.name.startswith("latent"):  # the toy generator's
        reach = torch.zeros_like(reach)
        reach[REACH, REACH] = True
    assert torch.equal(case.first[0][..., ~reach], SOURCE.crops[..., ~reach])


def test_tells_watch_of_every_step_in_order(case):
    _, steps = case.first
    assert [step.index for step in steps] == list(range(len(steps)))
    (total,) = {step.total for step in steps}
    assert 1 <= len(steps) <= total
    assert all(isinstance(loss, float) for step in steps for loss in step.losses.values())


def test_nears_its_goal_in_the_eyes_of_the_surrogates(case):
    (changed, _), goal = case.first, case.goal
    if case.name in attacks.LEARNED:  # whom they near was chosen when they learned
        assert torch.equal(changed, Case(case.name, "impersonation").first[0])
        return
    before, after = (
        sum(left(surrogate, crops, goal) for surrogate in surrogates()) for crops in (SOURCE.crops, changed)
    )
    assert (after < before).all()
    assert after.mean() < 0.9 * before.mean()
    for surrogate in surrogates():
        if not goal.towards:
            assert (apart(surrogate, changed, SOURCE.crops) > 0.05).all()  # TIM blurs most of a slope of noise
        if not goal.away:
            start = apart(surrogate, SOURCE.crops, TARGET.crops)
            assert apart(surrogate, changed, TARGET.crops).mean() < 0.95 * start.mean()


SQUARE = torch.linspace(-3, 3, 7).square()  # 7 × 7 and ± 3 deviations, as the published kernel has 15 × 15
KERNEL = torch.exp(-(SQUARE + SQUARE[:, None]) / 2) / torch.exp(-(SQUARE + SQUARE[:, None]) / 2).sum()


def apart(surrogate, first, second):
    """The distance of the faces in two batches of crops, in thresholds."""
    return surrogate.distance(*(surrogate.embed(SOURCE.with_crops(crops)) for crops in (first, second)))


def left(surrogate, crops, goal):
    """How far it still is to the goal."""
    leaving = (SEARCH.margin - apart(surrogate, crops, SOURCE.crops)).relu()
    nearing = (apart(surrogate, crops, TARGET.crops) - SEARCH.closeness).relu()
    return goal.away * leaving + goal.towards * nearing


@pytest.mark.parametrize("name", [*attacks.PIXEL, "tip-im"])
@pytest.mark.parametrize("goal", GOALS)
def test_the_budget_is_never_exceeded(name, goal):
    changed, steps = Case(name, goal).first
    ahead = getattr(attack(name), "look_ahead", False)  # where the momentum leads may be further
    for images in (changed, *(() if ahead else [step.candidate.images.detach() for step in steps])):
        assert (images - SOURCE.crops).abs().max() <= PIXEL.epsilon + 1e-6


class Score(LinearEncoder):
    """A recogniser whose similarity is a weighted sum of the pixels."""

    def __init__(self, weight):
        super().__init__("score")
        self.weight = weight

    def forward(self, inputs):
        return (inputs * self.weight).flatten(1).sum(1, keepdim=True)


@dataclass(frozen=True, eq=False)
class LinearScore(Surrogate):
    """The further from the source the lower the score."""

    threshold: float = 0.0

    def distance(self, first, second):
        return (second - first).sum(1)


@pytest.mark.parametrize("name", attacks.PIXEL)
def test_against_a_linear_score_the_best_answer_is_reached(name):
    # Of all changes within the budget, one against the sign of each weight lowers the score most.
    signs = torch.tensor([1.0, -1.0, 1.0]).view(3, 1, 1).expand(3, tiny.SIZE, tiny.SIZE)
    weight = signs * (0.5 + torch.rand(3, 1, 1, generator=numbers()))
    budget = replace(PIXEL, steps=10)
    made = attacks.PIXEL[name].attack([LinearScore(Score(weight))], budget)
    changed = made(SOURCE, GOALS["pure dodging"], rng=numbers())
    best = SOURCE.crops - budget.epsilon * Painted(SOURCE).mask * signs
    inner = F.max_pool2d(1 - Painted(SOURCE).mask, 7, 1, 3) < 0.01  # a shrunk or blurred picture mixes in the rim
    mixes = made.smooth is not None or isinstance(made.views, Diversity)
    everywhere = inner if mixes else torch.ones_like(inner)
    where = everywhere.expand_as(changed)
    torch.testing.assert_close(changed[where], best[where], atol=1.01 * FAINT * budget.epsilon, rtol=0)


def plain(models, **settings):
    """The attack with these parts."""
    return SignGradient(models, PIXEL, **settings)(SOURCE, GOALS["pure dodging"], rng=numbers())


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"look_ahead": True},
        {"smooth": Smooth(side=7, deviations=3.0)},
        {"look_ahead": True, "neighbours": 2, "reach": 0.0},  # all of them at the latents themselves
    ],
    ids=["momentum", "look ahead", "smooth", "variance"],
)
def test_each_part_is_the_published_formula(parts):
    models, rate, mask = surrogates(), PIXEL.epsilon / PIXEL.steps, Painted(SOURCE).mask

    def slope(latents):
        latents = latents.clone().requires_grad_()
        distance = sum(apart(surrogate, SOURCE.crops + mask * latents, TARGET.crops) for surrogate in models)
        return torch.autograd.grad(distance.sum() / len(models), latents)[0]

    made = SignGradient(models, PIXEL, momentum=0.9, **parts)
    changed = made(SOURCE, GOALS["impersonation"], rng=numbers())
    latents = velocity = variance = torch.zeros_like(SOURCE.crops)
    for _ in range(PIXEL.steps):
        gradient = slope(latents - rate * 0.9 * velocity if parts.get("look_ahead") else latents)
        tuned = gradient + variance
        if "neighbours" in parts:
            variance = slope(latents) - gradient
        if "smooth" in parts:
            tuned = F.conv2d(F.pad(tuned, (3, 3, 3, 3)).flatten(0, 1)[:, None], KERNEL[None, None]).view_as(tuned)
        velocity = 0.9 * velocity + tuned / tuned.abs().mean((1, 2, 3), keepdim=True)
        latents = (latents - rate * velocity.sign()).clamp(-PIXEL.epsilon, PIXEL.epsilon)
    differ = (changed - SOURCE.crops - mask * latents).abs() > 1e-6
    assert differ.float().mean() < 0.01  # where a gradient is nothing but rounding


def test_diversity_shows_a_smaller_picture_on_black_half_of_the_time():
    images, rng = torch.ones(1, 3, 40, 40), numbers()
    seen = [Diversity()(images, rng)[0] for _ in range(400)]
    shown = [each for each in seen if not torch.equal(each, images)]
    assert 150 < len(shown) < 230  # the few that were drawn as large as the frame are not seen to be
    sides = torch.stack([each[0, 0].sum() for each in shown]).sqrt()  # the share of 44 pixels that a picture fills
    assert float(sides.min()) == pytest.approx(40 * 40 / 44, abs=0.3)
    assert 39 < sides.max() <= 40
    assert all(each.shape == images.shape for each in seen)
    middles = torch.stack([(each[0, 0] > 0.5).nonzero().float().mean(0) for each in shown])
    assert middles.std(0).min() > 0.3


def test_scales_halve_the_brightness_each_time():
    images = torch.rand(1, 3, 4, 4, generator=numbers())
    assert all(map(torch.equal, Scales(3)(images, numbers()), (images, images / 2, images / 4)))


def test_smoothing_is_the_published_kernel():
    gradient = torch.zeros(1, 3, 41, 41)
    gradient[..., 20, 20] = 1
    smooth = Smooth()(gradient)
    line = torch.exp(-torch.linspace(-3, 3, 15).square() / 2)
    torch.testing.assert_close(smooth[0, 0, 13:28, 13:28], line * line[:, None] / line.sum() ** 2)
    assert int((smooth[0, 0] > 0).sum()) == 15 * 15


def test_every_attack_says_where_its_settings_come_from_and_pixels_have_the_published_ones():
    assert all(len(known.source) > 20 for known in attacks.ATTACKS.values())
    made = {name: attacks.PIXEL[name].attack(surrogates(), Pixel()) for name in attacks.PIXEL}
    for name, attack in made.items():
        assert attack.settings == Pixel(epsilon=16 / 255, steps=10)
        rate = attack.pace * attack.settings.epsilon / (attack.steps or attack.settings.steps)
        assert 255 * rate == pytest.approx({"fgsm": 16, "pgd": 4}.get(name, 1.6))
        assert attack.momentum == (0 if name in ("fgsm", "bim", "pgd") else 1)
    assert (made["vmi-fgsm"].neighbours, made["vmi-fgsm"].reach) == (20, 1.5)
    assert made["ti-dim"].views == made["dim"].views == Diversity(probability=0.5, largest=1.1)
    assert made["ti-dim"].smooth == made["tim"].smooth == Smooth(side=15, deviations=3.0)
    assert made["si-fgsm"].views == made["si-ni-fgsm"].views == Scales(5)


def test_variance_tuning_needs_the_neighbours_and_no_distance_is_enough():
    models = surrogates()
    assert not torch.equal(plain(models, momentum=1.0), plain(models, momentum=1.0, neighbours=3))
    most = max(float(surrogate.distance(*torch.eye(8)[None, :2].unbind(1)).max()) for surrogate in models)
    assert 2 * most < NEVER_ENOUGH


def test_strength_turns_the_budget():
    assert [PIXEL.at(strength).epsilon for strength in (0.0, 0.5, 1.0)] == pytest.approx([0.01, 0.04, 0.16])


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"epsilon": 0.0}, "must be above 0"), ({"epsilon": 2.0}, "at most 1"), ({"steps": 0}, "at least 1")],
)
def test_a_budget_that_is_none_is_refused(settings, said):
    with pytest.raises(BadSetting, match=rf"^pixel\.\w+: must .*{said.removeprefix('must ')}"):
        Pixel(**settings)


def test_an_attack_that_is_none_is_refused_by_name():
    with pytest.raises(BadSetting, match=r"^attack: pdg: no such attack; did you mean pgd"):
        attacks.find("pdg")


@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("pgd", "changes pixels and puts no makeup on"),
        ("tip-im", "changes pixels and puts no makeup on"),
        ("adv-makeup", "wears what it has learned"),
        ("amt-gan", "wears its reference's makeup"),
    ],
)
def test_words_are_for_the_latent_search_alone(name, does):
    with pytest.raises(BadSetting, match=rf"^attack: {name} {does}; leave the words out, or name latent"):
        attacks.find(name)(given(words=Words(LinearText(), "red lips")))


@pytest.mark.parametrize("name", attacks.LEARNED)
def test_what_must_learn_asks_for_its_weights(name):
    settings = name.replace("-", "_")
    with pytest.raises(
        BadSetting, match=rf"^attack: {name} needs weights; name them with --set {settings}.weights=FILE"
    ):
        attacks.find(name)(replace(given(), eye_makeup=None, transferred=None))
