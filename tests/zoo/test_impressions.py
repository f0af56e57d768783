"""What people see in a face, read off embeddings: the bundled maps, what straying costs, and who is of a kind."""

import bundled
import pytest
import torch
from safetensors.torch import save_file

from kohl import recipe
from kohl.align.crop import SIZE
from kohl.errors import BadModel
from kohl.geometry import resized
from kohl.perturb.terms import Surrogate
from kohl.recipe import Models
from kohl.zoo import cards
from kohl.zoo.impressions import RATINGS, SIDES, Impressions, strayed

SEX, SKIN = RATINGS.index("gender"), RATINGS.index("skin-color")
SURROGATES = sorted(set(Models().surrogates))


@pytest.fixture(scope="module")
def impressions():
    return bundled.load("impressions")


@pytest.fixture(scope="module")
def decoys():
    """Every eighth of the decoys, by number."""
    found = bundled.load("decoys")
    return {number: found[number] for number in range(0, len(found), 8)}


def moved(**ratings):
    """Ratings (1, all) that moved by so much, the others by nothing."""
    return torch.tensor([[ratings.get(name, 0.0) for name in RATINGS]])


@pytest.mark.parametrize(
    ("ratings", "cost"),
    [
        ({}, 0.0),
        ({"gender": 0.25, "age": 0.25, "attractive": -0.25, "weight": -0.25}, 0.0),  # nobody sees it
        ({"gender": 1.25}, 2 / 4),
        ({"gender": -1.25}, 2 / 4),
        ({"age": 1.25}, 1 / 4),
        ({"age": -3.0, "attractive": 3.0}, 0.0),  # who would mind?
        ({"attractive": -1.25}, 1 / 4),
        ({"weight": 0.75, "age": 2.25}, (0.25 + 4) / 4),
        (dict.fromkeys(RATINGS[len(SIDES) :], 5.0), 0.0),  # they only say who is of a kind
    ],
)
def test_straying_is_the_mean_square_of_what_goes_where_it_should_not(ratings, cost):
    assert strayed(moved(**ratings)).tolist() == pytest.approx([cost])


def test_faces_stray_one_by_one_and_a_slope_leads_back():
    both = torch.cat([moved(gender=1.25), moved(age=2.25)]).requires_grad_()
    found = strayed(both)
    assert found.tolist() == pytest.approx([0.5, 1.0])
    (slope,) = torch.autograd.grad(found.sum(), both)
    assert slope[0].nonzero().tolist() == [[SEX]]
    assert (slope >= 0).all()


@pytest.mark.parametrize("name", SURROGATES)
def test_every_recogniser_of_the_default_recipe_sees_as_people_do(impressions, decoys, name):
    surrogate = Surrogate(bundled.SHELF(cards.encoder, name), 0.0)
    rated = torch.cat([impressions.rated(name, surrogate.embed(decoy)) for decoy in decoys.values()])
    kept = impressions._tensors["decoys"][list(decoys)]  # by all of them together
    for one in range(len(RATINGS)):
        assert torch.corrcoef(torch.stack([rated[:, one], kept[:, one]]))[0, 1] > 0.75, RATINGS[one]


def test_one_that_nobody_fitted_is_not_known(impressions):
    assert impressions.of("ir152") is None


def test_decoys_of_a_kind_are_those_that_people_see_alike(impressions):
    ratings = impressions._tensors["decoys"]
    assert len(bundled.load("decoys")) == len(ratings)
    for number in range(0, len(ratings), 8):
        kin = impressions.kin(ratings[number], 24)
        assert number in kin
        assert kin == sorted(set(kin))
        assert len(kin) == 24
        if abs(ratings[number, SEX]) > 0.5:
            same = (ratings[kin, SEX] > 0) == (ratings[number, SEX] > 0)
            assert same.float().mean() > 0.9
        spread, all_of_them = ((ratings[of, SKIN] - ratings[number, SKIN]).abs().mean() for of in (kin, slice(None)))
        assert spread < all_of_them


def kept(*settings):
    """The house of the default recipe with these settings."""
    return bundled.house(recipe.override(recipe.load("default"), settings))


def test_a_house_draws_from_decoys_of_the_face_s_kind(impressions):
    house, decoys = kept(), bundled.load("decoys")
    sexes = impressions._tensors["decoys"][:, SEX]
    man, woman = int(sexes.argmax()), int(sexes.argmin())
    his, hers = (house.kin(decoys[number]) for number in (man, woman))
    assert len(set(his)) == len(set(hers)) == 48
    assert (sexes[his] > 0).float().mean() > 0.9
    assert (sexes[hers] < 0).float().mean() > 0.9
    assert all(surrogate.impressions is not None for surrogate in house.surrogates)


def test_a_large_face_is_seen_at_the_size_of_a_crop():
    house, large = kept(), resized(bundled.load("decoys")[5], 1024)
    grain = torch.rand(large.crops.shape, generator=torch.Generator().manual_seed(0)) - 0.5
    grained = large.with_crops((large.crops + grain).clamp(0, 1))
    assert house.kin(grained) == house.kin(resized(grained, SIZE))


@pytest.mark.parametrize("settings", [("search.keep=0.0",), ("search.decoy=0.0",)])
def test_where_no_impression_is_kept_or_no_decoy_drawn_all_are_of_a_kind(settings):
    house = kept(*settings)
    assert house.kin is None
    if settings == ("search.keep=0.0",):
        assert all(surrogate.impressions is None for surrogate in house.surrogates)


def test_a_file_without_tensors_is_refused(tmp_path):
    (tmp_path / "impressions.safetensors").write_bytes(b"none")
    with pytest.raises(BadModel, match=r"impressions\.safetensors"):
        Impressions(tmp_path / "impressions.safetensors")


def test_ratings_are_a_linear_map_of_embeddings(tmp_path):
    tensors = {"toy": torch.eye(2, 8), "toy.middle": torch.full((8,), 0.5), "decoys": torch.zeros(3, 8)}
    save_file(tensors, tmp_path / "toy.safetensors")
    toy = Impressions(tmp_path / "toy.safetensors")
    assert toy.rated("toy", torch.tensor([[0.25, -1.0]])).tolist() == [[0.75, -0.5, *[0.5] * 6]]
    assert torch.equal(toy.of("toy"), tensors["toy"])
