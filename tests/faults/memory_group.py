"""A control group whose processes have little memory, of either version of control groups. For tests/faults/attacks."""
import os


class MemoryGroup:
    """Made and removed by root, who puts a server in by calling enter() in its process."""

    def __init__(self, size):
        mounts = [('/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.oom_control'),
                  ('/sys/fs/cgroup', 'memory.max', 'memory.events')]
        mount, limit, self.events = next((one for one in mounts if os.path.isdir(one[0])))
        self.path = f'{mount}/jobtail-attack-{os.getpid()}'
        os.mkdir(self.path)
        with open(f'{self.path}/{limit}', 'w', encoding='ascii') as file:
            file.write(str(size))

    def enter(self):
        with open(f'{self.path}/cgroup.procs', 'w', encoding='ascii') as file:
            file.write(str(os.getpid()))

    def kills(self):
        """How many processes the system has ended for want of memory."""
        with open(f'{self.path}/{self.events}', encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('oom_kill '))

    def remove(self):
        os.rmdir(self.path)
