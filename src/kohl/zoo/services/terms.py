"""What is known of each service before it is asked: keys, limits, thresholds and price, as its maker publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

THREE = (1e-3, 1e-4, 1e-5)  # false-accept rates that makers speak of


@dataclass(frozen=True)
class Price:
    """What one comparison costs, where that was read, and when."""

    dollars: float
    source: str
    read: str


@dataclass(frozen=True)
class Terms:
    """One service; similarities are on its own scale."""

    name: str
    maker: str
    module: str  # in which its client is
    keys: tuple[str, ...]  # environment variables, all of them needed
    endpoint: str  # the environment variable that names another address than the usual one
    address: str  # the usual one; empty: there is none
    top: float  # of its similarities; the least is 0
    longest: int  # pixels of a side of a picture: whatever is on it, as PNG it then has fewer bytes than are allowed
    every_s: float  # seconds between two requests at the least
    prices: str  # where its maker says what it costs; empty: nothing
    rates: tuple[float, ...] = ()  # false-accept rates that it has thresholds for
    thresholds: Mapping[float, float] = field(default_factory=dict)  # by rate; empty where answers bring them
    usual: float | None = None  # the similarity that its maker calls enough, where no rate is published
    price: Price | None = None  # None: kohl knows none


TERMS: Mapping[str, Terms] = {
    terms.name: terms
    for terms in (
        Terms(
            name="facepp",
            maker="Face++, Megvii",
            module="kohl.zoo.services.facepp",
            keys=("FACEPP_API_KEY", "FACEPP_API_SECRET"),
            endpoint="FACEPP_ENDPOINT",
            address="https://api-us.faceplusplus.com",
            top=100.0,
            longest=560,  # a request has at most 2 MB, two pictures have 1.9
            every_s=1.0,  # a free key's limit
            prices="https://www.faceplusplus.com/v2/pricing-details/",
            rates=THREE,  # "thresholds are not static", says the reference, so each answer brings them
        ),
        Terms(
            name="rekognition",
            maker="Amazon Rekognition",
            module="kohl.zoo.services.rekognition",
            keys=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            endpoint="AWS_ENDPOINT_URL_REKOGNITION",
            address="",  # that of the region
            top=100.0,
            longest=1024,  # 3.1 MB; 5 MB are allowed
            every_s=0.2,
            prices="https://aws.amazon.com/rekognition/pricing/",
            usual=80.0,  # SimilarityThreshold's default
            price=Price(0.001, "the first million a month in us-east-1", "2026-10-07"),
        ),
        Terms(
            name="tencent",
            maker="Tencent Cloud Face Recognition",
            module="kohl.zoo.services.tencent",
            keys=("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
            endpoint="TENCENTCLOUD_ENDPOINT",
            address="https://iai.tencentcloudapi.com",
            top=100.0,
            longest=1024,  # 4.2 MB in base64; 5 MB are allowed
            every_s=0.1,
            prices="https://www.tencentcloud.com/document/product/867/17640",
            rates=THREE,
            thresholds=dict(zip(THREE, (40.0, 50.0, 60.0), strict=True)),  # of FaceModelVersion 3.0
        ),
        Terms(
            name="compreface",
            maker="your own CompreFace",
            module="kohl.zoo.services.compreface",
            keys=("COMPREFACE_API_KEY",),
            endpoint="COMPREFACE_ENDPOINT",
            address="",
            top=1.0,
            longest=1024,  # 3.1 MB; 5 MB are allowed
            every_s=0.0,
            prices="",
            usual=0.5,  # "most correct guesses will be with a threshold of more than 0.5"
        ),
    )
}


def named(judge: str) -> Terms | None:
    """The service that a judge's name, `NAME` or `NAME:SIMILARITY`, is about; None for any other judge."""
    return TERMS.get(judge.partition(":")[0])
