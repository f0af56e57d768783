"""A whole run with toys: what is measured, what is kept, and what is not done twice."""

from dataclasses import fields, replace
from functools import partial

import pytest
import tiny
from PIL import Image

from kohl.align import imageio
from kohl.bench import cells, data, findings, run
from kohl.bench import plan as plans
from kohl.bench.answers import Gallery, answers
from kohl.bench.data import Probe
from kohl.bench.entries import entry
from kohl.bench.made import SHARED, Made, Target, Workshop
from kohl.bench.plan import Asked, Plan
from kohl.bench.posting import POSTINGS
from kohl.bench.results import Results
from kohl.bench.seen import Remembering
from kohl.errors import BadSetting
from kohl.perturb.attacks import ATTACKS
from kohl.perturb.latent import Search
from kohl.recipe import Recipe
from kohl.zoo.judges.judge import Judge, Seen, cosine


class Loads:
    """Loads toy houses, and counts how often each attack was run."""

    def __init__(self, **others):
        self.tint, self.others = tiny.Tint(noise=0.01), others

    def __call__(self, recipe):
        return tiny.house(attack=self.tint, recipe=replace(tiny.house().recipe, models=recipe.models), **self.others)

    @property
    def calls(self):
        return len(self.tint.goals)


@pytest.fixture
def people(tmp_path):
    for person in ("ann", "bob"):
        for index in range(2):
            (tmp_path / "people" / person).mkdir(parents=True, exist_ok=True)
            tiny.picture(tmp_path / "people" / person / f"{index}.png", seed=7 * index + (person == "bob"))
    return data.people(tmp_path / "people")


@pytest.fixture
def plan(people, tmp_path):
    def plan(load, *, names=("clean", "pgd"), seeds=(0,), postings=(), **others):
        judge = Remembering(tiny.MeanColour(), "ab" * 32, tmp_path / "bench" / "seen")
        asked = [Asked(judge, {0.01: 0.99}, "a card")]
        return Plan(
            people,
            [(entry(name), asked) for name in names],
            tmp_path / "bench",
            load,
            seeds,
            plans.postings(postings, POSTINGS),
            **others,
        )

    return plan


def silent(text):
    pass


def test_a_second_run_reads_what_the_first_one_wrote(plan):
    load = Loads()
    first = run.run(plan(load), silent)
    assert load.calls == 4
    assert [(cell["kind"], cell["attack"]) for cell in first] == [
        ("quality", "clean"),
        ("scores", "clean"),
        ("quality", "pgd"),
        ("scores", "pgd"),
    ]
    again = plan(load)
    assert run.run(again, silent) == first
    assert load.calls == 4
    assert again.runs[0][1][0].judge.looks == 0


def test_what_is_new_is_all_that_is_done(plan):
    load = Loads()
    run.run(plan(load), silent)
    found = run.run(plan(load, seeds=(0, 1), postings=("half",)), silent)
    assert load.calls == 8  # the second seed alone
    assert {(cell["seed"], cell.get("posting")) for cell in found if cell["attack"] == "pgd"} == {
        (seed, posting) for seed in (0, 1) for posting in (None, "saved", "half")
    }
    run.run(plan(load, names=("pgd@0.7",)), silent)
    assert load.calls == 12  # another setting


def test_a_run_that_ended_early_goes_on_with_the_next_photo(plan):
    load = Loads()

    class Ended(Exception):
        pass

    def end(text):
        if text.endswith("photo 3 of 4"):
            raise Ended

    with pytest.raises(Ended):
        run.run(plan(load), end)
    assert load.calls == 2
    run.run(plan(load), silent)
    assert load.calls == 4


def test_a_photo_that_changed_is_measured_anew(plan, people):
    load = Loads()
    first = run.run(plan(load), silent)
    people.probes[0].photo.unlink()
    tiny.picture(people.probes[0].photo, seed=99)
    second = run.run(plan(load), silent)
    assert load.calls == 5
    assert not {cell["key"] for cell in first} & {cell["key"] for cell in second}


