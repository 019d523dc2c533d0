"""Where scripts/start.sh may do as it likes: a network, processes, /etc and /var/lib of its own, so that the machine's own desk, users
and ports stay as they are. All that runs in it ends with it. Needs root."""
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("ASSIST_BUILD", REPOSITORY / "build"))

# What is written to /etc and /var/lib lies on a file system in memory, and the machine's own demo is not seen.
SETUP = """
ip link set lo up
mount -t tmpfs -o mode=755 assist-sandbox {upper}
for folder in etc var/lib; do
        mkdir -p {upper}/$folder/upper {upper}/$folder/work
        mount -t overlay -o lowerdir=/$folder,upperdir={upper}/$folder/upper,workdir={upper}/$folder/work overlay /$folder
done
rm -rf /var/lib/assist-demo
echo ready
exec sleep infinity
"""


def why_not():
    """Why there can be no sandbox here; None where there can."""
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    folder = tempfile.mkdtemp(prefix="sandbox-", dir="/tmp")
    setup = SETUP.format(upper=folder).replace("exec sleep infinity", "")
    done = subprocess.run(["unshare", "--net", "--mount", "bash", "-ec", setup], capture_output=True, text=True)
    os.rmdir(folder)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


class Sandbox:
    """uid: whose commands run in it."""

    def __init__(self, uid=0):
        self.uid = uid
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sandbox-", dir="/tmp"))
        self.folder.chmod(0o755)
        (self.folder / "upper").mkdir()
        self.home = self.folder / "home"
        self.home.mkdir()
        os.chown(self.home, uid, uid)
        self.copy()
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-ec",
                                        SETUP.format(upper=self.folder / "upper")], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        self.inside = children.read_text().split()[0]

    def copy(self):
        """The repository where everybody may read it; what is in its build folder was built."""
        self.checkout = self.folder / "hero-assistance"
        for name in ("scripts", "units"):
            shutil.copytree(REPOSITORY / name, self.checkout / name)
        (self.checkout / "build/bin").mkdir(parents=True)
        for program in (BUILD / "bin").glob("assist*"):
            shutil.copy(program, self.checkout / "build/bin")
        for path in self.checkout.rglob("*"):
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))

    def run(self, script, cwd=None, **environment):
        """A script in bash."""
        command = ["nsenter", "--target", self.inside, "--net", "--mount", "--pid"]
        if self.uid:
            command += ["setpriv", "--reuid", str(self.uid), "--regid", str(self.uid), "--clear-groups"]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        script = f"cd {shlex.quote(str(cwd or self.checkout))} && {{ {script}\n}}"
        return subprocess.run(command + ["bash", "-c", script], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={**kept, "HOME": str(self.home), **environment})

    def must(self, script, **environment):
        done = self.run(script, **environment)
        assert done.returncode == 0, f"{script}\n{done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
