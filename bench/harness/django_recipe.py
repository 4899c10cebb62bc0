"""The usual recipe for live output in Django: sys.stdout is replaced by an object that sorts what is
printed by thread into queues, and a streaming response polls the queue of its job's thread.

    django_recipe.py PORT        GET /lines/COUNT/BYTES   GET /stamps/COUNT/INTERVAL_MICROS
"""

import queue
import sys
import threading
import time

import django
from django.conf import settings
from django.core.servers import basehttp
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.urls import path

queues = {}  # of what is printed, by thread


class Router:
    def __init__(self, real):
        self.real = real

    def write(self, text):
        mine = queues.get(threading.get_ident())
        if mine is None:
            return self.real.write(text)
        mine.put(text)
        return len(text)

    def flush(self):
        self.real.flush()


def print_lines(count, size):
    line = 'x' * size
    for _ in range(count):
        print(line)


def print_stamps(count, interval_micros):
    at = time.monotonic()
    for _ in range(count):
        at += interval_micros * 1e-6
        time.sleep(max(0, at - time.monotonic()))
        print(f'{time.clock_gettime_ns(time.CLOCK_MONOTONIC)} '.ljust(80, '.'))


def stream(job):
    printed = queue.Queue()

    def work():
        queues[threading.get_ident()] = printed
        try:
            job()
        finally:
            del queues[threading.get_ident()]

    thread = threading.Thread(target=work)

    def lines():
        thread.start()
        while thread.is_alive():
            try:
                yield printed.get_nowait()
            except queue.Empty:
                pass

    return StreamingHttpResponse(lines(), content_type='text/plain')


urlpatterns = [
    path('lines/<int:count>/<int:size>', lambda _, count, size: stream(lambda: print_lines(count, size))),
    path('stamps/<int:count>/<int:micros>', lambda _, count, micros: stream(lambda: print_stamps(count, micros))),
]

if __name__ == '__main__':
    settings.configure(DEBUG=False, SECRET_KEY='for a benchmark on loopback', ALLOWED_HOSTS=['*'],
                       ROOT_URLCONF=__name__, MIDDLEWARE=[], LOGGING_CONFIG=None)
    django.setup()
    sys.stdout = Router(sys.stdout)
    basehttp.run('127.0.0.1', int(sys.argv[1]), get_wsgi_application(), threading=True)