def test_the_judged_file_is_the_saved_one_and_the_photo_stays(plan, people, tmp_path):
    before = people.probes[0].photo.read_bytes()
    (quality, scores) = run.run(plan(Loads(), names=("pgd",)), silent)
    assert people.probes[0].photo.read_bytes() == before
    files = sorted((tmp_path / "bench" / "photos").glob("*.png"))
    assert len(files) == 4
    judge, probe = tiny.MeanColour(), people.probes[0]
    possible = [judge.compare(file, probe.others) for file in files]
    assert any(scores["probes"][0]["genuine"] == pytest.approx(one, abs=1e-6) for one in possible)
    assert quality["probes"][0]["figures"]["psnr"] > 15


def test_what_encoding_costs_is_a_row_whose_results_are_png(people, tmp_path):
    photo = tiny.picture(tmp_path / "photo.jpg", seed=3)
    probe, load = Probe("ann", photo, people.probes[0].others), Loads()
    lossy, lossless = (
        Workshop(one, tmp_path / "made", load)(probe, 0) for one in (entry("pgd"), entry("pgd").without_loss())
    )
    assert (lossy.file.suffix, lossless.file.suffix) == (".jpg", ".png")
    first, second = (imageio.read(one.file).pixels.astype(int) for one in (lossy, lossless))
    assert 0 < abs(first - second).mean() < 2  # the same change, of which one was encoded
    assert entry("pgd").without_loss().name == "pgd, lossless"


def test_a_photo_without_a_fit_face_is_judged_as_it_is(plan):
    (quality, scores) = run.run(plan(Loads(detect=tiny.detector()), names=("pgd",)), silent)
    assert "no face was found" in quality["probes"][0]["reason"]
    assert quality["probes"][0]["figures"] == {}
    clean = run.run(plan(Loads(), names=("clean",)), silent)[1]
    assert [probe["genuine"] for probe in scores["probes"]] == [probe["genuine"] for probe in clean["probes"]]


def test_linking_compares_results_of_one_person_with_each_other(plan):
    (_, scores) = run.run(plan(Loads(), names=("pgd",)), silent)
    assert [pair[:2] for pair in scores["pairs"]] == [[0, 1], [2, 3]]


def test_ranks_count_everybody_who_is_as_near(people, tmp_path):
    class Says:
        name, thresholds = "says", {0.01: 0.5}

        def compare(self, probe, gallery, *, box=None):
            return [{"own": 0.4, "near": 0.4, "far": 0.1, "blind": None}.get(path.stem, 0.9) for path in gallery]

    probe = replace(people.probes[0], others=(tmp_path / "own",))
    gallery = Gallery({name: tmp_path / name for name in ("near", "far", "blind")} | {"ann": tmp_path / "own"})
    target = Target("t", tmp_path / "x", (tmp_path / "held",))
    found = answers(Says(), [Made(probe, probe.photo, {}, target=target)], gallery, lambda path: path)["probes"][0]
    assert (found["rank"], found["target rank"], found["known"]) == (3, 1, 4)
    assert (found["genuine"], found["targeted"]) == ([0.4], [0.9])


def test_a_target_is_searched_with_by_one_photo_and_scored_by_others(plan, tmp_path):
    paths = [tiny.picture(tmp_path / f"t{index}.png", seed=50 + index) for index in range(3)]
    load = Loads()
    found = run.run(plan(load, names=("pgd",), targets=[Target("t", paths[0], tuple(paths[1:]))]), silent)
    goal = load.tint.goals[0]
    assert (goal.away, goal.towards) == (0.0, 1.0)
    wanted = imageio.read(paths[0]).pixels[:64, :64].mean() / 255
    assert goal.target.crops.mean().item() == pytest.approx(wanted, abs=0.02)
    scores = found[1]
    assert scores["goal"] == "impersonate"
    assert len(scores["probes"][0]["targeted"]) == 2
    assert {table.name for table in findings.tables(Results(found))} >= {"verification", "identification"}


