#!/usr/bin/env python3
"""Knees as kneed 0.9 finds them: pip install kneed==0.9 && python3 knees.py > knees.json"""

import json
import random
import warnings

from kneed import KneeLocator

warnings.simplefilter("ignore")
cases = []
for seed in range(60):
    rng = random.Random(seed)
    capacity = rng.uniform(500, 5000)
    count = rng.randint(5, 25)
    rates = sorted({round(rng.uniform(0.05, 0.99) * capacity, 1) for _ in range(count)})
    base, noise = rng.uniform(2, 20), rng.choice([0.0, 0.05, 0.2])
    latencies, highest = [], 0.0
    for rate in rates:
        latency = round(base / (1 - rate / capacity) * (1 + rng.uniform(-noise, noise)), 3)
        highest = max(highest, latency)
        # Some curves have dips, which only their caller would smooth.
        latencies.append(highest if seed % 3 else latency)
    found = KneeLocator(rates, latencies, S=1.0, curve="convex", direction="increasing")
    cases.append({"x": rates, "y": latencies, "knee": None if found.knee is None else float(found.knee)})
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
