"""Data sets: folders, the published lists, and what is done with files that are missing or broken."""

from pathlib import Path

import pytest
from PIL import Image

from kohl.bench import data, lists
from kohl.bench.data import Probe
from kohl.errors import BadSetting


@pytest.fixture
def make(tmp_path):
    def make(*names, content=None):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                Image.new("RGB", (8, 8), (90, 90, 90)).save(path)
            else:
                path.write_text(content)
        return tmp_path

    return make


def compared(found):
    """By photo, what it is compared with: names alone."""
    return {probe.photo.name: [other.name for other in probe.others] for probe in found.probes}


def test_people_are_folders_and_each_photo_is_compared_with_the_persons_others(make):
    root = make("p/ann/1.jpg", "p/ann/2.jpg", "p/bob/3.png")
    make("p/ann/notes.txt", "p/empty/x.txt", content="no photo")
    found = data.people(root / "p")
    assert compared(found) == {"1.jpg": ["2.jpg"], "2.jpg": ["1.jpg"], "3.png": ["3.png"]}
    assert found.people == ("ann", "bob")
    assert "1 photos are the only one" in found.notes[0]


def test_photos_without_folders_are_of_people_who_are_all_different(make):
    found = data.people(make("p/1.jpg", "p/2.jpg") / "p")
    assert [(probe.person, probe.others) for probe in found.probes] == [
        ("1", (found.probes[0].photo,)),
        ("2", (found.probes[1].photo,)),
    ]


def test_fewer_takes_people_in_turn_and_keeps_what_they_are_compared_with(make):
    root = make(*(f"p/{name}/{index}.jpg" for name in ("ann", "bob", "cat") for index in range(4)))
    found = data.fewer(data.people(root / "p"), people=["ann", "cat"], every=2, most=3)
    assert [(probe.person, probe.photo.name) for probe in found.probes] == [
        ("ann", "0.jpg"),
        ("cat", "0.jpg"),
        ("ann", "2.jpg"),
    ]
    assert all(len(probe.others) == 3 for probe in found.probes)
    with pytest.raises(BadSetting, match="dan: is not in p"):
        data.fewer(found, people=["dan"])


def test_missing_and_broken_files_are_listed_and_their_pairs_go(make):
    root = make("a.jpg", "b.jpg", "c.jpg")
    make("broken.jpg", content="no picture")
    rows = ["photo,other,person,same", "a.jpg,b.jpg,ann,1", "a.jpg,broken.jpg,ann,1", "c.jpg,gone.jpg,cat,1"]
    make("pairs.csv", content="\n".join([*rows, "a.jpg,gone.jpg,,0", "a.jpg,c.jpg,,0"]))
    found = data.fit(lists.data_set([root / "pairs.csv"]))
    assert compared(found) == {"a.jpg": ["b.jpg"]}
    assert found.strangers == ((root / "a.jpg", root / "c.jpg"),)
    said = {bad.path.name: bad.reason for bad in found.bad}
    assert set(said) == {"broken.jpg", "gone.jpg", "c.jpg"}
    assert "no such file" in said["gone.jpg"]
    assert "nothing that it is compared with" in said["c.jpg"]


def test_a_set_without_a_photo_that_can_be_read_is_refused(make):
    make("p/ann/1.jpg", "p/ann/2.jpg", content="no picture")
    with pytest.raises(BadSetting, match="there is nothing to measure on"):
        data.fit(data.people(make() / "p"))


PAIRS = "10\t1\nAnn_Lee\t1\t4\nAnn_Lee\t2\t4\nAnn_Lee\t1\tBob\t23\n"


