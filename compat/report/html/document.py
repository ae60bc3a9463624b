"""A document: the shell of every page, which loads nothing."""

from __future__ import annotations

from importlib.resources import files

from compat.report.html.markup import Child, Markup, el

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def document(title: str, *body: Child) -> str:
    """The whole of it, with the pages' own style inside."""
    head = (
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("title", title),
        el("style", own("page.css")),
    )
    return f"<!doctype html>\n{el('html', el('head', *head), el('body', *body), lang='en')}\n"


def own(name: str) -> Markup:
    """A file of this package: a style or a script."""
    return Markup(files(__package__).joinpath(name).read_text("utf-8"))
