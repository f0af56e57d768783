"""A server of our own that speaks the interfaces of four services as documented, and checks who asks, and how."""

import base64
import hashlib
import hmac
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from served import PROXIES

from kohl.zoo.services.terms import TERMS

SECRET = "s3cret-Gu5t9xGARNpq86cd98joQYCN3-never-shown"
ENVIRONMENT = {
    "FACEPP_API_KEY": "facepp-key-never-shown",
    "FACEPP_API_SECRET": SECRET,
    "AWS_ACCESS_KEY_ID": "AKIDNEVERSHOWN",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": "eu-west-1",
    "TENCENTCLOUD_SECRET_ID": "AKIDz8krbsJ5NEVERSHOWN",
    "TENCENTCLOUD_SECRET_KEY": SECRET,
    "COMPREFACE_API_KEY": "00000000-never-shown-000000000002",
}
KEYS = [value for name, value in ENVIRONMENT.items() if name != "AWS_REGION"]
ENDPOINTS = ("FACEPP_ENDPOINT", "AWS_ENDPOINT_URL_REKOGNITION", "TENCENTCLOUD_ENDPOINT", "COMPREFACE_ENDPOINT")
NAMES = ("facepp", "rekognition", "tencent", "compreface")
THRESHOLDS = {"1e-3": 62.327, "1e-4": 69.101, "1e-5": 73.975}
DIFFER, MATCH = 0.2, 0.9  # what is said, on the scale from 0 to 1, of two pictures; of one and the same


