"""Published sentences are read from a list in Python, of which nothing runs."""

import pytest

from kohl.errors import BadModel
from kohl.zoo.text import sentences

LISTS = b"# as published\nimagenet_templates = [\n    'a picture of {}.',\n    'the {} of it',\n]\nothers = []\n"


def written(folder, content):
    path = folder / "sentences.py"
    path.write_bytes(content)
    return path


def test_the_list_of_that_name_is_read(tmp_path):
    for content in (LISTS, LISTS.replace(b"\n", b"\r\n")):
        assert sentences.load(written(tmp_path, content)) == ("a picture of {}.", "the {} of it")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"\0",
        b"imagenet_templates = ",
        b"imagenet_templates = []",
        b"imagenet_templates = ['no words']",
        b"imagenet_templates = ['{} and {}']",
        b"imagenet_templates = ['{.__class__}']",
        b"imagenet_templates = ['{} {0!r}']",
        b"imagenet_templates = [7]",
        b"imagenet_templates = 'a {}'",
        b"imagenet_templates = [__import__('os').getcwd() + '{}']",
        b"imagenet_templates = ['{}'] * 9",
        b"imagenet_templates = [" + b"'{}', " * 9999 + b"]",
        b"imagenet_templates = ['{}" + b"a" * 999 + b"']",
        b"imagenet_templates = " + b"[" * 60_000,
        b"imagenet_templates = " + b"-" * 60_000 + b"1",
        b"#" * 70_000,
        b"others = ['a {}']",
        b"'\\d'\nothers = ['a {}']",  # which Python warns of
    ],
    ids=lambda content: repr(content[:50]),
)
def test_a_file_of_others_is_refused_and_nothing_in_it_is_run(tmp_path, content):
    with pytest.raises(BadModel, match=r"sentences\.py: .*; fetch the published file\.$"):
        sentences.load(written(tmp_path, content))
