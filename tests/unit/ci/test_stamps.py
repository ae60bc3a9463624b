"""Stamps tell what has to be made anew."""

from pathlib import Path

from ci.stamps import Stamps, key


def test_a_key_follows_the_content_of_files_not_their_dates(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("a==1")
    before = key("3.11", lock)
    lock.touch()
    assert key("3.11", lock) == before
    lock.write_text("a==2")
    assert key("3.11", lock) != before


def test_a_missing_file_has_a_key_of_its_own(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert key(tmp_path / "none") != key(empty)


def test_facts_do_not_run_together() -> None:
    assert key("a", "bc") != key("ab", "c")


def test_a_step_holds_while_its_key_and_its_products_are_the_same(tmp_path: Path) -> None:
    stamps, product = Stamps(tmp_path / "stamps"), tmp_path / "product"
    assert not stamps.holds("step", "k", ())
    product.touch()
    stamps.put("step", "k")
    assert stamps.holds("step", "k", (product,))
    assert not stamps.holds("step", "other", (product,))
    product.unlink()
    assert not stamps.holds("step", "k", (product,))


def test_a_dropped_stamp_no_longer_holds(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path)
    stamps.put("step", "k")
    stamps.drop(["step", "never made"])
    assert not stamps.holds("step", "k", ())
