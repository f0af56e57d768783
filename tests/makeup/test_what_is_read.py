"""Sentences, and the looks that they are understood as: written down by hand, checked one by one."""

import random
import sys
import unicodedata

import pytest

from kohl.errors import BadSetting
from kohl.makeup.words.look import Look, sentence
from kohl.makeup.words.reader import read
from kohl.makeup.words.typed import LONGEST

# ruff: noqa: E501 - a sentence and its look stand on one line each

TABLE = [  # what is typed, the look, and what the user is told
    # products, and what is said before or after them
    ("red lipstick", "lipstick: red", ""),
    ("deep red matte lipstick, soft brown eyeshadow", "lipstick: deep red, matte; eyeshadow: soft brown", ""),
    ("matte, deep red lipstick", "lipstick: deep red, matte", ""),
    ("red lipstick, matte", "lipstick: red, matte", ""),
    ("a matte, deep, dark red lipstick", "lipstick: deep dark red, matte", ""),
    ("lips red, eyes blue", "lipstick: red; eyeshadow: blue", ""),
    ("lips red eyes blue", "lipstick: red; eyeshadow: blue", ""),
    ("red lips blue eyes", "lipstick: red; eyeshadow: blue", ""),
    ("red lips, blue eyes and pink cheeks", "lipstick: red; eyeshadow: blue; blush: pink", ""),
    ("lips: red; brows: black\nblush", "lipstick: red; brows: black; blush: as usual", ""),
    ("lipstick (red, matte)", "lipstick: red, matte", ""),
    ("lipstick - red - matte", "lipstick: red, matte", ""),
    ("lipstick = red", "lipstick: red", ""),
    ("RED LIPSTICK!!!", "lipstick: red", ""),
    ("ｒｅｄ\u3000ｌｉｐｓｔｉｃｋ", "lipstick: red", ""),
    ("red lipstick 💄💋", "lipstick: red", ""),
    ("red\x00lip\u200bstick\x1b", "lipstick: red", ""),
    ("red li\xadpst\xadick", "lipstick: red", ""),
    ("five o’clock shadow", "stubble: as usual", ""),
    ("coral lips + peach cheeks", "lipstick: coral; blush: peach", ""),
    ("my face with red lipstick", "lipstick: red", ""),
    ("paint my lips red", "lipstick: red", ""),
    ("my lips in red", "lipstick: red", ""),
    ("give her red lips", "lipstick: red", ""),
    ("can you give me a red lip and a winged liner?", "lipstick: red; eyeliner: winged", ""),
    ("I'd love some coral blush with a bit of gold highlighter", "blush: some coral; highlighter: a bit of gold", ""),
    ("red lipstick, please", "lipstick: red", ""),
    ("mascara black eyeliner", "mascara: as usual; eyeliner: black", ""),
    ("mascara, black eyeliner", "mascara: as usual; eyeliner: black", ""),
    ("deep berry lip, peach blush, champagne lids", "lipstick: deep berry; blush: peach; eyeshadow: champagne", ""),
    (
        "smoky eyes, nude, glossy lips",
        "eyeshadow: strong charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong; lipstick: nude, glossy",
        "",
    ),
    (
        "soft, blended brown eyeshadow and a thin line of black eyeliner",
        "eyeshadow: soft brown, blended; eyeliner: black, thin",
        "",
    ),
    ("copper lids with black smudged liner", "eyeshadow: copper; eyeliner: black, smudged", ""),
    ("heavy black eye makeup", "eyeshadow: heavy black", ""),
    ("cheeks rosy", "blush: rosy", ""),
    ("cherry red lips with a glossy finish", "lipstick: cherry red, glossy", ""),
    ("wine coloured lipstick", "lipstick: wine", ""),
    ("just mascara", "mascara: as usual", ""),
    ("only red lipstick and nothing else", "lipstick: red", ""),
    ("not only lipstick but also blush", "lipstick: as usual; blush: as usual", ""),
    ("don't forget the mascara", "mascara: as usual", ""),
    ("foundation", "foundation: as usual", ""),
    ("matte foundation with contour", "foundation: matte; contour: as usual", ""),
    # lists
    ("pink lips and cheeks", "lipstick: pink; blush: pink", ""),
    ("lips and cheeks in pink", "lipstick: pink; blush: pink", ""),
    ("lipstick and blush in coral", "lipstick: coral; blush: coral", ""),
    ("red lipstick and blush", "lipstick: red; blush: as usual", ""),
    ("lip liner and lipstick in plum", "lip liner: plum; lipstick: plum", ""),
    ("blue lips and blue eyebrows and blue lashes", "lipstick: blue; brows: blue; mascara: blue", ""),
    ("contour and highlighter", "contour: as usual; highlighter: as usual", ""),
    # colours
    ("#aa2233 lipstick", "lipstick: #aa2233", ""),
    ("lipstick #a23", "lipstick: #a23", ""),
    ("lips: #aa2233; eyes: rebeccapurple", "lipstick: #aa2233; eyeshadow: rebeccapurple", ""),
    ("mediumvioletred lipstick", "lipstick: mediumvioletred", ""),
    ("kelly green lipstick", "lipstick: kelly green", ""),
    ("oxblood lipstick", "lipstick: oxblood", ""),
    ("peachy blush", "blush: peachy", ""),
    ("tan lipstick", "lipstick: tan", ""),
    ("rose gold highlighter and rose gold lids", "highlighter: rose gold; eyeshadow: rose gold", ""),
    ("hot pink lips", "lipstick: hot pink", ""),
    ("baby pink blush", "blush: baby pink", ""),
    ("dusty rose lips", "lipstick: dusty rose", ""),
    ("warm brown eyeshadow", "eyeshadow: warm brown", ""),
    ("cool pink lipstick", "lipstick: cool pink", ""),
    ("neon green eyeshadow", "eyeshadow: neon green", ""),
    ("neon eyeshadow", "eyeshadow: neon", ""),
    ("very deep red lipstick", "lipstick: very deep red", ""),
    ("deep matte red lipstick", "lipstick: deep red, matte", ""),
    ("a bit darker red lipstick", "lipstick: a bit darker red", ""),
    ("darker lipstick", "lipstick: darker", ""),
    ("dark lips", "lipstick: dark", ""),
    ("light lips", "lipstick: light", ""),
    ("pale pink lips", "lipstick: pale pink", ""),
    ("light pink blush", "blush: light pink", ""),
    ("soft pink blush", "blush: soft pink", ""),
    ("bright lipstick", "lipstick: bright", ""),
    ("blonde brows", "brows: blonde", ""),
    ("red stubble", "stubble: red", ""),
    ("dark brown brows", "brows: dark brown", ""),
    ("dark foundation", "foundation: dark", ""),
    ("pale skin and red lips", "foundation: pale; lipstick: red", ""),
    ("a lipstick that is darker than red", "lipstick: darker red", ""),
    # two colours of one product
    ("blue and yellow eyeshadow", "eyeshadow: blue on the inner half and yellow on the outer half", ""),
    ("pink/purple eyeshadow", "eyeshadow: pink on the inner half and purple on the outer half", ""),
    ("red and black lipstick", "lipstick: red on the upper lip and black on the lower lip", ""),
    (
        "red lipstick, blue and yellow eyeshadow",
        "lipstick: red; eyeshadow: blue on the inner half and yellow on the outer half",
        "",
    ),
    ("red upper lip, black lower lip", "lipstick: red on the upper lip and black on the lower lip", ""),
    # strengths, finishes and shapes
    ("hardly any blush", "blush: hardly any", ""),
    ("subtle wing", "eyeliner: subtle, winged", ""),
    ("more dramatic eyes", "eyeshadow: dramatic", ""),
    ("warmer blush", "blush: warmer", ""),
    ("sheer lips", "lipstick: sheer", ""),
    ("a touch of blush", "blush: a touch", ""),
    ("lots of mascara", "mascara: lots", ""),
    ("very light blush", "blush: very light", ""),
    ("less blush", "blush: less", ""),
    ("a bit more blush", "blush: a bit more", ""),
    ("more eyeshadow, less blush", "eyeshadow: more; blush: less", ""),
    ("gold glitter on the lids", "eyeshadow: gold, glitter on the lids", ""),
    ("shiny pink lips with gloss", "lipstick: pink, glossy", ""),
    ("thin winged brown eyeliner", "eyeliner: brown, thin, winged", ""),
    ("cut crease eyeshadow in brown", "eyeshadow: brown, cut crease", ""),
    ("ombre pink lips", "lipstick: pink, ombre", ""),
    ("brows, filled in, brown", "brows: brown, filled in", ""),
    ("thick lipstick", "lipstick: as usual", "“thick” says nothing about lipstick"),
    ("light stubble", "stubble: light", ""),
    # words that say more than a product
    ("lip gloss", "lipstick: glossy", ""),
    ("pink lip gloss", "lipstick: pink, glossy", ""),
    ("red lip balm", "lipstick: sheer red, glossy", ""),
    ("cat-eye", "eyeliner: cat eye", ""),
    ("cat eye with blue liner", "eyeliner: blue, cat eye", ""),
    ("guyliner", "eyeliner: smudged", ""),
    ("false lashes", "mascara: very long, thick", ""),
    ("a beard", "stubble: full", ""),
    ("bronzer", "bronzer: as usual", ""),
    ("tan", "foundation: tanned", ""),
    ("tan and freckles", "foundation: tanned; freckles: as usual", ""),
    ("sun tan and freckles", "foundation: tanned; freckles: as usual", ""),
    ("fake tan, brows", "foundation: strong tanned; brows: as usual", ""),
    ("brow gel and concealer", "brows: groomed; concealer: as usual", ""),
    ("concealer, brow gel, lip balm", "concealer: as usual; brows: groomed; lipstick: sheer nude, glossy", ""),
    ("tinted moisturizer and clear mascara", "foundation: sheer; mascara: faint", ""),
    ("hide my dark circles", "concealer: as usual", ""),
    ("kohl", "eyeliner: as usual", ""),
    ("kajal", "eyeliner: as usual", ""),
    # places
    ("dark red lips with black liner on the lips", "lipstick: dark red; lip liner: black", ""),
    ("gold in the outer corner", "eyeshadow: gold in the outer corner", ""),
    ("red on the upper lip", "lipstick: red on the upper lip", ""),
    ("blush on the cheeks", "blush: as usual", ""),
    ("pink blush on my cheeks", "blush: pink", ""),
    ("lipstick in vermillion in the centre on my face", "lipstick: vermillion in the middle", ""),
    ("eyeshadow up to the brows", "eyeshadow: up to the brows", ""),
    ("blue eyeshadow all around the eyes", "eyeshadow: blue all around the eyes", ""),
    ("freckles across the nose", "freckles: across the nose", ""),
    ("white eyeliner on the waterline", "eyeliner: white on the waterline", ""),
    ("brown eyeshadow with gold in the inner corner", "eyeshadow: brown and gold in the inner corner", ""),
    # two colours
    ("gold and silver eyes", "eyeshadow: gold on the inner half and silver on the outer half", ""),
    (
        "pink, purple and blue eyeshadow",
        "eyeshadow: pink on the inner half and purple on the outer half and blue in the crease",
        "",
    ),
    ("black and white eyeliner", "eyeliner: black on the upper lash line and white on the lower lash line", ""),
    ("eyeshadow in blue and yellow", "eyeshadow: blue on the inner half and yellow on the outer half", ""),
    ("half blue half pink eyeshadow", "eyeshadow: blue on the inner half and pink on the outer half", ""),
    (
        "blu and yelow eyshadow",
        "eyeshadow: blue on the inner half and yellow on the outer half",
        "read “yelow” as “yellow”; read “eyshadow” as “eyeshadow”",
    ),
    ("green to blue eyeshadow", "eyeshadow: green on the inner half and blue on the outer half", ""),
    (
        "orange to pink ombre eyeshadow",
        "eyeshadow: orange, ombre on the inner half and pink, ombre on the outer half",
        "",
    ),
    ("ombre lips, black to red", "lipstick: black on both lips and red in the middle", ""),
    ("two tone lips red and black", "lipstick: red on the upper lip and black on the lower lip", ""),
    ("half red half white face paint", "face paint: red on the left half and white on the right half", ""),
    ("blue eyeshadow on the left eye only", "eyeshadow: blue on the left half", ""),
    ("blue eyeshadow, left eye only", "eyeshadow: blue on the left half", ""),
    (
        "blue eyeshadow on the left eye and green on the right",
        "eyeshadow: blue on the left half and green on the right half",
        "",
    ),
    ("left eye blue, right eye green", "eyeshadow: blue on the left half and green on the right half", ""),
    ("one eye blue, the other green", "eyeshadow: blue on the left half and green on the right half", ""),
    ("gold in the inner corner of the left eye", "eyeshadow: gold in the inner corner on the left half", ""),
    ("blush only on the left cheek", "blush: on the left half", ""),
    (
        "pink blush on the left cheek, peach on the right cheek",
        "blush: pink on the left half and peach on the right half",
        "",
    ),
    ("blush, a bit more on the left cheek", "blush: on the right half and on the left half, a bit more", ""),
    ("stronger blush on the left than on the right", "blush: on the left half, stronger and on the right half", ""),
    ("darker lipstick on the lower lip than on the upper", "lipstick: darker on the lower lip and on top", ""),
    ("eyeliner, but thinner on the right eye", "eyeliner: on the left half and on the right half, thinner", ""),
    ("eyeliner on my left eye", "eyeliner: on the left half", ""),
    ("a wing on the right eye", "eyeliner: winged on the right half", ""),
    ("darken the left brow only", "brows: darker on the left half", ""),
    ("highlighter on the left cheekbone", "highlighter: on the cheekbones on the left half", ""),
    ("red lipstick on the left half of the lips", "lipstick: red on the left half", ""),
    ("black lips with the left eye in green", "lipstick: black; eyeshadow: green on the left half", ""),
    ("eyeliner, not on the left eye", "eyeliner: on the right half", ""),
    ("eyeshadow everywhere but the left eye", "eyeshadow: on the right half", ""),
    ("rouge on the left cheek, none on the right", "blush: on the left half", ""),
    ("upper lashes only", "mascara: on the upper lashes", ""),
    ("mascara but not on the lower lashes", "mascara: on the upper lashes", ""),
    (
        "smoky eyes on the right eye only",
        "eyeshadow: strong charcoal, smoky on the right half; eyeliner: strong black, thick, smudged on the right half; mascara: strong on the right half",
        "",
    ),
    (
        "smoky eyes, but not on the left eye",
        "eyeshadow: strong charcoal, smoky on the right half; eyeliner: strong black, thick, smudged on the right half; mascara: strong on the right half",
        "",
    ),
    (
        "purple and pink eyeshadow and lipstick",
        "eyeshadow: purple on the inner half and pink on the outer half; lipstick: as usual",
        "",
    ),
    ("red or pink lipstick", "lipstick: red", "lipstick is drawn in one colour: red, not pink"),
    ("pink nude lipstick", "lipstick: pink nude", ""),
    ("brownish pink lips", "lipstick: brownish pink", ""),
    # places, one coat each
    ("yellow eyeshadow inside and blue outside", "eyeshadow: yellow on the inner half and blue on the outer half", ""),
    ("eyeshadow: gold inner, brown outer", "eyeshadow: gold on the inner half and brown on the outer half", ""),
    ("gold on the lid and brown in the outer corner", "eyeshadow: gold on the lids and brown in the outer corner", ""),
    ("gold lids with brown in the crease", "eyeshadow: gold and brown in the crease", ""),
    (
        "champagne lids, brown crease, black outer corner",
        "eyeshadow: champagne and brown in the crease and black in the outer corner",
        "",
    ),
    ("purple in the crease and silver on the lid", "eyeshadow: silver on the lids and purple in the crease", ""),
    ("soft pink lids with darker crease", "eyeshadow: soft pink and darker soft pink in the crease", ""),
    ("a bit of shimmer in the inner corners of my eyes", "eyeshadow: a bit, shimmer in the inner corner", ""),
    (
        "soft smoky eye with a touch of gold in the center of the lid",
        "eyeshadow: soft brown, blended and a touch of gold in the middle",
        "",
    ),
    ("silver inner corners and black wing", "eyeshadow: silver in the inner corner; eyeliner: black, winged", ""),
    ("inner corner highlight", "highlighter: in the inner corner", ""),
    ("highlighter on the brow bone", "highlighter: under the brows", ""),
    ("highlight on cheekbones and tip of nose", "highlighter: on the cheekbones and on the nose", ""),
    ("highlighter on my nose, not on my cheeks", "highlighter: on the nose", ""),
    ("white waterline and black winged liner", "eyeliner: black, winged and white on the waterline", ""),
    ("black eyeliner, nude on my waterline", "eyeliner: black and nude on the waterline", ""),
    ("red lips, white waterline, black wing", "lipstick: red; eyeliner: black, winged and white on the waterline", ""),
    ("black liner on upper and lower lash line", "eyeliner: black on both lash lines", ""),
    ("eyeliner only on the lower lash line", "eyeliner: on the lower lash line", ""),
    (
        "gold eyeliner on the lower lash line, black on top",
        "eyeliner: black on top and gold on the lower lash line",
        "",
    ),
    ("black eyeliner on top, blue underneath", "eyeliner: black on top and blue on the bottom", ""),
    ("blue eyeshadow under the eyes", "eyeshadow: blue under the eyes", ""),
    ("smudged brown shadow along the lower lash line", "eyeshadow: brown, smudged on the lower lash line", ""),
    ("mascara, only on the top lashes", "mascara: on the upper lashes", ""),
    ("mascara on the lower lashes too", "mascara: on both lashes", ""),
    ("upper lip red lower lip black", "lipstick: red on the upper lip and black on the lower lip", ""),
    ("lips: nude on the top, red on the bottom", "lipstick: nude on top and red on the bottom", ""),
    (
        "matte red on the upper lip and glossy pink on the lower lip",
        "lipstick: red, matte on the upper lip and pink, glossy on the lower lip",
        "",
    ),
    ("black lipstick on the lower lip and nothing on the upper lip", "lipstick: black on the lower lip", ""),
    ("red lips but not on the lower lip", "lipstick: red on the upper lip", ""),
    ("no eyeliner on the lower lash line", "", "nothing will be drawn"),
    ("eyeliner, not on the waterline", "eyeliner: as usual", ""),
    ("don't do the lower lash line", "", "nothing will be drawn"),
    ("blush across the nose", "blush: across the nose", ""),
    ("rosy cheeks and nose", "blush: rosy and rosy on the nose", ""),
    ("contour my jaw and cheekbones", "contour: on the jaw and on the cheekbones", ""),
    ("nose contour", "contour: on the nose", ""),
    ("bronzer on cheekbones and forehead", "bronzer: on the cheekbones and on the forehead", ""),
    ("bronzer along the jaw", "bronzer: on the jaw", ""),
    ("sun kissed bronzer, no blush", "bronzer: as usual", ""),
    ("tan but no bronzer", "foundation: tanned", ""),
    ("left half of face blue", "face paint: blue on the left half", ""),
    # what concealer is for
    ("hide dark circles", "concealer: as usual", ""),
    ("cover the bags under my eyes", "concealer: as usual", ""),
    ("no dark circles", "concealer: as usual", ""),
    ("cover my acne and redness", "foundation: as usual", ""),
    (
        "cover my spots but keep it natural",
        "blush: soft rose, blended; mascara: soft brown; brows: soft; lipstick: soft rose; foundation: sheer",
        "",
    ),
    (
        "concealer on blemishes",
        "concealer: as usual",
        "“on the blemishes” is not drawn: concealer goes where it usually does",
    ),
    ("light concealer for men", "foundation: faint; brows: groomed; lipstick: sheer nude; concealer: light", ""),
    ("brow gel, a little concealer, nothing else", "brows: groomed; concealer: as usual", ""),
    (
        "natural look for a guy",
        "foundation: faint; blush: soft rose, blended; mascara: soft brown; brows: groomed; lipstick: sheer nude",
        "",
    ),
    ("fill in my brows", "brows: as usual", ""),
    # ruled out of all that a style wears
    (
        "smoky eyes but no black",
        "eyeshadow: strong taupe, smoky; eyeliner: strong dark brown, thick, smudged; mascara: strong brown",
        "",
    ),
    (
        "smoky eye without black",
        "eyeshadow: strong taupe, smoky; eyeliner: strong dark brown, thick, smudged; mascara: strong brown",
        "",
    ),
    (
        "smokey eye, but brown not black",
        "eyeshadow: strong brown, smoky; eyeliner: strong dark brown, thick, smudged; mascara: strong brown",
        "",
    ),
    (
        "smoky eyes but not too black",
        "eyeshadow: strong charcoal, smoky, not too black; eyeliner: strong black, thick, smudged, not too black; mascara: strong, not too black",
        "",
    ),
    ("dark lips, no gloss", "lipstick: dark, not glossy", ""),
    ("no shimmer in the eyes, matte brown", "eyeshadow: brown, matte, not shimmer", ""),
    ("lipstick, not red or pink", "lipstick: brown", ""),
    ("anything but red lipstick", "lipstick: rose", ""),
    ("keep my lips natural", "lipstick: soft rose", ""),
    # comparatives
    ("make the lips a bit redder", "lipstick: soft red", ""),
    ("pinker cheeks", "blush: soft pink", ""),
    ("a bit more blush and less lipstick", "blush: a bit more; lipstick: less", ""),
    (
        "goth but softer",
        "foundation: pale, softer; eyeshadow: strong black, wide, smoky, softer; eyeliner: strong black, thick, softer; mascara: strong, softer; brows: strong dark brown, softer; lipstick: strong black, matte, softer",
        "",
    ),
    (
        "everyday makeup, slightly bolder brows",
        "foundation: soft; blush: soft peach; eyeshadow: subtle taupe; mascara: soft; lipstick: soft dusty rose; brows: soft, a bit bolder",
        "",
    ),
    ("more blush than usual", "blush: more", ""),
    (
        "a little makeup",
        "foundation: softened; blush: rose, softened; eyeshadow: soft brown, softened; eyeliner: black, softened; mascara: softened; brows: softened; lipstick: rose, satin, softened",
        "",
    ),
    (
        "very little makeup",
        "foundation: softened; blush: rose, softened; eyeshadow: soft brown, softened; eyeliner: black, softened; mascara: softened; brows: softened; lipstick: rose, satin, softened",
        "",
    ),
    # more of the same
    (
        "black eyeliner and red lips with gold inner corners",
        "eyeliner: black; lipstick: red; eyeshadow: gold in the inner corner",
        "",
    ),
    (
        "purple outer corners, pink inner corners and silver in the middle",
        "eyeshadow: purple in the outer corner and pink in the inner corner and silver in the middle",
        "",
    ),
    (
        "thin black eyeliner on top and thick white on the bottom",
        "eyeliner: black, thin on top and white, thick on the bottom",
        "",
    ),
    ("bronzer on my nose", "bronzer: on the nose", ""),
    ("smudge brown kohl on the lower lash line only", "eyeliner: brown, smudged on the lower lash line", ""),
    ("red lipstick but leave the bottom lip bare", "lipstick: red on the upper lip", ""),
    ("brown eyeshadow except in the inner corner", "eyeshadow: brown", ""),
    ("not so pink lips", "lipstick: not too pink", ""),
    ("smokier eyes", "eyeshadow: strong charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong", ""),
    ("i'm a guy, just make me look less tired", "concealer: as usual", ""),
    (
        "something natural for a boy, barely visible",
        "foundation: sheer, softened; blush: soft rose, blended, softened; mascara: soft brown, softened; brows: soft, softened; lipstick: soft rose, softened",
        "",
    ),
    # what is ruled out
    ("not so much blush", "blush: not too much", ""),
    ("cheeks not too red", "blush: not too red", ""),
    ("rosy cheeks, but not too much", "blush: rosy, not too much", ""),
    ("liner without a wing", "eyeliner: not winged", ""),
    ("hide my freckles", "", "nothing will be drawn"),
    ("lipstick, not red", "lipstick: rose", ""),
    ("lipstick but not red", "lipstick: rose", ""),
    ("lipstick, any colour but red", "lipstick: rose", ""),
    ("not red but pink lipstick", "lipstick: pink", ""),
    ("I don't want red lipstick, I want pink", "lipstick: pink", ""),
    ("dark brown eyeliner not black", "eyeliner: dark brown", ""),
    ("blue eyeliner instead of black", "eyeliner: blue", ""),
    ("lipstick, not too dark", "lipstick: not too dark", ""),
    ("not too dark lipstick", "lipstick: not too dark", ""),
    ("lipstick, nothing too dark", "lipstick: not too dark", ""),
    ("lipstick not too bright and not too glossy", "lipstick: not too bright, not too glossy", ""),
    ("winged eyeliner but not too long", "eyeliner: winged, not too long", ""),
    ("lipstick, not matte", "lipstick: not matte", ""),
    ("lipstick that is not glossy", "lipstick: not glossy", ""),
    ("not glossy red lipstick", "lipstick: red, not glossy", ""),
    ("eyeliner, not winged", "eyeliner: not winged", ""),
    ("no lipstick but blue eyeshadow", "eyeshadow: blue", ""),
    ("not blush but lipstick", "lipstick: as usual", ""),
    ("blush instead of lipstick", "blush: as usual", ""),
    ("red lipstick w/o blush", "lipstick: red", ""),
    ("red lip, no liner", "lipstick: red", ""),
    ("bare lips and gold eyeshadow", "eyeshadow: gold", ""),
    ("black eyeliner, long lashes, no lipstick", "eyeliner: black; mascara: long", ""),
    ("red lipstick but no eyeliner, please, and some blush", "lipstick: red; blush: some", ""),
    ("no eyeliner, no mascara, just red lips", "lipstick: red", ""),
    ("he has stubble, not mascara or lip gloss", "stubble: as usual", ""),
    ("natural, no blush and no mascara", "foundation: sheer; brows: soft; lipstick: soft rose", ""),
    ("natural without blush, mascara or brows", "foundation: sheer; lipstick: soft rose", ""),
    (
        "smoky eyes without lipstick",
        "eyeshadow: strong charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong",
        "",
    ),
    ("no makeup except red lipstick", "lipstick: red", ""),
    # nothing
    ("no makeup", "", "nothing will be drawn"),
    ("nothing", "", "nothing will be drawn"),
    ("zero makeup", "", "nothing will be drawn"),
    ("au naturel", "", "nothing will be drawn"),
    ("never any blush", "", "nothing will be drawn"),
    ("no blush", "", "nothing will be drawn"),
    ("no lipstick, blush or mascara", "", "nothing will be drawn"),
    ("neither lipstick nor blush", "", "nothing will be drawn"),
    ("no red lipstick", "", "nothing will be drawn"),
    ("lipstick: none", "", "nothing will be drawn"),
    ("lips: no", "", "nothing will be drawn"),
    ("lipstick? no!", "", "nothing will be drawn"),
    ("remove my makeup", "", "nothing will be drawn"),
    # styles
    (
        "christmas makeup",
        "foundation: soft; blush: subtle rose; eyeliner: soft black, thin; mascara: as usual; brows: soft; lipstick: red, satin",
        "",
    ),
    ("zoom call", "foundation: soft, matte; contour: subtle; brows: soft; lipstick: sheer nude", ""),
    ("smoky eyes", "eyeshadow: strong charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong", ""),
    ("smoky plum eyes", "eyeshadow: strong plum, smoky; eyeliner: strong black, thick, smudged; mascara: strong", ""),
    (
        "smoky eyes in purple",
        "eyeshadow: strong purple, smoky; eyeliner: strong black, thick, smudged; mascara: strong",
        "",
    ),
    (
        "glittery smoky eyes",
        "eyeshadow: strong charcoal, glittery, smoky; eyeliner: strong black, thick, smudged; mascara: strong",
        "",
    ),
    (
        "subtle smoky eyes",
        "eyeshadow: strong charcoal, smoky, softened; eyeliner: strong black, thick, smudged, softened; mascara: strong, softened",
        "",
    ),
    (
        "dark smoky eyes",
        "eyeshadow: strong dark charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong",
        "",
    ),
    ("office lipstick", "lipstick: soft rose, satin", ""),
    ("bridal lips", "lipstick: soft rose, satin", ""),
    ("a rock star", "eyeliner: black, smudged, thick; eyeshadow: soft black, blended; stubble: soft", ""),
    ("grooming", "foundation: faint; brows: groomed; lipstick: sheer nude", ""),
    ("men's makeup", "foundation: faint; brows: groomed; lipstick: sheer nude", ""),
    ("makeup for men", "foundation: faint; brows: groomed; lipstick: sheer nude", ""),
    ("clean cut", "foundation: sheer; contour: soft; brows: defined", ""),
    ("red makeup", "blush: soft red; eyeshadow: soft red; lipstick: red", ""),
    ("everything red", "blush: soft red; eyeshadow: soft red; lipstick: red", ""),
    ("monochrome peach", "blush: soft peach; eyeshadow: soft peach; lipstick: peach", ""),
    (
        "natural, but bolder lips",
        "foundation: sheer; blush: soft rose, blended; mascara: soft brown; brows: soft; lipstick: soft rose, bolder",
        "",
    ),
    # faces in plain paint
    ("orange face paint", "face paint: orange", ""),
    ("a tiger with orange face paint", "face paint: orange", "paint has no shapes here: “tiger” is left out"),
    ("green face", "face paint: green", ""),
    ("paint my face blue", "face paint: blue", ""),
    ("white face paint", "face paint: white", ""),
    ("gold face paint with black lips", "face paint: gold; lipstick: black", ""),
    # other languages
    ("rouge à lèvres", "lipstick: as usual", ""),
    ("rouge à lèvres rouge", "lipstick: red", ""),
    ("ROUGE À LÈVRES FONCÉ", "lipstick: dark", ""),
    ("fard à paupières bleu et rouge à lèvres rose", "eyeshadow: blue; lipstick: rose", ""),
    ("Roter Lippenstift", "lipstick: red", ""),
    ("Lippen: rot", "lipstick: red", ""),
    ("lidschatten in blau", "eyeshadow: blue", ""),
    ("labial rojo", "lipstick: red", ""),
    ("pintalabios rojo y sombra de ojos azul", "lipstick: red; eyeshadow: azul", ""),
    ("labios rojos", "lipstick: red", ""),
    (
        "maquillaje de ojos ahumados",
        "eyeshadow: strong charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong",
        "",
    ),
    # slips
    ("red lipstik", "lipstick: red", "read “lipstik” as “lipstick”"),
    ("LPISTICK", "lipstick: as usual", "read “lpistick” as “lipstick”"),
    ("purpel blsh", "blush: purple", "read “purpel” as “purple”; read “blsh” as “blush”"),
    ("redlipstick", "lipstick: red", "read “redlipstick” as “red lipstick”"),
    (
        "smokyeyes",
        "eyeshadow: strong charcoal, smoky; eyeliner: strong black, thick, smudged; mascara: strong",
        "read “smokyeyes” as “smoky eyes”",
    ),
    ("red lip-stick", "lipstick: red", ""),
    ("blak eyeliner", "eyeliner: black", "read “blak” as “black”"),
    ("lipstick wihtout blush", "lipstick: as usual", "read “wihtout” as “without”"),
    # words that are none of makeup
    ("glass lipstick", "lipstick: as usual", "kohl does not know “glass”, and leaves it out"),
    ("red unicorn lipstick", "lipstick: red", "paint has no shapes here: “unicorn” is left out"),
    ("red lips and blue hair", "lipstick: red", "kohl makes up faces; it leaves out “hair”"),
    ("lightly glossy lips", "lipstick: glossy", "kohl does not know “lightly”, and leaves it out"),
    ("sexy red lips", "lipstick: red", "kohl does not know “sexy”, and leaves it out"),
    ("red lipstick for my blue eyes", "lipstick: red", "“my blue eyes” is taken for how you look, not for makeup"),
    (
        "I have blue eyes and want brown eyeshadow",
        "eyeshadow: brown",
        "“my blue eyes” is taken for how you look, not for makeup",
    ),
    (
        "make my blue eyes pop with gold eyeshadow",
        "eyeshadow: gold",
        "“my blue eyes” is taken for how you look, not for makeup",
    ),
    ("red lipstick for dark skin", "lipstick: red", ""),
    ("soft brown eyeshadow that suits black skin", "eyeshadow: soft brown", ""),
    ("asian eye makeup", "eyeshadow: as usual", "kohl does not know “asian”, and leaves it out"),
]