def test_official_pairs_of_lfw(make):
    root = make("pairs.txt", content=PAIRS)
    found = lists.data_set([root / "pairs.txt", root / "lfw"])
    images = root / "lfw"
    assert found.probes == (
        Probe(
            "Ann_Lee",
            images / "Ann_Lee/Ann_Lee_0004.jpg",
            (images / "Ann_Lee/Ann_Lee_0001.jpg", images / "Ann_Lee/Ann_Lee_0002.jpg"),
        ),
    )
    assert found.strangers == ((images / "Ann_Lee/Ann_Lee_0001.jpg", images / "Bob/Bob_0023.jpg"),)


def test_lists_of_names_and_two_ids(make):
    root = make("list.txt", content="Ann\t1\t2\nBob\tx.png\t3\n")
    found = lists.data_set([root / "list.txt", root / "lfw"])
    assert compared(found) == {"Ann_0002.jpg": ["Ann_0001.jpg"], "Bob_0003.jpg": ["x.png"]}


def test_celeba_hq_is_grouped_by_celebas_identities(make):
    root = make("hq/0.jpg", "hq/1.jpg", "hq/2.png", "hq/3.jpg")
    mapping = (
        "idx    orig_idx  orig_file\n0  119613  119614.jpg\n1  99093  099094.jpg\n2  5  000006.jpg\n3 7 000008.jpg\n"
    )
    make("map.txt", content=mapping)
    make("identity.txt", content="119614.jpg 28\n000006.jpg 28\n099094.jpg 5\n000007.jpg 9\n")
    found = lists.data_set([root / "hq", root / "map.txt", root / "identity.txt"])
    assert [(probe.person, probe.photo.name) for probe in found.probes] == [
        ("28", "0.jpg"),
        ("28", "2.png"),
        ("5", "1.jpg"),
    ]
    assert "1 images show people whom identity.txt does not name" in found.notes


def test_two_folders_with_equal_names_and_a_namesake_that_is_missing(make):
    root = make("a/1.jpg", "a/2.jpg", "b/1.png")
    found = data.fit(lists.data_set([root / "a", root / "b"]))
    assert compared(found) == {"1.jpg": ["1.png"]}
    assert {bad.path for bad in found.bad} == {root / "b/2.jpg", root / "a/2.jpg"}


def test_ladn_has_four_groups_of_83_and_says_so(make):
    found = lists.data_set([make(*(f"l/{index:03}.jpg" for index in range(332))) / "l"], "ladn")
    assert [sum(probe.group == group for probe in found.probes) for group in range(4)] == [83] * 4
    assert found.probes[83].photo.name == "083.jpg"
    assert "never published" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pairs.txt", "10 1\nAnn 1\n", "line 2 must be NAME i j or NAME i NAME j"),
        ("pairs.txt", "10 1\n../x 1 2\n", "names people and their photos, not paths"),
        ("pairs.txt", "10 1\n.. 1 2\n", "names people and their photos, not paths"),
        ("list.txt", "Ann\t1\n", "line 1 must be NAME, id1 and id2"),
        ("list.txt", "Ann\t1\t../../x.jpg\n", "names people and their photos, not paths"),
        ("list.txt", "Ann\t1\t\n", "names people and their photos, not paths"),
    ],
)
def test_lists_with_other_lines_are_refused(make, name, content, said):
    root = make(name, content=content)
    with pytest.raises(BadSetting, match=said):
        lists.data_set([root / name, root])


@pytest.mark.parametrize(
    ("paths", "kind", "said"),
    [
        (["a"], "lfw", "--as lfw: takes PAIRS.txt IMAGES, not 1 paths"),
        (["a"], "folder", "no such kind of data; there are people"),
        (["gone"], None, "gone: cannot be read"),
        (["gone.csv"], None, "gone.csv: this list cannot be read"),
        (["bad.csv"], None, "must name the columns photo and other"),
        (["binary.txt", "a"], "list", "it is no text in UTF-8"),
    ],
)
def test_what_is_no_data_is_refused_in_a_sentence(make, paths, kind, said):
    root = make("bad.csv", content="a,b\n")
    (root / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSetting, match=said):
        lists.data_set([root / Path(path) for path in paths], kind)
