#!/usr/bin/env python3
"""What MLRsearch 1.2.1, the reference implementation of RFC 9971, says to the measurements in mlrsearch.rs.

    pip install MLRsearch==1.2.1 && python3 mlrsearch.py > mlrsearch.json

The draws are those of systems.rs, word for word.
"""

import json
import math
import struct
from types import SimpleNamespace

from MLRsearch import AbstractMeasurer, Config, MeasurementResult, MultipleLossRatioSearch, SearchGoal
from MLRsearch.target_stat import TargetStat

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def combine(words):
    state = GOLDEN
    for word in words:
        state = mix(state ^ mix((word + GOLDEN) & MASK))
    return state


class Draws:
    def __init__(self, seed):
        self.state = mix(seed)

    def unit(self):
        self.state = (self.state + GOLDEN) & MASK
        return (mix(self.state) >> 11) / (1 << 53)

    def normal(self):
        a, b = 1.0 - self.unit(), self.unit()
        return math.sqrt(-2.0 * math.log(a)) * math.cos(math.tau * b)


class Threshold(AbstractMeasurer):
    """systems.rs, Threshold::noisy; the number of a trial is that of the trials at its rate, with the rate."""

    def __init__(self, seed):
        self.seed = seed
        self.capacity = 200.0 * 100.0 ** Draws(combine([seed, 0xC])).unit()
        self.seen = {}

    def measure(self, intended_duration, intended_load):
        bits = struct.unpack("<Q", struct.pack("<d", intended_load))[0]
        nth = self.seen.get(bits, 0)
        self.seen[bits] = nth + 1
        draws = Draws(combine([self.seed, combine([bits, nth])]))
        e = 0.03 / math.sqrt(intended_duration) * draws.normal() + 0.005 * draws.normal()
        held = self.capacity * (1.0 + e)
        spoiled = draws.unit() > (1.0 - 0.005) ** intended_duration
        loss = 0.1 if spoiled else max(0.0, 1.0 - held / intended_load)
        offered = 10**9
        return MeasurementResult(
            intended_duration, intended_load, offered, loss_count=math.ceil(loss * offered)
        )


def search(seed):
    system = Threshold(seed)
    goal = SearchGoal(
        loss_ratio=0.0, exceed_ratio=0.35, relative_width=0.04, initial_trial_duration=2.0,
        final_trial_duration=5.0, duration_sum=45.0, preceding_targets=2, fail_fast=False,
    )
    config = Config(goals=[goal], min_load=100.0, max_load=100_000.0, search_duration_max=1e6, warmup_duration=None)
    result = MultipleLossRatioSearch(config).search(system, debug=lambda text: None)[goal]
    bounds = [result.relevant_lower_bound, result.relevant_upper_bound]
    return {
        "seed": seed,
        "capacity": system.capacity,
        "lower": bounds[0] and float(bounds[0]),
        "upper": bounds[1] and float(bounds[1]),
        "trials": sum(system.seen.values()),
    }


def classification(seed):
    draws = Draws(combine([seed, 0xA]))
    target = SimpleNamespace(
        loss_ratio=0.0,
        exceed_ratio=[0.0, 0.1, 0.25, 0.35, 0.5, 0.75][int(draws.unit() * 6)],
        trial_duration=float(1 + int(draws.unit() * 15)),
        duration_sum=float(15 + int(draws.unit() * 45)),
    )
    stat = TargetStat(target)
    bad = draws.unit()
    trials = []
    for _ in range(int(draws.unit() * 16)):
        duration = float(1 + int(draws.unit() * 16))
        loss = round(draws.unit(), 3) if draws.unit() < bad else 0.0
        trials.append([duration, loss])
        stat.add(SimpleNamespace(duration_with_overheads=duration, intended_duration=duration, loss_ratio=loss))
    optimistic, pessimistic = stat.estimates()
    kind = {(True, True): "lower", (False, False): "upper", (True, False): "undecided"}[optimistic, pessimistic]
    return {
        "exceed": target.exceed_ratio,
        "trial": target.trial_duration,
        "sum": target.duration_sum,
        "trials": trials,
        "class": kind,
        "loss": stat.pessimistic_loss_ratio if kind == "lower" else None,
    }


def lines(values):
    return "[\n" + ",\n".join(json.dumps(value) for value in values) + "\n]"


print('{"classes": ' + lines(map(classification, range(400))) + ',\n"searches": ' + lines(map(search, range(100))) + "}")