def test_targets_go_by_group_or_in_turn(plan, tmp_path):
    targets = [Target(str(index), tmp_path, (tmp_path,)) for index in range(3)]
    asked = plan(Loads(), targets=targets)
    assert [asked.target(index, None, seed).person for index, seed in ((0, 0), (1, 0), (3, 0), (0, 1))] == list("0101")
    assert asked.target(7, 2, 5).person == "2"


def test_an_aligned_photo_is_its_own_crop(people, tmp_path):
    probe = people.probes[0]
    Image.new("RGB", (64, 64), (99, 99, 99)).save(probe.photo)
    load = Loads(detect=tiny.detector(tiny.face(20, 20, 30)))
    Workshop(entry("pgd"), tmp_path / "made", load, aligned=True)(probe, 0)
    Workshop(entry("pgd"), tmp_path / "made", load)(probe, 0)
    whole, part = (goal.source for goal in load.tint.goals)
    assert whole.points.max() < part.points.max()  # the same face is smaller in a crop that holds the whole photo
    # Corners of the photo are corners of the crop: the left eye is where it is in the photo, four times as large.
    eye = tiny.face(20, 20, 30).points[0]
    assert whole.points[0, 0].numpy() == pytest.approx((eye + 0.5) * 4 - 0.5, abs=0.01)


def test_judges_that_an_attack_looks_into_are_refused(plan, tmp_path):
    sface = Asked(Remembering(tiny.MeanColour("sface"), "cd" * 32, tmp_path), {0.01: 0.9}, "")
    with pytest.raises(BadSetting, match="--judge: sface: pgd looks into it"):
        plans.check_apart([(entry("clean"), [sface]), (entry("pgd"), [sface])])
    plans.check_apart([(entry("pgd").without("sface"), [sface])])


def test_each_surrogate_is_left_out_in_turn():
    judges = {"sface": "S", "dlib": "D"}
    two = entry("pgd", ['models.surrogates=["sface", "sface", "dlib"]'])
    runs = plans.left_out([entry("clean"), two], judges)
    assert [(one.name, one.surrogates, asked) for one, asked in runs] == [
        ("clean", (), ["S", "D"]),
        ("pgd", ("dlib",), ["S"]),
        ("pgd", ("sface",), ["D"]),
    ]


def test_seeds_that_several_judges_share_are_not_counted_as_more(plan):
    def quality(seed, value):
        probes = [{"person": "a", "figures": {"psnr": value}}]
        return {"kind": "quality", "attack": "x", "seed": seed, "probes": probes}

    found = Results([quality(0, 30.0), quality(0, 32.0), quality(1, 34.0)]).quality("x", "psnr")
    assert found.seeds == (31.0, 34.0)


def test_postings():
    assert list(plans.postings([], POSTINGS)) == ["saved"]
    assert list(plans.postings(["all"], POSTINGS)) == ["saved", *POSTINGS]
    with pytest.raises(BadSetting, match="--post: sepia: no such thing"):
        plans.postings(["sepia"], POSTINGS)


def test_another_file_of_weights_is_another_result(people, tmp_path):
    weights = tmp_path / "own.safetensors"
    keys = []
    for content in (b"one", b"other"):
        weights.write_bytes(content)
        changed = entry("mini", [f"models.generator=stylegan2:{weights}"])
        keys.append(Workshop(changed, tmp_path, Loads()).key(people.probes[0], 0))
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("name", "changed", "same"),
    [
        ("clean", "search.apart=1.0", True),
        ("clean", "pixel.steps=3", True),
        ("inverted", "search.apart=1.0", True),
        ("inverted", "tuning.still=0.5", False),
        ("pgd", "search.apart=1.0", True),
        ("pgd", "tip_im.steps=3", True),
        ("pgd", "pixel.steps=3", False),
        ("pgd", "strength=0.7", False),
        ("pgd", "models.surrogates=['dlib']", False),
        ("pgd", "search.views.blur=1.0", False),  # by which its chance is told
        ("tip-im", "pixel.steps=3", True),
        ("tip-im", "search.decoy=0.5", False),
        ("default", "search.apart=1.0", False),
        ("default", "tip_im.steps=3", True),
    ],
)
def test_a_result_is_made_again_for_a_setting_that_it_depends_on_and_for_no_other(
    people, tmp_path, name, changed, same
):
    keys = {
        Workshop(entry(name, overrides), tmp_path, Loads()).key(people.probes[0], 0) for overrides in ([], [changed])
    }
    assert (len(keys) == 1) == same


