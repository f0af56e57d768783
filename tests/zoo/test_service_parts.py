"""What services have in common: the signature, pauses, the picture that leaves, and bounds."""

import random
import time
from email.utils import formatdate
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from kohl.errors import Unavailable
from kohl.zoo.services import tc3
from kohl.zoo.services.again import FIRST_S, LONGEST_S, PATIENT_S, TRIES, Paced
from kohl.zoo.services.picture import SHORTEST, cut
from kohl.zoo.services.service import Busy, Keys, inside, said
from kohl.zoo.services.terms import TERMS
from kohl.zoo.services.wire import Reply, Wire


def test_the_signature_is_that_of_tencents_documentation():
    # https://www.tencentcloud.com/document/product/1150/49447, with its example's key.
    given = tc3.authorization(
        {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"},
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}',
        service="cvm",
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        timestamp=1551113065,
    )
    assert given == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


# Pauses


class Clock:
    def __init__(self):
        self.now, self.pauses, self.rng = 100.0, [], random.Random(0)

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def paced(self, every_s):
        return Paced(every_s, clock=lambda: self.now, sleep=self.sleep, rng=self.rng)


def test_no_two_requests_are_closer_than_is_allowed():
    clock, asked = Clock(), []
    paced = clock.paced(1.0)
    for _ in range(3):
        paced(lambda: asked.append(clock.now))
        clock.now += 0.25  # what an answer takes
    clock.now += 9
    paced(lambda: asked.append(clock.now))
    assert asked == pytest.approx([100, 101, 102, 111.25])
    assert clock.pauses == pytest.approx([0.75, 0.75])


def test_pauses_double_are_random_and_end():
    clock = Clock()

    def never():
        raise Busy("answers 429")

    for _ in range(300):
        with pytest.raises(Unavailable, match=f"answers 429, {TRIES} times; ask later"):
            clock.paced(0)(never)
    by_try = np.array(clock.pauses).reshape(300, TRIES - 1)
    most = np.minimum(FIRST_S * 2.0 ** np.arange(TRIES - 1), LONGEST_S)
    assert (by_try <= most).all()
    np.testing.assert_allclose(by_try.mean(0), most / 2, rtol=0.15)  # full jitter: half of the longest, on average
    assert by_try.std(0).min() > 0.1


def test_what_the_service_asks_for_is_waited_for():
    clock, answers = Clock(), iter([Busy("", 20.0), Busy("", 0.0), None])

    def ask():
        if (found := next(answers)) is not None:
            raise found
        return clock.now

    assert 120 <= clock.paced(0.5)(ask) <= 123
    assert clock.pauses[0] >= 20
    assert clock.pauses[1] == 0.5  # its own limit still holds
    answers = iter([Busy("is busy", PATIENT_S + 1)])
    with pytest.raises(Unavailable, match="is busy and wants to be left alone for 301 seconds"):
        clock.paced(0)(ask)


def test_other_errors_are_not_tried_again():
    asked = []

    def ask():
        asked.append(1)
        raise Unavailable("refuses")

    with pytest.raises(Unavailable, match="refuses"):
        Clock().paced(0)(ask)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), (" 1.5 ", 1.5), ("-4", 0.0), ("", None), ("soon", None), ("nan", None), ("inf", None)],
)
def test_retry_after_in_seconds(text, seconds):
    assert Reply(503, b"", {"retry-after": text}).busy("").after_s == seconds


def test_retry_after_as_a_date():
    later = formatdate(time.time() + 60, usegmt=True)
    assert Reply(503, b"", {"retry-after": later}).busy("").after_s == pytest.approx(60, abs=2)
    assert Reply(503, b"", {"retry-after": formatdate(0, usegmt=True)}).busy("").after_s == 0
    assert Reply(503, b"", {}).busy("").after_s is None


# The picture


def opened(png):
    with Image.open(BytesIO(png)) as image:
        assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
        return np.asarray(image)


def test_the_part_around_the_face_leaves_as_it_is():
    pixels = np.random.default_rng(1).integers(0, 256, (900, 1000, 3), np.uint8)
    part = opened(cut(pixels, (300, 250, 200, 250), 1024))  # 250 is its longer side, so 500 pixels around its middle
    np.testing.assert_array_equal(part, pixels[125:625, 150:650])


def test_at_the_edge_it_is_cut_off():
    pixels = np.random.default_rng(1).integers(0, 256, (900, 1000, 3), np.uint8)
    np.testing.assert_array_equal(opened(cut(pixels, (-20, 700, 300, 300), 1024)), pixels[550:, :430])


@pytest.mark.parametrize("box", [(10, 10, 5, 5), (-50, -50, 3, 3), (5000, 5000, 9, 9), (0.4, 0.4, 0.01, 0.01)])
def test_whatever_the_box_there_is_a_picture_of_a_fair_size(box):
    assert max(opened(cut(np.zeros((40, 30, 3), np.uint8), box, 560)).shape) == SHORTEST


def test_too_many_pixels_become_fewer():
    pixels = np.full((3000, 2000, 3), 77, np.uint8)
    part = opened(cut(pixels, (0, 0, 2000, 3000), 560))
    assert part.shape[:2] == (560, round(2000 * 560 / 3000))
    assert (part == 77).all()


@pytest.mark.parametrize("name", TERMS)
def test_whatever_is_on_it_a_picture_has_fewer_bytes_than_are_allowed(name):
    longest = TERMS[name].longest
    noise = np.random.default_rng(2).integers(0, 256, (longest, longest, 3), np.uint8)
    size = len(cut(noise, (0, 0, longest, longest), longest))
    most = {"facepp": 2e6 / 2, "tencent": 5e6 * 3 / 4}.get(name, 5e6)  # both in one request; in base64; one file
    assert size < most - 1000


# Keys and what is said


def test_keys_are_hidden_even_if_one_is_part_of_another():
    keys = Keys.of(TERMS["facepp"], {"FACEPP_API_KEY": "abc", "FACEPP_API_SECRET": "abcdef"})
    assert keys.hidden("abc, abcdef and abcd") == "…, … and …d"
    assert repr(keys) == "Keys()"


def test_what_a_service_says_is_one_short_line():
    assert said(" a\n\tb ") == "a b"
    assert len(said("x" * 999)) == 121
    assert said(5) == said(None) == said(["x"]) == ""


def test_places_that_are_not_there_hold_nothing():
    found = {"a": [{"b": 1}]}
    assert inside(found, "a", 0, "b") == 1
    assert inside(found, "a", 1, "b") is inside(found, 0) is inside(found, "a", "b") is inside(found, "x", 0) is None


def test_the_wire_says_where_nobody_is():
    with pytest.raises(Busy, match="no connection: "):
        Wire().post("http://127.0.0.1:1/")
