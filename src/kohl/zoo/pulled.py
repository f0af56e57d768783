"""The models that are fetched on request, by `kohl models pull`: nothing here is downloaded by itself."""

from __future__ import annotations

from kohl.zoo.card import Archive, Card, Role

ADV_MAKEUP = "cosine, as published with Adv-Makeup (IJCAI 2021), on faces cropped but not aligned"
TO_MEASURE = "cosine; none is published by false-accept rate: they are read from a card beside the file, once measured"


STYLEGAN2_ID = "1EM87UquaoQmk17Q8d5kYIAHqu0dkYqdT"
E4E_ID = "1cUv_reLE6k3604or78EranS7XzuVMWeO"
RECOGNISERS_ID = "1Vuek5-YTZlYGoeoqyM5DlvnaXMeii4O8"
AMT_GAN_ID = "1QSsH_s8fKAwhFgSBv5014yGtewlmNJkI"
INSIGHTFACE = "https://github.com/deepinsight/insightface/releases/download/v0.7"


def _hugging_face(repository: str, commit: str, file: str) -> str:
    """The address of one version of a file, which never changes."""
    return f"https://huggingface.co/{repository}/resolve/{commit}/{file}"


def _github(repository: str, commit: str, file: str) -> str:
    """The address of one version of a file, which never changes."""
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{file}"


def _drive(file: str) -> str:
    """The address at which Google Drive shows a file to people."""
    return f"https://drive.google.com/file/d/{file}"


def _from_drive(file: str) -> str:
    """The address at which it gives the file to a program, unless it prefers to send a page."""
    return f"https://drive.usercontent.google.com/download?id={file}&export=download&confirm=t"


