"""A small web server for the finished site: this machine only, the right type for every file."""

import errno
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tasks.shell import Failed

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",  # a module of any other type is refused by the browser
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",  # anything else makes the runtime compile slowly
    ".onnx": "application/octet-stream",
}


class Handler(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | TYPES

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # the reader who rebuilds wants to see it
        super().end_headers()

    def log_message(self, *_) -> None:
        """Say nothing of each request."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *request) -> None:
        """A reader who leaves a page while it loads is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*request)


def server(folder: Path, port: int, tries: int = 20) -> Server:
    """A server of `folder` on 127.0.0.1 at `port` (0: any free one), or at the next free one."""
    for candidate in range(port, port + tries):
        try:
            return Server(("127.0.0.1", candidate), partial(Handler, directory=str(folder)))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise Failed(
        "Serve the site", why=f"ports {port} to {port + tries - 1} are taken", fix="choose another: --port N"
    )


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve `folder` on a free port beside what else goes on; its address."""
    with server(folder, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/"
        finally:
            running.shutdown()


def serve_folder(folder: Path, port: int) -> None:
    """Serve until the reader stops it."""
    with server(folder, port) as running:
        print(f"\nThe book: http://127.0.0.1:{running.server_port}/   (Ctrl-C to stop)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.")
