"""A whole run of learning: what it writes."""

import numpy as np
import pytest
import torch
from learned import GALLERY, SETTINGS, names, table
from PIL import Image
from tiny import numbers
from tiny_training import PAIRING, SIZE

from kohl.score.quality import psnr
from kohl.train import folder, mapping, stylegan2
from kohl.train.learner import Learner, Training
from kohl.zoo import cards
from kohl.zoo.files import store
from kohl.zoo.generators.style_encoder import StyleEncoder
from kohl.zoo.generators.stylegan2 import StyleGAN2


def test_writes_two_networks_a_checkpoint_two_tables_and_samples(run):
    expected = [
        "checkpoint.pt",
        "encoder.safetensors",
        "generator.safetensors",
        "held_out.csv",
        "log.csv",
        "samples.png",
    ]
    assert names(run.folder) == expected
    assert run.paths == (run.folder / "generator.safetensors", run.folder / "encoder.safetensors")


def test_the_networks_load_by_the_names_of_their_files_and_fit_together(run):
    generator, encoder = cards.generator(f"stylegan2:{run.paths[0]}"), cards.inverter(f"stylegan2:{run.paths[1]}")
    assert isinstance(generator, StyleGAN2)
    assert isinstance(encoder, StyleEncoder)
    assert encoder.latent_shape == generator.latent_shape == (10, 8)
    assert (encoder.size, generator.size) == (SIZE, SIZE)
    for network in (generator, encoder):
        assert not network.training
        assert not any(weight.requires_grad for weight in network.parameters())
        assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    images = generator(encoder(torch.rand(2, 3, 256, 256, generator=numbers())))
    assert images.shape == (2, 3, SIZE, SIZE)
    assert images.isfinite().all()


def test_what_is_kept_are_the_running_means_in_half_precision(run):
    made = Learner(Training(**SETTINGS))
    assert folder.resumed(run.folder / "checkpoint.pt", made, ()) == 8
    for path, network in zip(run.paths, (made.ema_generator, made.ema_encoder), strict=True):
        kept = store.tensors(path)
        size = kept.pop("size", None)
        assert {values.dtype for values in kept.values()} == {torch.float16}
        assert (size is None) == (path.stem == "generator")
        for name, values in network.state_dict().items():
            if not name.startswith(("mapping.", "average")):
                assert torch.equal(kept[name], values.half())


def test_the_mapping_and_the_average_are_learned_from_the_styles_of_faces(run):
    made, rng = Learner(Training(**SETTINGS)), numbers(0)
    folder.resumed(run.folder / "checkpoint.pt", made, ())
    styles, _ = made.ema_encoder.parts(GALLERY.views(PAIRING.styles, SIZE, rng))
    assert float(styles.std(0).min()) > 0
    mapping.learn(made.ema_generator.mapping, styles, rng, PAIRING, said=lambda line: None)
    kept = store.tensors(run.paths[0])
    assert torch.equal(kept["average"], styles.mean(0).half())
    for name, values in made.ema_generator.mapping.state_dict().items():
        assert torch.equal(kept[f"mapping.{name}"], values.half())


def test_the_log_has_a_line_now_and_then(run):
    rows = table(run.folder / "log.csv")
    assert [int(row["pictures"]) for row in rows] == [6, 12]
    assert [*rows[0]] == list(stylegan2.COLUMNS)
    for row in rows:
        assert all(float(row[name]) >= 0 for name in ("pixels", "coarse", "features", "delta"))
    assert [row["discriminator"] != "" for row in rows] == [False, True]  # the discriminator came in between
    assert run.lines[0].startswith("6 of 16  pixels 0.")
    assert run.lines[0].endswith(" a second")


def test_held_out_faces_are_measured_and_shown(run):
    (row,) = table(run.folder / "held_out.csv")
    made = Learner(Training(**SETTINGS))
    folder.resumed(run.folder / "checkpoint.pt", made, ())
    plain = GALLERY.plain(SIZE)
    with torch.no_grad():
        back = made.ema_generator(made.ema_encoder(plain))
    figure = float(psnr(back, plain).mean())
    assert (int(row["pictures"]), float(row["psnr"])) == (16, pytest.approx(figure, abs=1e-3))
    assert f"held-out faces are given back at {figure:.2f} dB" in run.lines
    with Image.open(run.folder / "samples.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (3 * SIZE, 3 * SIZE, 3)  # of three held-out faces: themselves, given back, and new ones
    expected = (torch.cat([*plain], 2) * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(pixels[:SIZE], expected)
    given = (torch.cat([*back], 2) * 255).permute(1, 2, 0).numpy()
    assert np.abs(pixels[SIZE : 2 * SIZE] - given).max() <= 0.51


def test_faces_are_given_back_a_few_at_a_time():
    made, seen = Learner(Training(**SETTINGS)), []
    encoder = lambda part: seen.append(len(part)) or made.encoder(part)  # noqa: E731
    with torch.no_grad():
        back = stylegan2.given_back(made.generator, encoder, GALLERY.views(131, SIZE, numbers()))
    assert seen == [64, 64, 3]
    assert back.shape == (131, 3, SIZE, SIZE)


def test_the_figure_is_the_mean_of_each_face_s():
    # A tenth and a hundredth off: 20 and 40 dB.
    faces = torch.full((2, 3, 8, 8), 0.5)
    off = torch.tensor([0.1, 0.01]).view(2, 1, 1, 1)
    assert stylegan2.held_out(lambda latents: latents, lambda part: part + off, faces) == pytest.approx(30, abs=1e-3)
