"""Times libtaxii on the messages of a folder: NAME.xml each. Prints {"taxii-parse/NAME/libtaxii": nanoseconds, ...}."""

import json
import pathlib
import sys
import time

from libtaxii import messages_11


def best(work, seconds=1.5):
    """The least time of an iteration, in nanoseconds: what disturbs it makes it longer only."""
    least, end = None, time.perf_counter() + seconds
    while least is None or time.perf_counter() < end:
        before = time.perf_counter_ns()
        work()
        took = time.perf_counter_ns() - before
        least = took if least is None else min(least, took)
    return least


def main(folder):
    times = {}
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        octets = path.read_bytes()
        message = messages_11.get_message_from_xml(octets)
        times[f"taxii-parse/{path.stem}/libtaxii"] = best(lambda: messages_11.get_message_from_xml(octets))
        times[f"taxii-write/{path.stem}/libtaxii"] = best(lambda: message.to_xml())
    print(json.dumps(times))


main(sys.argv[1])
