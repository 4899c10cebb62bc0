"""An sshd of our own on loopback, with keys made for it. Nothing of the system's ssh is used,
changed or started: where no sshd is installed, Debian's package is unpacked, not installed, since
installing it would start a service."""

import getpass
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .processes import Daemon, Missing, free_port

# sshd asks for a user and a folder of its own when root starts it. It finds them in a mount namespace
# that nobody else sees.
AS_ROOT = '''
set -e
cp /etc/passwd "$0/passwd"
grep -q ^sshd: /etc/passwd || echo "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin" >>"$0/passwd"
mount --bind "$0/passwd" /etc/passwd
mount -t tmpfs none /run
mkdir -m 755 /run/sshd
exec "$@"
'''


def unpack(folder):
    """Debian's openssh-server in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    download = ['apt-get', '-qq', 'download', 'openssh-server']
    if subprocess.run(download, cwd=folder, stderr=subprocess.DEVNULL).returncode != 0:
        raise Missing('no sshd here; install openssh-server, or let apt-get find it: apt-get update')
    package = next(folder.glob('openssh-server_*.deb'))
    subprocess.run(['dpkg-deb', '-x', package, folder], check=True)
    return folder / 'usr/sbin/sshd'


def find_sshd(folder):
    for candidate in (Path('/usr/sbin/sshd'), folder / 'usr/sbin/sshd'):
        if candidate.exists():
            return candidate
    return unpack(folder)


class Sshd:
    """`command(...)` is what runs a command through it."""

    def __init__(self, tools, work, log):
        if not shutil.which('ssh'):
            raise Missing('no ssh here; install openssh-client')
        sshd = find_sshd(tools / 'openssh-server')
        self.folder = Path(tempfile.mkdtemp(prefix='ssh-', dir=work))
        self.port = free_port()
        self._make_keys()
        command = [sshd, '-D', '-e', '-f', self._write_config()]
        if os.getuid() == 0:
            command = ['unshare', '--mount', 'sh', '-c', AS_ROOT, self.folder, *command]
        self.daemon = Daemon(command, log)
        try:
            self.daemon.wait_until_listening(self.port)
        except RuntimeError as error:
            raise Missing(str(error)) from error

    def _make_keys(self):
        for name in ('host', 'user'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', self.folder / name], check=True)
        shutil.copy(self.folder / 'user.pub', self.folder / 'authorized')
        host = (self.folder / 'host.pub').read_text()
        (self.folder / 'known').write_text(f'[127.0.0.1]:{self.port} {host}')

    def _write_config(self):
        config = self.folder / 'config'
        config.write_text(f'''ListenAddress 127.0.0.1:{self.port}
HostKey {self.folder}/host
AuthorizedKeysFile {self.folder}/authorized
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
''')
        return config

    def command(self, *command):
        return ['ssh', '-F', 'none', '-T', '-p', self.port, '-i', self.folder / 'user',
                '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes',
                '-o', f'UserKnownHostsFile={self.folder}/known', '-o', 'StrictHostKeyChecking=yes',
                f'{getpass.getuser()}@127.0.0.1', *command]

    def stop(self):
        self.daemon.stop()
