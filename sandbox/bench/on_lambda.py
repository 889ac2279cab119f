"""What a function takes on Lambda's own share of a core, from its CPU seconds and its waits.

Lambda gives a function CPU in proportion to its memory, a whole core at 1,769 MB (Lambda's developer guide,
"Configure Lambda function memory"). What computes gets the faster the more memory it has, at the same cost;
what waits takes as long with little, and costs less.
"""

from __future__ import annotations

from dataclasses import dataclass

FULL_CORE_MB = 1769
SIZES_MB = (256, 320, 512, 768, 1024, 1769)

RUNTIME_MB = 30
"""What Lambda's own part of the process takes beside the interpreter and what the handler loads: a function
that does nothing is reported with 35 to 40 MB, of which a bare interpreter, which we measure, takes 10."""

INIT_SECONDS = 10
"""What Lambda gives to starting up; where that takes longer it starts over, within the invocation."""


@dataclass(frozen=True)
class Work:
    """What one handler takes on a whole core.

    Parameters
    ----------
    import_cpu
        CPU seconds of the import, without byte code.
    first_cpu, first_waits
        CPU seconds, and seconds of waiting, of the first invocation of a process.
    later_cpu, later_waits
        The same of a later one.
    """

    import_cpu: float
    first_cpu: float
    first_waits: float
    later_cpu: float
    later_waits: float

    def start_seconds(self, memory_mb: float) -> tuple[float, float]:
        """Return the bounds of a start: Lambda lends more than the share then, and does not promise it."""
        return self.import_cpu, self.import_cpu / share(memory_mb)

    def first_seconds(self, memory_mb: float) -> float:
        """Return what the first invocation of a process takes, after its start."""
        return self.first_cpu / share(memory_mb) + self.first_waits

    def later_seconds(self, memory_mb: float) -> float:
        """Return what a later invocation takes."""
        return self.later_cpu / share(memory_mb) + self.later_waits

    def gb_seconds(self, memory_mb: float, starts: int, invocations: int) -> float:
        """Return what is paid for: starts at the share, the bound that costs more, and invocations."""
        first = min(starts, invocations)
        seconds = first * (self.start_seconds(memory_mb)[1] + self.first_seconds(memory_mb))
        seconds += (invocations - first) * self.later_seconds(memory_mb)
        return seconds * memory_mb / 1024


def share(memory_mb: float) -> float:
    """Return the share of a core that a function of some memory has; a thread uses one core at most."""
    return min(1.0, memory_mb / FULL_CORE_MB)