@pytest.mark.parametrize(("typed", "look", "notes"), TABLE)
def test_a_sentence_is_understood(typed, look, notes):
    found = read(typed)
    assert (sentence(found.said), "; ".join(found.notes)) == (look, notes)


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b\x00", "\u3000"])
def test_nothing_typed_is_no_makeup_and_no_word_about_it(text):
    assert read(text) == Look()


# What the words fix


def dials(text, product):
    """Those that a text fixes for a product."""
    return read(text).dials[product]


@pytest.mark.parametrize(
    ("text", "rgb"),
    [
        ("#aa2233 lipstick", (0xAA, 0x22, 0x33)),
        ("lipstick #a23", (0xAA, 0x22, 0x33)),
        ("rebeccapurple lips", (0x66, 0x33, 0x99)),
        ("mediumvioletred lips", (0xC7, 0x15, 0x85)),
        ("red lips", (0xE5, 0x00, 0x00)),
        ("dusty rose lips", (0xC0, 0x73, 0x7A)),
    ],
)
def test_a_colour_is_the_one_that_was_named(text, rgb):
    found = dials(text, "lipstick")
    assert [round(255 * found[level]) for level in ("red", "green", "blue")] == list(rgb)


def test_a_product_without_a_word_about_it_leaves_its_dials_as_usual():
    assert dials("lipstick", "lipstick") == {"opacity": 0.86}