PULLED = (
    Card(
        name="clip-vit-b32",
        package=None,
        file="clip-vit-b32.safetensors",
        size=605_157_884,
        sha256="99d28a652e6ec46629ab7047a0ac82c69b1fe11e0ce672c43af65d3a9a3fc05d",
        licence="MIT",
        commercial="but its model card advises against deployment, surveillance and face recognition",
        source="https://huggingface.co/openai/clip-vit-base-patch32",
        roles={"text": Role("kohl.zoo.text.clip:load", needs=("clip-tokens",), wants=("clip-templates",))},
        urls=(  # the conversion to safetensors that was proposed to OpenAI's repository, and the same bytes elsewhere
            _hugging_face(
                "openai/clip-vit-base-patch32", "b33cedfd0df4e43b8238760678fcc89e1a0d38b3", "model.safetensors"
            ),
            _hugging_face(
                "sentence-transformers/clip-ViT-B-32",
                "327ab6726d33c0e22f920c83f2ff9e4bd38ca37f",
                "0_CLIPModel/model.safetensors",
            ),
        ),
    ),
    Card(
        name="clip-tokens",
        package=None,
        file="bpe_simple_vocab_16e6.txt.gz",
        size=1_356_917,
        sha256="924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
        licence="MIT",
        commercial=True,
        source="https://github.com/openai/CLIP",
        roles={"tokenizer": Role("kohl.zoo.text.clip_tokens:load")},
        urls=(
            _github("openai/CLIP", "d05afc436d78f1c48dc0dbf8e5980a9d471f35f6", "clip/bpe_simple_vocab_16e6.txt.gz"),
            _github(
                "mlfoundations/open_clip",
                "bb6e834e9c70d9c27d0dc3ecedeebeaeb1ffad6b",
                "src/open_clip/bpe_simple_vocab_16e6.txt.gz",
            ),
        ),
    ),
    Card(
        name="clip-templates",
        package=None,
        file="text_templates.py",
        size=0,
        sha256="",
        licence="MIT",
        commercial=True,
        source="https://github.com/rinongal/StyleGAN-nada",  # 79 of the 80 that CLIP's authors used for ImageNet
        roles={"part": Role("kohl.zoo.text.sentences:load")},
        urls=(
            _github(
                "rinongal/StyleGAN-nada",
                "3fe1cda1b2929f4783b9199a9546ca27ed4b4efd",
                "ZSSGAN/utils/text_templates.py",
            ),
        ),
    ),
    Card(
        name="stylegan2-ffhq",
        package=None,
        file="stylegan2-ffhq-config-f.pt",
        size=381_462_551,
        sha256="bae494ef77e32a9cd1792a81a3c167692a0e64f6bcd8b06592ff42917e2ed46e",
        licence="NVIDIA Source Code License-NC",
        commercial=False,
        source=_drive(STYLEGAN2_ID),
        roles={"generator": Role("kohl.zoo.files.checkpoints:generator")},
        urls=(_from_drive(STYLEGAN2_ID),),
    ),
    Card(
        name="stylegan2-ffhq-ada",
        package=None,
        file="ffhq.pkl",
        size=381_624_121,
        sha256="a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c",
        licence="NVIDIA Source Code License",
        commercial=False,
        source="https://github.com/NVlabs/stylegan2-ada-pytorch",
        roles={"generator": Role("kohl.zoo.files.checkpoints:generator")},
        urls=("https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/ffhq.pkl",),
    ),
    Card(
        name="e4e",
        package=None,
        file="e4e_ffhq_encode.pt",
        size=1_201_649_680,
        sha256="2ace1d9a8c05c10a399bcd500b8dda118f759ff1aac89dbdab7435f2136a0999",
        licence="MIT, and the NVIDIA Source Code License-NC of the generator inside it",
        commercial=False,
        source=_drive(E4E_ID),
        roles={
            "inverter": Role("kohl.zoo.generators.e4e:load"),
            "generator": Role("kohl.zoo.files.checkpoints:generator"),
        },
        urls=(_from_drive(E4E_ID),),
    ),
    Card(
        name="lpips",
        package=None,
        file="vgg16-397923af.pth",
        size=553_433_881,
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        licence="BSD-3-Clause",
        commercial=True,
        source="https://github.com/pytorch/vision",
        roles={"perceptual": Role("kohl.zoo.distances.lpips:load", needs=("lpips-heads",))},
        urls=("https://download.pytorch.org/models/vgg16-397923af.pth",),
    ),
    Card(
        name="lpips-heads",
        package=None,
        file="lpips-vgg.pth",
        size=7_289,
        sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        licence="BSD-2-Clause",
        commercial=True,
        source="https://github.com/richzhang/PerceptualSimilarity",
        roles={"part": Role("kohl.zoo.files.state:checkpoint")},
        urls=(
            _github(
                "richzhang/PerceptualSimilarity",
                "c33f89e9f46522a584cf41d8880eb0afa982708b",
                "lpips/weights/v0.1/vgg.pth",
            ),
        ),
    ),
    *(
        Card(
            name=name,
            package=None,
            file=f"{name}.pth",
            size=0,
            sha256="",
            licence="academic research only",
            commercial=False,
            source=_drive(RECOGNISERS_ID),
            roles={
                "encoder": Role(build, thresholds=thresholds, calibration=ADV_MAKEUP),
                "judge": Role(
                    f"kohl.zoo.judges.encoded:{name}", needs=("yunet",), thresholds=thresholds, calibration=ADV_MAKEUP
                ),
            },
            member=f"{name}.pth",
            archive=Archive("amt-gan-assets.zip", _from_drive(RECOGNISERS_ID)),
        )
        for name, build, thresholds in (
            ("irse50", "kohl.zoo.recognisers.irse:irse50", {0.1: 0.144840, 0.01: 0.241045, 0.001: 0.312703}),
            ("ir152", "kohl.zoo.recognisers.irse:ir152", {0.1: 0.094632, 0.01: 0.166788, 0.001: 0.227922}),
            ("facenet", "kohl.zoo.recognisers.facenet:load", {0.1: 0.256587, 0.01: 0.409131, 0.001: 0.591191}),
            (
                "mobile_face",
                "kohl.zoo.recognisers.mobilefacenet:load",
                {0.1: 0.183635, 0.01: 0.301611, 0.001: 0.380878},
            ),
        )
    ),
    Card(
        name="amt-gan",
        package=None,
        file="amt-gan-G.pth",
        size=0,
        sha256="",
        licence="MIT, as its repository; learned from the Makeup Transfer data set, which is for research",
        commercial=False,
        source=_drive(AMT_GAN_ID),  # an archive; the generator is its G.pth
        roles={"transfer": Role("kohl.zoo.generators.amt_gan:load")},
    ),
    Card(
        name="face-parser",
        package=None,
        file="79999_iter.pth",
        size=53_289_463,
        sha256="468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
        licence="MIT, as its repository; learned from CelebAMask-HQ, which is for non-commercial research",
        commercial=False,
        source="https://github.com/zllrunning/face-parsing.PyTorch",
        roles={"parser": Role("kohl.zoo.detectors.bisenet:load")},
        urls=(  # the repository's own is a page of Google Drive; these hold the same bytes
            _hugging_face(
                "ManyOtherFunctions/face-parse-bisent", "0073b233a5a3c4b1377d4dbf49245017938a72b5", "79999_iter.pth"
            ),
            _hugging_face("vivym/face-parsing-bisenet", "768606b84908769d31ddd78b2e1105319839edfa", "79999_iter.pth"),
        ),
    ),
    *(
        Card(
            name=name,
            package=None,
            file=f"{name}.onnx",
            size=size,
            sha256=sha256,
            licence="InsightFace's models: non-commercial research only",
            commercial=False,
            source="https://github.com/deepinsight/insightface/tree/master/model_zoo",
            roles={"judge": Role("kohl.zoo.judges.onnx:arcface", needs=("yunet",), calibration=TO_MEASURE)},
            member=f"{name}.onnx",
            archive=archive,
        )
        for name, size, sha256, archive in (
            (
                "w600k_r50",
                174_383_860,
                "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
                Archive(
                    "buffalo_l.zip",
                    f"{INSIGHTFACE}/buffalo_l.zip",
                    size=288_621_354,
                    sha256="80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
                ),
            ),
            (
                "w600k_mbf",
                13_616_099,
                "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
                Archive(  # the smallest of the two archives that hold this file
                    "buffalo_sc.zip",
                    f"{INSIGHTFACE}/buffalo_sc.zip",
                    size=14_969_382,
                    sha256="57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
                ),
            ),
        )
    ),
)
