"""Handshakes of TLS that come to nothing, as fast as they are asked for."""

import socket
import ssl
import threading
import time


HANDSHAKE = b'\x16'  # a record in which the server has agreed, and signed


def client_hello(protocol):
    """What a client of that protocol says first, to which a server has to agree on keys and sign."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    sent = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), sent).do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError('a handshake with nobody was done')


class Refusals:
    """While it is entered: so many handshakes a second at HOST:PORT, which speaks that protocol ('h2', 'http/1.1'), each given
    up after the server has done its part. The client spares itself the work: it says the same each time, and goes."""

    def __init__(self, address, protocol, per_second):
        host, port = address.rsplit(':', 1)
        self.address = (host, int(port))
        self.per_second = per_second
        self.hello = client_hello(protocol)
        self.done = 0
        self.answered = 0  # of these, those for which the server has done its part; the others were closed at once
        self.rate = 0.0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.rate = self.done / (time.monotonic() - self.began)
        self.share = self.answered / max(1, self.done)

    def work(self):
        while not self.stopping.is_set():
            self.try_once()
            ahead = self.began + self.done / self.per_second - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)

    def try_once(self):
        try:
            with socket.create_connection(self.address, timeout=5) as client:
                client.sendall(self.hello)
                self.answered += client.recv(1 << 16)[:1] == HANDSHAKE
        except OSError:
            pass  # it is over, one way or the other
        self.done += 1
