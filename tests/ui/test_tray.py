"""What is kept, under which names, and for how long."""

import pytest

from kohl.ui import tray
from kohl.ui.refusals import Refused


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("me.jpg", "me.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me.JPG", "me.JPG"),
        ("..", "photo"),
        ("", "photo"),
        (None, "photo"),
        ("a\0b\r\nc\x1b[31m.png", "abc[31m.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ("me and you.webp", "me and you.webp"),
        ("grüße 🙂.png", "grüße 🙂.png"),
        ("x" * 500 + ".jpg", "x" * 100 + ".jpg"),
        (".hidden", "hidden"),
    ],
)
def test_a_name_is_only_a_name(given, name):
    assert tray.plain_name(given) == name


def test_no_name_leads_out_of_the_folder(tmp_path):
    kept = tray.Tray(tmp_path).place("../../x.PNG")
    assert kept.path == tmp_path / kept.id / "photo.png"
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert tray.Tray(tmp_path).place("x.php").path.name == "photo"


def test_there_is_an_end_to_what_is_kept(tmp_path):
    few = tray.Tray(tmp_path, most=2)
    first = few.place("a")
    few.place("b")
    with pytest.raises(Refused, match="too many photos"):
        few.place("c")
    few.forget(first)
    few.place("c")
    full = tray.Tray(tmp_path, most_bytes=100)
    full.place("a").size = 100
    with pytest.raises(Refused) as refused:
        full.place("b")
    assert refused.value.code == 429


def test_what_nobody_asks_for_gets_old(tmp_path):
    short = tray.Tray(tmp_path, keep_s=-1.0)
    kept = short.place("a")
    assert short.old() == [kept]
    long = tray.Tray(tmp_path)
    assert long.find(long.place("a").id)
    assert long.old() == []
