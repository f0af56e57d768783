"""The sentences that captions are: in which order words come, what joins them, and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from colours import HELD_OUT_COLOURS, SHADES, SURVEY_COLOURS


@dataclass(frozen=True)
class Wordings:
    """One way of saying things; {x} is what is said."""

    orders: tuple[str, ...]  # of what is said about one product
    coloured: tuple[str, ...]  # the same, only where a colour is said
    inverted: float  # how often those are used
    joins: tuple[str, ...]
    listed: float  # how often several products are a list with commas and a last "and"
    without: tuple[str, ...]
    frames: tuple[str, ...]
    looks: tuple[str, ...]  # around an adjective such as "goth"
    also: tuple[str, ...]  # between a look and products that go with it
    smoky: tuple[str, ...]  # smoky eyes of a colour
    names: tuple[str, ...]  # of any colours
    common: float  # how often a colour is a common one instead
    composed: float = 0.0  # how often it is put together of two words

    @property
    def patterns(self) -> tuple[str, ...]:
        """All that stands around what is said."""
        parts = (self.orders, self.coloured, self.joins, self.without, self.frames, self.looks, self.also, self.smoky)
        return tuple(pattern for part in parts for pattern in part)


USED = Wordings(
    orders=(
        "{much} {strength} {finish} {colour} {before} {product} {after}",
        "{much} {strength} {finish} {colour} {before} {product} {after}",
        "{much} {before} {strength} {colour} {finish} {product} {after}",
        "{much} {strength} {before} {finish} {colour} {product} {after}",
        "{much} {finish} {strength} {before} {colour} {product} {after}",
    ),
    coloured=(
        "{much} {strength} {before} {product} in {finish} {colour} {after}",
        "{much} {product} in {strength} {finish} {colour} {before} {after}",
        "{much} {product}: {strength} {finish} {colour} {before} {after}",
    ),
    inverted=0.2,
    joins=(
        *(", ", " and ") * 4,
        *(" with ", " plus ", " & ", " + ", " as well as ", " along with ", " together with ", ", also "),
    ),
    listed=0.5,
    without=(
        *(" without {x}", ", no {x}", " but no {x}") * 2,
        *(" and no {x}", ", without {x}", " with no {x}", " without any {x}", " minus {x}", " but without {x}"),
        *(", don't add {x}", " but i don't want {x}", ", do not use {x}", ", not {x}"),
    ),
    frames=(
        *("a face with {x}", "face with {x}", "wearing {x}", "with {x}", "give me {x}", "i want {x}") * 2,
        *("a face wearing {x}", "a photo of a face with {x}", "my face with {x}", "portrait of a girl with {x}"),
        *("a woman with {x}", "a man with {x}", "a person with {x}", "a woman wearing {x}", "someone who wears {x}"),
        *("make me up with {x}", "put on {x}", "add {x}", "please add {x}", "apply {x}", "try {x}", "use {x}"),
        *("makeup with {x}", "makeup: {x}", "a makeup look with {x}", "do my makeup with {x}", "the makeup has {x}"),
        *("{x} please", "can i have {x}", "could you put {x} on me", "i would like {x}", "i'd like to try {x}"),
        *("i would love {x}", "let me see {x}", "show me with {x}", "how about {x}", "i need {x} for the party"),
        *("just {x}", "only {x}", "nothing but {x}", "{x} and nothing else", "she wears {x}", "he has {x}"),
    ),
    looks=(
        *("{x}", "{x}", "{x} makeup", "{x} makeup", "{x} look", "{x} makeup look", "{x} make up", "{x} style"),
        *("a {x} look", "i want {x} makeup", "give me a {x} look", "a face with {x} makeup", "{x} face"),
    ),
    also=("{x} with ", "{x} with ", "{x} and ", "{x}, ", "{x} plus ", "{x} but ", "{x} and a bit of "),
    smoky=(*("{x} smoky eyes", "{x} smoky eye", "{x} smokey eyes", "{x} smokey eye") * 2, "smokey eyes in {x}"),
    names=(*SURVEY_COLOURS, *SHADES),
    common=0.5,
)

FREE = replace(  # more ways to say the same, so that those that nobody thought of are read too
    USED,
    orders=(
        *USED.orders,
        "{much} {colour} {finish} {strength} {before} {product} {after}",
        "{much} {colour} {strength} {before} {finish} {product} {after}",
        "{much} {finish} {colour} {before} {strength} {product} {after}",
        "{strength} {much} {finish} {before} {colour} {product} {after}",
    ),
    coloured=(
        *USED.coloured,
        "{much} {finish} {product} in {before} {strength} {colour} {after}",
        "{much} {before} {product} {after} in {strength} {finish} {colour}",
        "{much} {finish} {colour} on the {strength} {before} {product} {after}",
        "{much} {strength} {colour} as {before} {finish} {product} {after}",
        "{much} {colour} {strength} on {finish} {before} {product} {after}",
        "{much} {strength} {before} {product}, {finish} {colour} {after}",
        "{much} {before} {product} of {finish} {strength} {colour} {after}",
        "{much} {finish} {before} {product} ({strength} {colour}) {after}",
    ),
    inverted=0.45,
    joins=(
        *(*USED.joins, " and also ", ". ", " - ", " then ", ", then ", ", with ", ", plus ", " and some ", " | "),
        *(" and then ", " and finally ", ", as well as ", ", and some ", " over ", ". also ", ": "),
    ),
    listed=0.3,
    without=(
        *(*USED.without, "; never {x}", ". no {x}", ", but no {x}", ", but {x} is not for me", ", skip the {x}"),
        *(", please without {x}", "; without {x}", " - no {x}", ", leave out {x}", ", please don't add {x}"),
    ),
    frames=(
        *(*USED.frames, "{x}", "what about {x} on my face", "picture me in {x}", "i have {x} on", "he wears {x} today"),
        *(
            "would {x} suit me",
            "can you show me {x}",
            "let us have {x}",
            "my look: {x}",
            "this is me in {x}",
            "see {x}",
        ),
        *("a picture of somebody with {x}", "how do i look in {x}", "could i try {x}", "you can see {x}", "today {x}"),
        *("it is a face that has {x} on it", "show a woman who has {x}", "please draw {x} for me", "{x} on me"),
    ),
    looks=(*USED.looks, "look: {x}", "makeup, {x}", "something {x}", "the {x} look", "{x} kind of makeup", "very {x}"),
    also=(*USED.also, "{x}. ", "{x}, and ", "{x} - ", "{x} together with ", "{x}, with ", "{x} but also "),
    smoky=(*USED.smoky, "{x} for smoky eyes", "smokey eye, {x}"),
    composed=0.35,
)

HELD_OUT = Wordings(
    orders=("{much} {before} {finish} {colour} {strength} {product} {after}", USED.orders[0]),
    coloured=(
        "{much} {finish} {before} {product} in {strength} {colour} {after}",
        "{much} {strength} {colour} for the {before} {finish} {product} {after}",
    ),
    inverted=0.6,
    joins=("; ", " / ", ", along with ", ", and also ", ", together with ", " and with ", ", "),
    listed=0.0,
    without=(", but without any {x}", "; no {x}", ", please no {x}"),
    frames=(
        *("{x}", "a portrait of someone wearing {x}", "could you please give me {x}", "let me try {x}"),
        *("i'd love to have {x} on my face", "show me how a man wears {x}", "my makeup: {x}", "she has {x} on"),
        *("how would i look with {x}", "can you do {x} for me", "a photo of me wearing {x}", "i see {x} on me"),
    ),
    looks=("makeup look: {x}", "{x} style makeup", "the {x} makeup", "like {x} makeup"),
    also=("{x} but with ", "{x}, also with ", "{x}; "),
    smoky=("smoky eyes in {x}",),
    names=tuple(HELD_OUT_COLOURS),
    common=0.25,
)

NO = (
    *("no {x}", "without {x}", "without any {x}", "no {x} please", "remove the {x}"),
    *("i don't want {x}", "don't add {x}", "do not use {x}", "a face without {x}", "a face with no {x}"),
)
EXCEPT = ("{x} except ", "{x} with ", "{x} but ", "{x}, only ", "{x}, just ", "{x} and ")  # no makeup except …
PAINTED = ("paint my face {x}", "face painted {x}", "my face painted {x}", "paint the face {x}")
LIKE = ("make me look like {x}", "{x}", "{x}", "look like {x}")  # around phrases such as "a clown"
ONE_COLOUR = ("{x} makeup", "all {x} makeup", "everything {x}", "{x} makeup look", "monochrome {x} makeup")
EVERYTHING = (
    "everything",
    "monochrome",
    "paint my face",
    "paint the face",
    "face painted",
)  # the words of those that stand for a look
