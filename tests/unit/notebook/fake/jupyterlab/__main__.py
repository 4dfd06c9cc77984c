"""`python -m jupyterlab` as jupyter_server behaves: the file about itself, 403 without the token, SIGTERM."""

# Python 3.6, standard library: it runs under every interpreter of the tests.

import http.server
import json
import os
import signal
import socketserver
import sys
from typing import Any, Dict

options = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:] if "=" in word)
where = options.get("ServerApp.sock", "")
if os.environ.get("FAKE_LAB") == "broken" or (os.environ.get("FAKE_LAB") == "no sockets" and where):
    sys.exit("ImportError: no module named 'tornado'")
with open(os.environ["JUPYTER_TOKEN_FILE"]) as file:
    TOKEN = "" if os.environ.get("FAKE_LAB") == "unguarded" else file.read()


class Page(http.server.BaseHTTPRequestHandler):
    """`/api/status`, `/lab`, and `/echo`, which gives back what it is sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if TOKEN and self.headers.get("Authorization") != "token " + TOKEN:
            self.answer(403, b"{}")
        elif self.path == "/api/status":
            self.answer(200, json.dumps({"kernels": 2, "started": "2026-01-02T03:04:05Z"}).encode())
        else:
            self.answer(200 if self.path == "/lab" else 404, b"{}")

    def do_POST(self) -> None:
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "somebody"

    def log_message(self, *_args: object) -> None:
        pass


class SocketServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """On a unix socket."""

    daemon_threads = True


class PortServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """On a port."""

    daemon_threads = True


server: Any = SocketServer(where, Page) if where else PortServer(("127.0.0.1", 0), Page)
runtime = os.path.join(os.environ["HOME"], ".local/share/jupyter/runtime")
os.makedirs(runtime, mode=0o700, exist_ok=True)
about: "Dict[str, Any]" = {
    "pid": os.getpid(),
    "root_dir": options["ServerApp.root_dir"],
    "token": TOKEN,
    "base_url": "/",
}
about.update({"sock": where} if where else {"port": server.server_address[1], "hostname": "localhost"})
path = os.path.join(runtime, "jpserver-%d.json" % os.getpid())
with open(path + ".new", "w") as file:
    json.dump(about, file)
os.rename(path + ".new", path)


def leave(_number: int, _frame: object) -> None:
    os.unlink(path)
    os._exit(0)


signal.signal(signal.SIGTERM, leave)
server.serve_forever()
