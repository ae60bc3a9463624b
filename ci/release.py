"""A release: all that it needs is looked at; then version, CHANGELOG and tag are made, if asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ci import docs, suite, wheel
from ci.house import House
from ci.process import SetUpError, tail

USAGE = "python3 ci release VERSION [--tag], as in: python3 ci release 1.0.0"
USAGE_ERROR = 64
BRANCH = "main"
CHECKED = "checked"  # the stamp of `python3 ci check`: the tree on which all has passed

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_LINE = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
_UNRELEASED = "## [Unreleased]"
_FORETOLD = re.compile(r"^## \[Unreleased\]\n(?:\nTo be [^\n]+\n)?", re.MULTILINE)
_STABLE = re.compile(r"^(\d{4}-\d\d-\d\d)T\S+ .* against .*$", re.MULTILINE)
_CLEAN = re.compile(r"^ *0 differences; 0 of [\d,]+ runs? not as the oracle", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """Something that a release needs. `look` says what is missing and what to do; nothing when all is well."""

    name: str
    look: Callable[[], str]


class Repository:
    """The git repository of a checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *words: str, text: str | None = None) -> str:
        """What git says, without the end of the line. Raises `SetUpError` where it refuses."""
        done = subprocess.run(["git", *words], cwd=self.root, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            advice = "see what git says; nothing else was changed."
            raise SetUpError(f"git {words[0]}", tail(done.stderr or done.stdout), advice)
        return done.stdout.rstrip("\n")

    @property
    def changed(self) -> list[str]:
        """Files that are not as they were committed."""
        return [line[3:] for line in self.git("status", "--porcelain").splitlines()]

    @property
    def tree(self) -> str:
        """What is committed, as one digest: equal for equal content."""
        return self.git("rev-parse", "HEAD^{tree}")


def stamp(house: House) -> None:
    """Notes that everything was checked on what is committed now; a tree with changes is not noted."""
    repository = Repository(house.root)
    try:
        if not repository.changed:
            house.stamps.put(CHECKED, repository.tree)
    except (SetUpError, OSError):  # no repository, or no git: there is nothing to release from
        return


def run(house: House, arguments: Sequence[str], trials: Callable[[House], Sequence[Check]] | None = None) -> int:
    """Looks at everything; with `--tag` and nothing missing, makes the commit and the tag. 1 if something is missing.

    What takes minutes is tried only where what is written down is complete.
    """
    words = [word for word in arguments if word != "--tag"]
    if len(words) != 1 or words[0].startswith("-"):
        _say(f"python3 ci release: expected one version; {USAGE}")
        return USAGE_ERROR
    (version,) = words
    if not _VERSION.fullmatch(version):
        _say(f"python3 ci release: {version!r} is no version of the form MAJOR.MINOR.PATCH; {USAGE}")
        return USAGE_ERROR
    if not (_all_well(stated(house, version)) and _all_well((trials or tried)(house))):
        _say(f"{version} is not ready: nothing was changed")
        return 1
    if "--tag" not in arguments:
        _say(f"{version} is ready; `python3 ci release {version} --tag` makes the commit and the tag")
        return 0
    make(house, version)
    _say(f"v{version} is tagged; `git push --follow-tags` publishes it")
    return 0


def _all_well(checks: Sequence[Check]) -> bool:
    """Looks at all of them, also after one has failed, and tells each."""
    well = True
    for check in checks:
        wrong = check.look()
        _say(f"  {'missing' if wrong else 'ok':8}{check.name}{f': {wrong}' if wrong else ''}")
        well &= not wrong
    return well


def stated(house: House, version: str) -> tuple[Check, ...]:
    """What is written down: seen at once."""
    repository = Repository(house.root)
    return (
        Check("version", lambda: _version(house, repository, version)),
        Check("branch", lambda: _branch(repository)),
        Check("tree", lambda: _tree(repository)),
        Check("CHANGELOG.md", lambda: _changelog(house, version)),
        Check("LIMITS.md", lambda: _limits(house)),
        Check("tests", lambda: _tests(house, repository)),
        Check("stability", lambda: _stability(house)),
    )


def tried(house: House) -> tuple[Check, ...]:
    """What is tried out: takes some minutes."""
    gate = suite.Tool("suite", ("bullmq-compat", "run", "--quiet"))
    return (
        *(Check(tool.name, lambda tool=tool: _tool(house, tool)) for tool in (*suite.LINTERS, gate)),  # type: ignore[misc]
        Check("documentation", lambda: "it cannot be built; see above" if docs.build(house) else ""),
        Check("wheel", lambda: wheel.smoke(house)),
    )


def make(house: House, version: str) -> None:
    """Version, CHANGELOG, commit and tag; the tag holds what the CHANGELOG says."""
    project, log = house.root / "pyproject.toml", house.root / "CHANGELOG.md"
    released = changelog(log.read_text("utf-8"), version, datetime.now(UTC).date().isoformat())
    project.write_text(_LINE.sub(f'version = "{version}"', project.read_text("utf-8"), count=1), "utf-8")
    log.write_text(released, "utf-8")
    repository = Repository(house.root)
    repository.git("commit", "--quiet", "-m", f"Release {version}", "--", project.name, log.name)
    notes = f"bullmq-compat {version}\n\n{entries(released, f'## [{version}]')}\n"
    repository.git("tag", "--annotate", "--cleanup=whitespace", f"v{version}", "-F", "-", text=notes)


def changelog(text: str, version: str, date: str) -> str:
    """The CHANGELOG with what is unreleased under its version, and an empty section above it. A line that foretold the
    version goes."""
    return _FORETOLD.sub(f"{_UNRELEASED}\n\n## [{version}] - {date}\n", text, count=1)


def entries(text: str, heading: str) -> str:
    """What stands below a heading of the CHANGELOG, up to the next of its kind."""
    _, found, after = text.partition(f"\n{heading}")
    return after.partition("\n")[2].partition("\n## ")[0].strip() if found else ""


def _version(house: House, repository: Repository, version: str) -> str:
    found = _LINE.search((house.root / "pyproject.toml").read_text("utf-8"))
    now = found[1] if found else "none"
    if found is None or not _VERSION.fullmatch(now):
        return f"pyproject.toml has version {now}; it must have one of the form MAJOR.MINOR.PATCH"
    if repository.git("tag", "--list", f"v{version}"):
        return f"the tag v{version} is there already; choose a later version"
    if _order(version) < _order(now):
        return f"{version} comes before {now}, which pyproject.toml has; choose a later version"
    return ""


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _branch(repository: Repository) -> str:
    branch = repository.git("branch", "--show-current")
    return "" if branch == BRANCH else f"this is {branch or 'no branch'}; a release is made on {BRANCH}"


def _tree(repository: Repository) -> str:
    changed = repository.changed
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return f"{', '.join(changed[:3])}{more} not committed; commit or remove them" if changed else ""


def _changelog(house: House, version: str) -> str:
    text = (house.root / "CHANGELOG.md").read_text("utf-8")
    if f"\n## [{version}]" in text:
        return f"it has a section for {version} already"
    if "\n- " not in f"\n{entries(text, _UNRELEASED)}":
        return f"there is no entry under `{_UNRELEASED}`; tell what is new"
    return ""


def _limits(house: House) -> str:
    _, heading, after = (house.root / "LIMITS.md").read_text("utf-8").partition("\n## Not yet\n")
    left = re.findall(r"\bT\d{3}(?:\s*[–-]\s*T\d{3})?", after.partition("\n## ")[0])
    if not heading:
        return "it has no section `## Not yet`; the requirements that nothing shows stand there, or `None.`"
    return f"`Not yet` names {', '.join(left)}; show them in a test or a scenario, and strike them" if left else ""


def _tests(house: House, repository: Repository) -> str:
    if house.stamps.holds(CHECKED, repository.tree, ()):
        return ""
    return "they have not passed on what is committed; run `python3 ci check`"


def _stability(house: House) -> str:
    page = house.root / "docs" / "stability.md"
    if not page.exists():
        return f"docs/{page.name} is missing; run `bullmq-compat stability --repeats 100 --page docs/{page.name}`"
    text = page.read_text("utf-8")
    dated = _STABLE.search(text)
    if dated is None:
        return f"docs/{page.name} has no dated result; `bullmq-compat stability --page` writes one"
    return "" if _CLEAN.search(text) else f"the result of {dated[1]} in docs/{page.name} shows differences; find them"


def _tool(house: House, tool: suite.Tool) -> str:
    return "it failed; see above" if suite.failures(house, (tool,)) else ""


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
