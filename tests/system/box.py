"""A box: a real systemd with its journal and D-Bus on a small Debian, in namespaces of its own, and a desk that is installed there from its
package. Needs root and mmdebstrap; no daemon, no image. A box ends with the process that made it."""
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
from harness import BUILD, Desk, until  # noqa: E402

# Beside what the package depends on: D-Bus for systemctl, polkit for the overlay's daemon, Python for those who attack from inside.
PACKAGES = ["systemd", "systemd-sysv", "dbus", "polkitd", "iproute2", "iputils-ping", "procps", "util-linux", "python3", "yggdrasil", "nftables"]
CLONE_NEWNET = 0x40000000
REPOSITORY = pathlib.Path(__file__).parents[2]
UNITS = {service: f"assist-{service}.service" for service in ("mycelium-supervisor", "identity", "store", "fanout", "courier")}
UNITS["gateway"] = "assist-gateway@1.service"

# From within the new namespaces: the tree under a writable layer, the file systems that systemd wants, then systemd itself.
# pivot_root, not chroot, which would allow no user namespace inside.
BOOT = r"""
set -e
hostname "$NAME"
mount -t overlay overlay -o lowerdir="$TREE",upperdir="$BOX/upper",workdir="$BOX/work" "$BOX/root"
cd "$BOX/root"
: >etc/machine-id
echo "$NAME" >etc/hostname
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/net
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 net/tun:10:200; do
        IFS=: read -r path major minor <<<"$node"
        mknod -m 666 "dev/$path" c "$major" "$minor"
done
ip link set lo up
pivot_root . mnt
umount -l /mnt
mount --make-rshared /  # systemd leaves it as it is in a container; without it, credentials are seen by nobody
exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd systemd.unified_cgroup_hierarchy=1 --log-target=journal
"""


