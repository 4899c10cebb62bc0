"""A client of HTTP/2 that does what no library would let it do. For tests/faults/attacks."""
import socket
import struct

DATA, HEADERS, RESET, SETTINGS, WINDOW_UPDATE = 0, 1, 3, 4, 8  # frames of HTTP/2, RFC 9113
END_OF_STREAM, ACKNOWLEDGED, END_OF_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
LARGEST_WINDOW = 2**31 - 1


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + struct.pack('>BBI', kind, flags, stream) + payload


def field(name, value):
    """Of a header, without compression (RFC 7541)."""
    return b'\0' + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call_headers(method):
    return (field(':method', 'POST') + field(':scheme', 'http') + field(':path', f'/jobtail.v1.JobService/{method}') +
            field(':authority', 'localhost') + field('content-type', 'application/grpc') + field('te', 'trailers'))


def connect(address):
    host, port = address.rsplit(':', 1)
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.settimeout(10)
    return connection


class Http2:
    """A connection that sends what it is told to, and reads only to learn how much it may send."""

    def __init__(self, address):
        self.socket = connect(address)
        self.streams = 0
        self.window = 65535   # of the connection
        self.initial = 65535  # of a stream
        self.windows = {}
        settings = struct.pack('>HI', INITIAL_WINDOW_SIZE, LARGEST_WINDOW)
        self.socket.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(SETTINGS, 0, 0, settings) +
                            frame(WINDOW_UPDATE, 0, 0, struct.pack('>I', LARGEST_WINDOW - 65535)))

    def begin(self, method):
        stream = 2 * self.streams + 1
        self.streams += 1
        self.windows[stream] = self.initial
        self.socket.sendall(frame(HEADERS, END_OF_HEADERS, stream, call_headers(method)))
        return stream

    def call(self, method, message=b''):
        stream = self.begin(method)
        self.socket.sendall(frame(DATA, END_OF_STREAM, stream, struct.pack('>BI', 0, len(message)) + message))

    def read(self, patience):
        """Takes note of what comes within that time."""
        try:
            while True:
                self.socket.settimeout(patience)  # for a frame to begin; what has begun, comes
                header = self._exactly(9)
                size = struct.unpack('>I', b'\0' + header[:3])[0]
                kind, flags, stream = struct.unpack('>BBI', header[3:])
                payload = self._exactly(size)
                if kind == SETTINGS and not flags & ACKNOWLEDGED:
                    for at in range(0, size, 6):
                        name, value = struct.unpack('>HI', payload[at:at + 6])
                        if name == INITIAL_WINDOW_SIZE:
                            for known in self.windows:
                                self.windows[known] += value - self.initial
                            self.initial = value
                    self.socket.sendall(frame(SETTINGS, ACKNOWLEDGED, 0))
                if kind == WINDOW_UPDATE:
                    more = struct.unpack('>I', payload)[0]
                    if stream == 0:
                        self.window += more
                    elif stream in self.windows:
                        self.windows[stream] += more
                if kind == RESET:
                    self.windows.pop(stream, None)
        except (socket.timeout, BlockingIOError):
            pass
        finally:
            self.socket.settimeout(10)

    def _exactly(self, size):
        parts = b''
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise ConnectionError('closed')
            parts += part
            self.socket.settimeout(10)
        return parts
