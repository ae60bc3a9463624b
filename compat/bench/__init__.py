"""The benchmark: peers side by side on the same workloads, interleaved, on a fresh server each.

`run` makes the measurements, `Summary` takes the medians and ratios, `outcomes` judges the targets.
"""
