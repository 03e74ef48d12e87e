"""Times that are compared in one run.

The calls take turns in one process; a ratio is the median over rounds of the
ratio within a round, so that a drift of the machine's speed cancels.
"""

import statistics
import time


def compare(title, calls, *, rounds=15, base="stock"):
    """Prints median milliseconds and ratios to `base`; gives the ratios."""
    seconds = time_in_turns(calls, rounds)
    ratios = {}
    print(f"\n{title}: median ms, ratio to {base}")
    for name, values in seconds.items():
        pairs = zip(values, seconds[base], strict=True)
        ratios[name] = statistics.median(one / other for one, other in pairs)
        median = 1000 * statistics.median(values)
        print(f"  {name:<26}{median:>9.1f}{ratios[name]:>8.3f}")
    return ratios


def time_in_turns(calls, rounds):
    seconds = {name: [] for name in calls}
    for turn in range(rounds + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn >= 2:  # the first ones compile
                seconds[name].append(time.perf_counter() - start)
    return seconds