def why_not():
    """Why there can be no box here; None where there can."""
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    if not shutil.which("mmdebstrap"):
        return "needs mmdebstrap"
    done = subprocess.run(["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork", "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


@contextlib.contextmanager
def alone():
    """Tests that run side by side make the package and the tree once."""
    with open(BUILD / "system.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_stale(made):
    inputs = [*(BUILD / "bin").iterdir(), *(REPOSITORY / "units").rglob("*"), *(REPOSITORY / "deploy").rglob("*")]
    return not made.exists() or any(path.stat().st_mtime > made.stat().st_mtime for path in inputs if path.is_file())


def package():
    """The package, of what was built."""
    with alone():
        files = list((BUILD / "package").glob("hero-assistance-server_*.deb"))
        if len(files) != 1 or is_stale(files[0]):
            shutil.rmtree(BUILD / "package", ignore_errors=True)
            done = subprocess.run(["cpack", "--config", "CPackConfig.cmake", "-B", BUILD / "package"], cwd=BUILD, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            files = list((BUILD / "package").glob("hero-assistance-server_*.deb"))
        assert len(files) == 1, files
        return files[0]


def tree():
    """A Debian with all that the package depends on, made once."""
    depends = subprocess.run(["dpkg-deb", "-f", package(), "Depends"], capture_output=True, text=True, check=True).stdout
    names = PACKAGES + sorted({word.strip().split()[0] for word in depends.split(",")} - set(PACKAGES))
    path = BUILD / f"tree-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:12]}"
    with alone():
        if not path.exists():
            make_tree(path, names)
    return path


def make_tree(path, names):
    making = path.with_suffix(".new")
    shutil.rmtree(making, ignore_errors=True)
    sources = next(p for p in map(pathlib.Path, ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")) if p.exists())
    done = subprocess.run(["mmdebstrap", "--variant=minbase", f"--include={','.join(names)}", "bookworm", making, sources],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    # The distribution's own overlay daemon is only run by those who want one.
    (making / "etc/systemd/system/multi-user.target.wants/yggdrasil.service").unlink(missing_ok=True)
    making.rename(path)


class Box:
    def __init__(self, name="desk"):
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"box-{name}-", dir="/tmp"))
        self.links = 0
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir()
        self.console = open(self.folder / "console", "wb")
        self.outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child",
             "--propagation", "private", "bash", "-c", BOOT],
            env={"PATH": os.environ["PATH"], "NAME": name, "TREE": str(tree()), "BOX": str(self.folder)},
            stdout=self.console, stderr=self.console, stdin=subprocess.DEVNULL)
        try:
            self.pid = until("systemd runs", self.find_systemd)
            until("the box is up", lambda: self.try_run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"))
        except BaseException:
            print((self.folder / "console").read_text(errors="replace")[-4000:], file=sys.stderr)
            self.close()
            raise

    def find_systemd(self):
        assert self.outer.poll() is None, (self.folder / "console").read_text(errors="replace")[-4000:]
        for child in pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return int(child)
        return None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind:
            self.print_journal()
        self.close()

    def print_journal(self, lines=100):
        print(self.try_run("journalctl", "--no-pager", "-n", lines).stdout, file=sys.stderr)

    def close(self):
        if self.outer.poll() is None:
            with contextlib.suppress(ProcessLookupError, AttributeError):
                os.kill(self.pid, signal.SIGRTMIN + 14)      # systemd: power off at once
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.outer.wait(10)
            self.outer.kill()
            self.outer.wait()
        self.console.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- inside ----

    def command(self, *args, environment=None):
        given = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb", "HOME": "/root", **(environment or {})}
        return ["nsenter", "-t", str(self.pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root", "--wd=/", "env", "-i",
                *(f"{name}={value}" for name, value in given.items()), *map(str, args)]

    def try_run(self, *args, environment=None, **options):
        return subprocess.run(self.command(*args, environment=environment), capture_output=True, text=options.pop("text", True), timeout=120, **options)

    def run(self, *args, **options):
        done = self.try_run(*args, **options)
        assert done.returncode == 0, f"{' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def popen(self, *args):
        return subprocess.Popen(self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def put(self, path, text):
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "put", path, input=text)

    def path(self, inside):
        """Where a file of the box is to be seen from outside."""
        return pathlib.Path(f"/proc/{self.pid}/root{inside}")

    def install(self):
        """The desk's package, as an administrator installs it."""
        shutil.copy(package(), self.path("/root/desk.deb"))
        return self.run("dpkg", "-i", "/root/desk.deb")

    def unit(self, unit, *properties):
        """Its properties, as systemd tells them."""
        said = self.run("systemctl", "show", unit, "--property", ",".join(properties))
        return dict(line.split("=", 1) for line in said.splitlines())

    def journal(self, *matches):
        """The records that match, each as a dictionary."""
        return [json.loads(line) for line in self.run("journalctl", "--no-pager", "-o", "json", "--all", *matches).splitlines()]

    @contextlib.contextmanager
    def network(self):
        """This thread, and those it starts, see the box's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self.pid}/ns/net") as theirs:
            assert libc.setns(theirs.fileno(), CLONE_NEWNET) == 0, ctypes.get_errno()
            try:
                yield
            finally:
                assert libc.setns(ours.fileno(), CLONE_NEWNET) == 0, ctypes.get_errno()

    def join(self, other, ours, theirs):
        """A cable to another box, with an address at each end."""
        name = f"c{self.links}"
        self.links += 1
        subprocess.run(["ip", "link", "add", name, "netns", str(self.pid), "type", "veth", "peer", "name", name, "netns", str(other.pid)], check=True)
        for box, address in ((self, ours), (other, theirs)):
            box.run("ip", "address", "add", address, "dev", name, "nodad")
            box.run("ip", "link", "set", name, "up")


class InstalledDesk(Desk):
    """A desk from its package, under systemd. Development settings: each 127.x.y.z of the box is a device."""
    UNITS = UNITS

    def __init__(self, box, settings=None, development=True):
        self.box, self.port, self.address = box, 7272, "127.0.0.1:7272"
        self.services = tuple(self.UNITS)
        self.processes, self.devices = {}, {}
        self.root = box.path("")
        self.home = "/root/state"
        box.install()
        self.ctl("project", "init", *(["--development"] if development else []))
        self.configure(settings)

    def settings_folder(self):
        return self.box.path("/etc/assist/assist.conf.d")

    def start(self, *services):
        if not services:
            self.box.run("systemctl", "start", "assist.target")
        for service in services or self.services:
            self.box.run("systemctl", "start", self.UNITS[service])
        until("the gateway answers", self.is_healthy)

    def main_pid(self, service):
        """As seen from outside of the box; None while it does not run."""
        inside = self.box.unit(self.UNITS[service], "MainPID")["MainPID"]
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                status = (folder / "status").read_text()
                if re.search(rf"^NSpid:\t\d+\t{inside}$", status, re.MULTILINE) and os.readlink(folder / "ns/pid") == self.pid_namespace():
                    return int(folder.name)
        return None

    def pid_namespace(self):
        return os.readlink(f"/proc/{self.box.pid}/ns/pid")

    def is_active(self, service):
        return self.box.unit(self.UNITS[service], "ActiveState")["ActiveState"] == "active"

    def runs_anew(self, service, before):
        now = self.box.unit(self.UNITS[service], "MainPID", "ActiveState")
        return now["ActiveState"] == "active" and now["MainPID"] not in ("0", before["MainPID"])

    def crash(self, service):
        """kill -9; systemd starts it again."""
        before = self.box.unit(self.UNITS[service], "MainPID")
        self.box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", self.UNITS[service])
        until(f"{service} is back", lambda: self.runs_anew(service, before))

    def restart(self, service):
        self.box.run("systemctl", "restart", self.UNITS[service])

    def freeze(self, service):
        """As one that hangs: its watchdog ends it, and systemd starts it again."""
        before = self.box.unit(self.UNITS[service], "MainPID")
        self.box.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", self.UNITS[service])
        until(f"{service} is back", lambda: self.runs_anew(service, before))

    def stop(self):
        for device in self.devices.values():
            device.close()
        self.box.run("systemctl", "stop", "assist.target")

    def close(self):
        pass

    def print_logs(self, lines=60):
        self.box.print_journal(lines)

    def run_ctl(self, *args):
        return self.box.try_run("assistctl", *args)

    def run_assist(self, device, *args, **options):
        return self.box.try_run(*self.assist_command(device, *args), environment={"XDG_STATE_HOME": self.home, "TZ": "UTC"}, **options)

    def assist_command(self, device, *args):
        return ["assist", "--project", self.address, "--from", device, *map(str, args)]

    def secrets(self):
        return self.box.path(f"{self.home}/assist")
