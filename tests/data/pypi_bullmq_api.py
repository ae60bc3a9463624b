"""Prints what PyPI's `bullmq`, in the environment that runs this, offers: `{class: {method: parameters}}` as JSON."""

import inspect
import json

import bullmq


def parameters(function):
    """`name`, `name=` (may be left out), `*name`, `**name`; None where Python does not know."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [
        stars.get(one.kind, "") + one.name + ("" if one.default is one.empty else "=")
        for one in found
        if one.name != "self"
    ]


def members(kind):
    told = {"__init__": parameters(kind)}
    for name in sorted(dir(kind)):
        if name.startswith("_") or issubclass(kind, BaseException):
            continue
        member = inspect.getattr_static(kind, name)
        member = getattr(member, "__func__", member)
        told[name] = parameters(member) if callable(member) else "property"
    return told


classes = {name: kind for name, kind in vars(bullmq).items() if inspect.isclass(kind) and name[0] != "_"}
print(json.dumps({name: members(kind) for name, kind in sorted(classes.items())}, indent=1))  # noqa: T201
