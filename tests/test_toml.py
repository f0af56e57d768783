"""A text that is no table of settings is one ValueError, soon."""

import time

import pytest

from kohl import toml


def test_a_table_comes_back():
    assert toml.parsed("a = [1, {b.c = 2}]\n[d]\ne = -9223372036854775808\n") == {
        "a": [1, {"b": {"c": 2}}],
        "d": {"e": -(2**63)},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 20_000, "nested too deep"),
        ("a = " + "{b=" * 20_000, "nested too deep"),
        ("a = " + "9" * 5000, "digits"),
        ("a = 0x" + "f" * 5000, "a whole number of more than 64 bits"),
        ("a = [[1, {b = 9223372036854775808}]]", "a whole number of more than 64 bits"),
        ("a." * 30_000 + "a = 1", "a line with more than 200 dots"),
        ("[" + "a." * 30_000 + "a]", "a line with more than 200 dots"),
        ("a = 1\na = 2", "overwrite"),
        ("a = \0", "[Ii]nvalid|[Ii]llegal"),
        ("nonsense", "Expected"),
    ],
    ids=["lists", "tables", "digits", "hexadecimal", "one bit too many", "name", "heading", "twice", "NUL", "nonsense"],
)
def test_nonsense_is_refused_in_a_moment(text, said):
    started = time.process_time()
    with pytest.raises(ValueError, match=said):
        toml.parsed(text)
    assert time.process_time() - started < 5


def test_as_many_dots_as_are_allowed_take_no_time():
    line = "a." * (toml.DOTS - 1) + "a{} = 1"
    lines = "\n".join(line.format(number) for number in range(2**16 // len(line)))
    started = time.process_time()
    assert toml.parsed(lines)
    assert time.process_time() - started < 5
