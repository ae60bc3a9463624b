"""The door, `python3 ci`: hands over to a Python that is new enough, and there to the commands.

This module and `ci.pythons` keep to the syntax of old Pythons, so that an old one can say what is wrong.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120


def main() -> int:
    """Runs the command in this Python, or again in a newer one; 3 where there is none."""
    sys.path[0] = ROOT
    from ci import pythons

    if not pythons.is_new_enough(sys.version_info):
        newer = pythons.find(os.environ.get("PATH", os.defpath))
        if newer is None:
            sys.stderr.write(pythons.hint(sys.version_info))
            return 3
        os.execv(newer, [newer, os.path.join(ROOT, "ci")] + sys.argv[1:])  # noqa: PTH118, RUF005
    from ci import commands

    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
