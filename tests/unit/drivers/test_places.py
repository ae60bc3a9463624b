"""Where an installed harness keeps what is no Python."""

from __future__ import annotations

from pathlib import Path

from compat.drivers import places


def test_in_a_checkout_it_is_the_checkout() -> None:
    assert places.in_checkout()
    assert places.root(environ={}) == Path(places.__file__).resolve().parents[2]


def test_an_installed_package_keeps_to_a_folder_of_its_version_in_the_users_data(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "compat"
    assert not places.in_checkout(package)
    home = places.root(package, {"XDG_DATA_HOME": str(tmp_path / "data")})
    assert home.parent == tmp_path / "data" / "bullmq-compat"
    assert home.name[0].isdigit()


def test_a_folder_that_is_named_is_used(tmp_path: Path) -> None:
    assert places.root(tmp_path, {places.HOME: str(tmp_path / "mine")}) == tmp_path / "mine"