class Cloud(ThreadingHTTPServer):
    """Answers as a service would; `first` holds what is said instead, one a request, before it does."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.first, self.wrong = [], [], []  # pairs of pictures, odd answers, what was wrong with a request
        self.faceless = set()  # hashes of pictures in which it finds no face
        self.thresholds, self.model = THRESHOLDS, "3.0"

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def environment(self, **more):
        """That of somebody who has keys for all of them, and asks here."""
        return {**ENVIRONMENT, **dict.fromkeys(ENDPOINTS, self.address), **more}

    def handle_error(self, request, client_address):
        """Whoever asked has left, as a client may."""

    def similarity(self, *pictures):
        """From 0 to 1, or None without a face; pictures must be PNG files that hold pixels alone."""
        self.asked.append(pictures)
        for picture in pictures:
            chunks = {picture[at + 4 : at + 8] for at in _chunks(picture)}
            if chunks - {b"IHDR", b"IDAT", b"IEND"}:
                self.wrong.append(f"more than pixels: {chunks}")
            np.asarray(Image.open(BytesIO(picture)))
        if self.faceless & {digest(picture) for picture in pictures}:
            return None
        return MATCH if pictures[0] == pictures[1] else DIFFER


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.first:
            return self.server.first.pop(0)(self, body)
        path = urlsplit(self.path).path
        for speaks in (facepp, compreface) if path != "/" else (tencent, rekognition):
            said = speaks(self.server, path, self.headers, body)
            if said is not None:
                return send(self, *said)
        self.server.wrong.append(f"nobody answers {self.path}")
        return send(self, 404, {"error_message": "API_NOT_FOUND"})

    def log_message(self, *_):
        pass


def facepp(cloud, path, headers, body):
    if path != "/facepp/v3/compare":
        return None
    form = parts(headers, body)
    if (form.get("api_key"), form.get("api_secret")) != (b"facepp-key-never-shown", SECRET.encode()):
        return 401, {"error_message": "AUTHENTICATION_ERROR", "time_used": 2, "request_id": "1"}
    if len(body) > 2 * 10**6:
        return 413, b"Request Entity Too Large"
    similarity = cloud.similarity(form["image_file1"], form["image_file2"])
    face = [{"face_token": "a5a2", "face_rectangle": {"top": 1, "left": 1, "width": 9, "height": 9}}]
    about = {"request_id": "1469761507,07174361", "time_used": 473, "image_id1": "x", "image_id2": "y"}
    if similarity is None:
        return 200, {**about, "faces1": face, "faces2": []}
    found = {"confidence": round(100 * similarity, 3), "thresholds": cloud.thresholds}
    return 200, {**about, **found, "faces1": face, "faces2": face}


def compreface(cloud, path, headers, body):
    if path != "/api/v1/verification/verify":
        return None
    if headers["x-api-key"] != ENVIRONMENT["COMPREFACE_API_KEY"]:
        return 404, {"message": f"Model with api key {headers['x-api-key']} and type VERIFY not found", "code": 10}
    form = parts(headers, body)
    similarity = cloud.similarity(form["source_image"], form["target_image"])
    if similarity is None:
        return 400, {"message": "No face is found in the given image", "code": 28}
    box = {"probability": 0.99, "x_max": 205, "y_max": 167, "x_min": 48, "y_min": 0}
    match = {"box": box, "similarity": similarity, "execution_time": {"detector": 177.0, "calculator": 70.0}}
    versions = {"detector": "facenet.FaceDetector", "calculator": "facenet.Calculator"}
    return 200, {"result": [{"source_image_face": {"box": box}, "face_matches": [match], "plugins_versions": versions}]}


def tencent(cloud, path, headers, body):
    if not headers.get("Authorization", "").startswith("TC3-"):
        return None
    given = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=(\S+)/(\d{4}-\d\d-\d\d)/iai/tc3_request, SignedHeaders=(\S+), Signature=(\w{64})",
        headers["Authorization"],
    )
    names, date = given[3].split(";"), given[2]
    if not {"content-type", "host"} <= set(names) or (headers["X-TC-Action"], headers["X-TC-Version"]) != (
        "CompareFace",
        "2020-03-03",
    ):
        return 200, of_tencent("InvalidParameter")
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    request = f"POST\n/\n\n{lines}\n{given[3]}\n{hashlib.sha256(body).hexdigest()}"
    text = f"TC3-HMAC-SHA256\n{headers['X-TC-Timestamp']}\n{date}/iai/tc3_request\n{_hash(request)}"
    key = _mac(_mac(_mac(f"TC3{SECRET}".encode(), date), "iai"), "tc3_request")
    if given[1] != ENVIRONMENT["TENCENTCLOUD_SECRET_ID"]:
        return 200, of_tencent("AuthFailure.SecretIdNotFound")
    if _mac(key, text).hex() != given[4]:
        return 200, of_tencent("AuthFailure.SignatureFailure")
    asked = json.loads(body)
    if len(asked["ImageA"]) > 5 * 10**6 or asked.get("FaceModelVersion") != "3.0":
        return 200, of_tencent("FailedOperation.ImageSizeExceed")
    similarity = cloud.similarity(*(base64.b64decode(asked[name]) for name in ("ImageA", "ImageB")))
    if similarity is None:
        return 200, of_tencent("InvalidParameterValue.NoFaceInPhoto")
    return 200, {"Response": {"Score": 100 * similarity, "FaceModelVersion": cloud.model, "RequestId": "ed93f3cb"}}


def rekognition(cloud, path, headers, body):
    if headers.get("X-Amz-Target") != "RekognitionService.CompareFaces":
        return None
    given = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\S+)/(\d{8})/eu-west-1/rekognition/aws4_request, SignedHeaders=(\S+), "
        r"Signature=(\w{64})",
        headers["Authorization"],
    )
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in given[3].split(";"))
    request = f"POST\n/\n\n{lines}\n{given[3]}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{given[2]}/eu-west-1/rekognition/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{headers['X-Amz-Date']}\n{scope}\n{_hash(request)}"
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    if given[1] != ENVIRONMENT["AWS_ACCESS_KEY_ID"]:
        return 400, {"__type": "UnrecognizedClientException", "message": f"The security token {given[1]} is invalid."}
    if _mac(key, text).hex() != given[4] or not {"host", "x-amz-date"} <= set(given[3].split(";")):
        return 400, {"__type": "InvalidSignatureException", "message": "The request signature does not match."}
    if not headers["User-Agent"].startswith("kohl/") or "linux" in headers["User-Agent"].lower():
        cloud.wrong.append(f"tells of the machine: {headers['User-Agent']}")
    asked = json.loads(body)
    if asked["SimilarityThreshold"] != 0:
        cloud.wrong.append("hides what is unlike")
    pictures = [base64.b64decode(asked[name]["Bytes"]) for name in ("SourceImage", "TargetImage")]
    similarity = cloud.similarity(*pictures)
    if similarity is None:
        return 400, {"__type": "InvalidParameterException", "message": "Request has invalid parameters"}
    face = {"BoundingBox": {"Width": 0.5, "Height": 0.5, "Left": 0.2, "Top": 0.2}, "Confidence": 99.9}
    matches = [{"Similarity": 100 * similarity, "Face": face}]
    return 200, {"SourceImageFace": face, "FaceMatches": matches, "UnmatchedFaces": []}


def parts(headers, body):
    """The fields of a form, by name; of a picture only what is no name and no path."""
    message = BytesParser().parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    form = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        assert part.get_filename() in (None, f"{name}.png")
        form[name] = part.get_payload(decode=True)
    return form


def digest(picture):
    return hashlib.sha256(picture).hexdigest()


def send(handler, status, said, **headers):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    handler.send_response(status)
    for name, value in {"Content_Type": "application/json", "Content_Length": len(body), **headers}.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def says(status, said, **headers):
    """An odd answer, for `first`."""
    return lambda handler, body: send(handler, status, said, **headers)


def throttled(name, **headers):
    """What the service says to those who ask too fast."""
    return {
        "facepp": says(403, {"error_message": "CONCURRENCY_LIMIT_EXCEEDED"}, **headers),
        "rekognition": says(400, {"__type": "ThrottlingException", "message": "Rate exceeded"}, **headers),
        "tencent": says(200, of_tencent("RequestLimitExceeded"), **headers),
        "compreface": says(429, {"message": "Too many requests"}, **headers),
    }[name]


def of_tencent(code):
    """An error as Tencent says it."""
    return {"Response": {"Error": {"Code": code, "Message": f"{code}, as they say"}, "RequestId": "ed93f3cb"}}


def _chunks(png):
    at = 8
    while at < len(png):
        yield at
        at += 12 + int.from_bytes(png[at : at + 4], "big")


def _hash(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@contextmanager
def serving():
    """The server while it runs; in the end every request was as it should be."""
    with Cloud() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
    assert server.wrong == []


@contextmanager
def named(monkeypatch):
    """The server while it runs, as all four services in the environment, with no pause between requests."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        for name in TERMS:
            monkeypatch.setitem(TERMS, name, replace(TERMS[name], every_s=0.0))
        yield server
