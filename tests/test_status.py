"""The worst of all photos decides about a run."""

import json

import pytest

from kohl.status import Exit, Status


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["protected"], 0),
        (["protected", "not_protected"], 3),
        (["no_face"], 3),
        (["protected", "no_face", "failed"], 1),
        ([], 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst(statuses, code):
    assert Exit.of(map(Status, statuses)) == code


def test_json_says_it_as_a_word():
    assert json.dumps([*Status]) == '["protected", "not_protected", "no_face", "failed", "skipped", "left_out"]'