def test_strengths_stand_in_order():
    words = ("barely there", "sheer", "subtle", "soft", "", "bold")
    found = [dials(f"{word} red blush", "blush")["opacity"] for word in words]
    assert found == sorted(found)
    assert found[0] < 0.4 < found[-1]


def test_finishes_stand_in_order():
    found = [dials(f"{word} lipstick", "lipstick")["gloss"] for word in ("matte", "satin", "shimmery", "glossy")]
    assert found == sorted(found)


def test_a_shade_is_darker_or_lighter_and_very_is_more_so():
    def light(text):
        found = dials(text, "lipstick")
        return sum(found[level] for level in ("red", "green", "blue"))

    found = [light(f"{word} rosewood lips") for word in ("very dark", "dark", "", "light", "very light")]
    assert found == sorted(found)
    assert len({round(one, 3) for one in found}) == 5


def test_more_and_less_move_a_dial_from_where_it_was():
    usual, soft = dials("blush", "blush")["opacity"], dials("natural", "blush")["opacity"]
    assert usual < dials("a bit more blush", "blush")["opacity"] < dials("more blush", "blush")["opacity"]
    assert dials("less blush", "blush")["opacity"] < usual
    assert soft < dials("natural with a bit more blush", "blush")["opacity"] < usual + 0.1


