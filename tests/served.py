"""A server of our own, which says what a test wants it to say."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "no_proxy", "NO_PROXY")  # of the environment


class Server(ThreadingHTTPServer):
    """Answers a path with what `says` holds for it, and remembers what was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.says, self.asked = {}, []

    def handle_error(self, request, client_address):
        """Whoever asked has left, as a client may."""

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        self.server.says[self.path.removeprefix("/")](self)

    def log_message(self, *_):
        pass


def send(handler, status, body, **headers):
    handler.send_response(status)
    for name, value in {"Content_Length": len(body), **headers}.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def resumable_from(content):
    """An answer that gives `content` from where it was asked to go on."""

    def answer(handler):
        start = int(handler.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        send(handler, 206 if start else 200, content[start:], Content_Range=span)

    return answer


@contextmanager
def serving():
    """A server while it runs."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:  # else it would go on asking a closed socket for as long as the process lives
            server.shutdown()
            thread.join()
