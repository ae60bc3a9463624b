"""JSON, byte for byte against Node's own, over values that hypothesis makes up (T145–T147)."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bullmq_ref.jsjson import dumps, loads, utf8

NODE = Path(__file__).resolve().parents[3] / "node"
BATCH = 200

#: Text by UTF-16 units, so that lone surrogates come too; numbers as doubles.
text = st.lists(
    st.sampled_from([0, 10, 34, 47, 65, 127, 0xE9, 0x2028, 0xD83D, 0xDE00, 0xDFFF, 0xFFFF]), max_size=6
).map(lambda units: b"".join(u.to_bytes(2, "big") for u in units).decode("utf-16-be", "surrogatepass"))
keys = text | st.sampled_from(["0", "7", "10", "01", "-1", "4294967294", "4294967295", "1.5", "__proto"])
numbers = st.floats() | st.integers(-(2**53), 2**53).map(float) | st.sampled_from([1e21, 1e-7, 123456789012345680000.0])
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)

#: Builds each value from a description that plain JSON can carry, and writes it both as text and as bytes on the wire.
PROGRAM = """
const build = ([kind, value]) => {
  switch (kind) {
    case 'number': { const b = Buffer.from(value, 'hex'); return b.readDoubleBE(0); }
    case 'text': return String.fromCharCode(...value);
    case 'list': return value.map(build);
    case 'object': return Object.fromEntries(value.map(([k, v]) => [build(k), build(v)]));
    default: return value;
  }
};
const all = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(all.map((d) => Buffer.from(JSON.stringify(build(d))).toString('hex'))));
"""


def describe(value: Any) -> list[Any]:
    if isinstance(value, float):
        return ["number", struct.pack(">d", value).hex()]
    if isinstance(value, str):
        raw = value.encode("utf-16-be", "surrogatepass")
        return ["text", [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]]
    if isinstance(value, list):
        return ["list", [describe(item) for item in value]]
    if isinstance(value, dict):
        return ["object", [[describe(k), describe(v)] for k, v in value.items()]]
    return ["plain", value]


def test_two_hundred_values_are_written_as_node_writes_them() -> None:
    batch: list[Any] = []

    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def collect(value: Any) -> None:
        batch.append(value)

    collect()
    described = json.dumps([describe(value) for value in batch]).encode()
    ran = subprocess.run(
        ["node", "-e", PROGRAM], input=described, capture_output=True, cwd=NODE, timeout=60, check=True
    )
    for value, expected in zip(batch, json.loads(ran.stdout), strict=True):
        written = utf8(dumps(value))
        assert written == bytes.fromhex(expected), value
        assert dumps(loads(dumps(value))) == dumps(value)
