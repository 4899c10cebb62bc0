"""What a figure depends on besides the code."""

import os
import platform
import shutil
import subprocess

# Those whose versions are recorded with the figures.
PACKAGES = ['libgrpc++1.51', 'libprotobuf32', 'librocksdb7.8', 'openssh-client', 'websocketd', 'python3-django']


def first(path, key):
    with open(path) as lines:
        for line in lines:
            name, _, value = line.partition(':')
            if name.strip() == key:
                return value.strip()
    return 'unknown'


def describe():
    return {
        'processor': first('/proc/cpuinfo', 'model name'),
        'cores': os.cpu_count(),
        'memory_gb': round(int(first('/proc/meminfo', 'MemTotal').split()[0]) / 1e6),
        'kernel': platform.release(),
        'system': platform.freedesktop_os_release().get('PRETTY_NAME', 'unknown'),
        'load_before': os.getloadavg()[0],
    }


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()


def versions(root):
    found = {'commit': output('git', '-C', str(root), 'describe', '--always', '--dirty')}
    if shutil.which('dpkg-query'):
        for line in output('dpkg-query', '-W', '-f=${Package} ${Version}\n', *PACKAGES).splitlines():
            package, _, version = line.partition(' ')
            if version:
                found[package] = version
    return found
