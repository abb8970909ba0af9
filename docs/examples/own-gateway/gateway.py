#!/usr/bin/env python3
"""A gateway in front of S3 in seventy lines: two tries, time limits, and never half an object as a whole one.

    LISTEN=127.0.0.1:8080 UPSTREAMS="127.0.0.1:9001 127.0.0.1:9002" ./gateway.py
"""

import http.client
import itertools
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAMS = [address.rsplit(":", 1) for address in os.environ["UPSTREAMS"].split()]
TURN = itertools.count()
CONNECT_SECONDS, READ_SECONDS = 0.5, 1.0
TRY_AGAIN = {500, 502, 503, 504}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        tries = 1 if self.command == "POST" else 2  # a batch of deletes that may have arrived is not sent again
        first, status = next(TURN), 502
        for turn in range(first, first + tries):
            upstream = http.client.HTTPConnection(*UPSTREAMS[turn % len(UPSTREAMS)], timeout=CONNECT_SECONDS)
            try:
                upstream.connect()
                upstream.sock.settimeout(READ_SECONDS)
                upstream.request(self.command, self.path, body or None, headers)
                answer = upstream.getresponse()
            except TimeoutError:
                status = 504
            except (OSError, http.client.HTTPException):
                status = 502
            else:
                if answer.status not in TRY_AGAIN or turn + 1 == first + tries:
                    return self.relay(answer)
            upstream.close()
        self.send_error(status)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

    def relay(self, answer):
        whole = answer.read() if answer.length is None else None  # of unknown length: small here
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if whole is not None and self.command != "HEAD":
            self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        try:
            self.wfile.write(whole or b"")
            while part := answer.read(65536):
                self.wfile.write(part)
            self.close_connection = self.close_connection or bool(answer.length)  # cut short: so is ours
        except (OSError, http.client.HTTPException):
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


host, port = os.environ["LISTEN"].rsplit(":", 1)
Server((host, int(port)), Gateway).serve_forever()
