"""Computes how long a function runs with its share of a core on Lambda, from its CPU time and waits.

Lambda gives a function CPU in proportion to its memory, with a whole core at 1,769 MB (Lambda's developer
guide, "Configure Lambda function memory"). More memory makes computation faster at the same cost. With less
memory, a wait costs less and takes the same time.
"""

from __future__ import annotations

from dataclasses import dataclass

FULL_CORE_MB = 1769
SIZES_MB = (320, 512, 1024)

RUNTIME_MB = 30
"""Memory of Lambda's own part of the process, without the interpreter and the handler's modules. Lambda
reports 35 to 40 MB for an empty function; 10 MB of this is the interpreter, which we measure."""


@dataclass(frozen=True)
class Work:
    """The CPU time and the waits of one handler, measured on a whole core.

    Parameters
    ----------
    import_cpu
        CPU seconds of the import, without byte code.
    first_cpu, first_waits
        CPU seconds, and seconds of waiting, during a process's first invocation.
    later_cpu, later_waits
        CPU seconds, and seconds of waiting, during a later invocation.
    """

    import_cpu: float
    first_cpu: float
    first_waits: float
    later_cpu: float
    later_waits: float

    def start_seconds(self, memory_mb: float) -> float:
        """Return how many seconds a start takes with only the function's share of a core."""
        return self.import_cpu / share(memory_mb)

    def gb_seconds(self, memory_mb: float, starts: int, invocations: int) -> float:
        """Return the billed GB-seconds, assuming that each start gets only the function's share of a core."""
        first = min(starts, invocations)
        later = invocations - first
        cpu = first * (self.import_cpu + self.first_cpu) + later * self.later_cpu
        waits = first * self.first_waits + later * self.later_waits
        return (cpu / share(memory_mb) + waits) * memory_mb / 1024


def share(memory_mb: float) -> float:
    """Return the share of a core that one thread gets at this memory size; at most 1, a whole core."""
    return min(1.0, memory_mb / FULL_CORE_MB)