def test_another_attack_s_file_changes_no_result_and_its_own_does(people, tmp_path):
    weights = tmp_path / "G.pth"
    weights.write_bytes(b"weights")
    asked = [f"amt_gan.weights={weights}"]
    for name, same in (("pgd", True), ("amt-gan", False)):
        keys = {Workshop(entry(name, one), tmp_path, Loads()).key(people.probes[0], 0) for one in ([], asked)}
        assert (len(keys) == 1) == same


def test_an_attack_that_there_is_not_is_said_in_a_sentence(people, tmp_path):
    with pytest.raises(BadSetting, match="attack: pgdd: no such attack; did you mean pgd"):
        Workshop(entry("default", ["attack=pgdd"]), tmp_path, Loads()).key(people.probes[0], 0)


def test_every_part_that_an_attack_reads_is_one_of_a_recipe():
    parts = {part for known in ATTACKS.values() for part in known.parts}
    assert parts < {part.name for part in fields(Recipe)}
    assert set(SHARED) < {setting.name for setting in fields(Search)}


# -- judges that remember


class Looks:
    """A judge that finds one face of two numbers, and counts how often it looked."""

    def __init__(self):
        self.count = 0
        self.judge = Judge("looks", {0.01: 0.5}, self.look, cosine)

    def look(self, pixels):
        self.count += 1
        return [Seen((0.0, 0.0, 4.0, 4.0), pixels.mean((0, 1))[:2])] if pixels.any() else []


def test_each_photo_is_looked_at_once_whatever_it_is_called(tmp_path):
    first, second = (tiny.picture(tmp_path / name, seed=seed) for seed, name in enumerate(("a.png", "b.png")))
    copy = tmp_path / "c.png"
    copy.write_bytes(first.read_bytes())
    black = tmp_path / "black.png"
    Image.new("RGB", (8, 8)).save(black)
    looks, plain = Looks(), Looks().judge
    for _ in range(2):
        judge = Remembering(looks.judge, "ef" * 32, tmp_path / "seen")
        assert judge.compare(first, [second, copy, black]) == plain.compare(first, [second, copy, black])
        assert judge.compare(black, [first]) == [None]
    assert looks.count == 3
    assert judge.embedding(black) is None
    assert judge.embedding(first) is not None


def test_what_is_kept_and_broken_is_made_again(tmp_path):
    photo, looks = tiny.picture(tmp_path / "a.png"), Looks()
    wanted = Remembering(looks.judge, "ef" * 32, tmp_path / "seen").compare(photo, [photo])
    (kept,) = (tmp_path / "seen").rglob("*.npy")
    kept.write_bytes(b"broken")
    assert Remembering(looks.judge, "ef" * 32, tmp_path / "seen").compare(photo, [photo]) == wanted
    assert looks.count == 2


def test_a_judge_that_only_compares_is_asked_once_about_each_pair(tmp_path):
    first, second = (tiny.picture(tmp_path / name, seed=seed) for seed, name in enumerate(("a.png", "b.png")))
    asked = partial(Remembering, tiny.MeanColour(), "ef" * 32, tmp_path / "seen")
    judge = asked()
    wanted = judge.compare(first, [second, first])
    assert (wanted, judge.looks) == (tiny.MeanColour().compare(first, [second, first]), 2)
    again = asked()
    assert again.compare(first, [second, first]) == wanted
    assert again.looks == 0
    assert again.embedding(first) is None


def test_names_of_judges_hold_no_folders(tmp_path):
    assert Remembering(tiny.MeanColour("onnx:/home/x/m.onnx"), "ef" * 32, tmp_path).name == "onnx:m"
    assert cells.path(tmp_path, "onnx:m", "ef" * 32).parent == tmp_path