def test_not_too_much_of_anything_is_a_bound():
    assert dials("bold blush, not too strong", "blush")["opacity"] == 0.6
    assert dials("wet lips but not too glossy", "lipstick")["gloss"] == 0.4
    black, lighter = dials("black lipstick", "lipstick"), dials("black lipstick, not too dark", "lipstick")
    assert lighter["green"] > black["green"] + 0.2
    assert dials("pink lipstick, not too dark", "lipstick") == dials("pink lipstick", "lipstick")


def test_a_colour_of_hair_is_that_of_hair():
    assert dials("red stubble", "stubble")["red"] < 0.7 < dials("red lips", "lipstick")["red"]


# What the text-image model is told


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("RED lipstick!", "red lipstick"),
        ("lipstick, not red", "rose lipstick"),
        ("unicorn hair and a red lip", "red lipstick"),
        ("thin winged brown eyeliner", "thin winged brown eyeliner"),
        ("kelly green lids", "green eyeshadow"),
        ("gothic", "goth"),
        (
            "goth with green lipstick",
            "pale foundation, black eyeshadow, black eyeliner, mascara, dark brown brows, green lipstick",
        ),
    ],
)
def test_the_model_is_told_it_in_words_that_it_has_learned(text, caption):
    assert read(text).caption == caption


# Any text


def test_any_text_is_understood_or_refused():
    rng = random.Random(0)
    signs = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) != "Cn"]
    words = " ".join(typed for typed, *_ in TABLE).split()
    refused = 0
    for number in range(300):
        noise = "".join(rng.choice(signs if number % 3 else "abc ,:'-&\n\"#/") for _ in range(30))
        mixed = " ".join(rng.choice(words) for _ in range(rng.randrange(9)))
        try:
            found = read(f"{noise if number % 2 else ''} {mixed}")
        except BadSetting:
            refused += 1
        else:
            assert all(0 <= level <= 1 for one in found.dials.values() for level in one.values())
    assert 20 < refused < 280


def test_a_look_that_is_said_is_understood_again():
    for text, *_ in TABLE:
        found = read(text)
        if found.wears and not any("not too" in how or "as usual" in how for how in found.said.values()):
            again = read(sentence(found.said)) if len(sentence(found.said)) < LONGEST else found
            assert set(again.wears) == set(found.wears), text
