"""How much a face changed: figures on the crop that the field's papers use."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from kohl.geometry import similarity
from kohl.nlpd import nlpd
from kohl.ssim import ssim
from kohl.templates import ARCFACE
from kohl.types import Images, Scores

__all__ = ["face_crop", "nlpd", "psnr", "ssim"]

SIZE = 160  # pixels
SHARE = 0.72  # of ArcFace's own, tighter framing


def face_crop(photo_pixels: np.ndarray, points: np.ndarray) -> Images:
    """The face with these five points (5, 2) in a frame of (1, 3, 160, 160), black outside the photo.

    ArcFace's template for 112 pixels (Deng et al., CVPR 2019), shrunk to show the whole head.
    """
    target = (torch.tensor(ARCFACE) - 56) * SHARE * SIZE / 112 + SIZE / 2
    to_crop = similarity(torch.from_numpy(points)[None].float(), target[None])[0].double().numpy()
    crop = cv2.warpAffine(photo_pixels, to_crop, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    return torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255


def psnr(a: Images, b: Images) -> Scores:
    """Peak signal-to-noise ratio in dB for values in [0, 1]; infinite for equal images."""
    return -10 * (a - b).square().flatten(1).mean(1).log10()
