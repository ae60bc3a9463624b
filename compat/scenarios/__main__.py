"""`python -m compat.scenarios` writes the JSON schema of a scenario to stdout: `docs/scenario.schema.json`."""

import sys

from compat.scenarios.schema import text

sys.stdout.write(text())
