"""Prints the measurements of the benchmark."""

from __future__ import annotations

from typing import Any

from sandbox.bench.costs import ASSETS_A_DAY, DAYS_A_MONTH
from sandbox.bench.on_lambda import FULL_CORE_MB, INIT_SECONDS, SIZES_MB, Work
from sandbox.console import Console
from sandbox.lake import LAYERS

ROUNDS = 4
"""Rounds of an evening."""


def report(measured: dict[str, Any], console: Console) -> None:
    """Print the measurements as tables."""
    console.say(
        f"\n{measured['papers']} assets, {measured['latency_ms']:.0f} ms per page, "
        f"at most {measured['requests_in_flight_most']} requests in flight "
        f"({measured['requests_in_flight_allowed']} allowed), {measured['connections']} connections"
    )
    console.say(
        f"{measured['seconds_to_last_spec_object']:.1f} s from the start of stage 1 to the last Spec object, "
        f"{measured['times_the_floor']:.2f} times the minimum of {measured['floor_seconds']:.1f} s"
    )
    console.say()
    console.table(
        ["function", "invocations", "seconds in all", "each", "last one ended after"],
        [
            [
                stage["function"],
                str(stage["invocations"]),
                f"{stage['seconds']:.1f}",
                f"{stage['seconds'] / stage['invocations']:.2f}",
                f"{stage['ended_after_seconds']:.1f}",
            ]
            for stage in measured["stages"]
        ],
    )
    console.say()
    _report_functions(measured["functions"], console)
    if "growth" in measured:
        _report_growth(measured["growth"], console)
    console.say()
    console.table(
        ["request", "per day", "per ticker"],
        [
            [action, str(count), f"{count / measured['papers']:.3f}"]
            for action, count in measured["requests"].items()
        ],
    )
    console.say()
    numbers = {
        "rows": "rows",
        "objects_before": "objects",
        "bytes_before": "bytes",
        "objects_after": "objects after",
        "bytes_after": "bytes after",
        "bytes_of_one_column": "one column's bytes",
    }
    console.table(
        ["layer", "table", *numbers.values()],
        [
            [LAYERS[one["layer"]], one["table"], *(str(one[name]) for name in numbers)]
            for one in measured["partitions"]
        ],
    )
    kept, ledger = measured["pages_bytes"], measured["ledger_bytes"]
    console.say(f"\nStored pages of the day: {kept} bytes; its ledger: {ledger} bytes")
    title = f"A month of {DAYS_A_MONTH} days of {ASSETS_A_DAY} assets, US dollars"
    _report_month(title, measured["month"], console)
    refused = f"The same month if the site refuses every page, with {ROUNDS} rounds per day, US dollars"
    _report_month(refused, measured["refused_month"], console)


def _report_functions(functions: list[dict[str, Any]], console: Console) -> None:
    console.table(
        [
            "function",
            "import CPU s",
            "without byte code",
            "first CPU s",
            "later CPU s",
            "waits s",
            "peak MB",
            "of MB",
        ],
        [
            [
                one["function"],
                f"{one['import_cpu_seconds']:.2f}",
                f"{one['work']['import_cpu']:.2f}",
                f"{one['work']['first_cpu']:.2f}",
                f"{one['work']['later_cpu']:.2f}",
                f"{one['work']['later_waits']:.2f}",
                f"{one['peak_mb']:.0f}",
                str(one["memory_mb"]),
            ]
            for one in functions
        ],
    )
    console.say(
        f"\nOn Lambda, by memory in MB ({FULL_CORE_MB}: a whole core). Seconds: shortest and longest start "
        f"(Lambda starts again after {INIT_SECONDS} s), later invocation. "
        "Thousandths of GB-seconds: start with first invocation, later invocation"
    )
    console.table(
        ["function", *(f"{size}" for size in SIZES_MB)],
        [
            [one["function"], *(_on_lambda(Work(**one["work"]), size) for size in SIZES_MB)]
            for one in functions
        ],
    )


def _on_lambda(work: Work, size: int) -> str:
    quick, slow = work.start_seconds(size)
    start, later = work.gb_seconds(size, 1, 1), work.gb_seconds(size, 0, 1)
    seconds = f"{quick:.1f}-{slow:.1f}, {work.later_seconds(size):.1f}"
    return f"{seconds}; {1000 * start:.0f}, {1000 * later:.0f}"


def _report_growth(growth: dict[str, Any], console: Console) -> None:
    first, last = growth["first"], growth["last"]
    console.say(f"\nA lake of {growth['days']} days, compared with a lake of one day")
    rows = [
        ["stage 1, s", first["stage_1_seconds"], last["stage_1_seconds"]],
        ["workflow, s", first["workflow_seconds"], last["workflow_seconds"]],
        *(
            [action, first["requests"].get(action, 0), last["requests"].get(action, 0)]
            for action in sorted({*first["requests"], *last["requests"]})
        ),
        *(
            [f"report, {name}", first["report"][name], last["report"][name]]
            for name in ("seconds", "cpu_seconds", "peak_mb", "page_bytes")
        ),
        *(
            [f"report, {what}: {name}", first["report"][what].get(name, 0), found]
            for what in ("calls", "received_bytes")
            for name, found in last["report"][what].items()
        ),
    ]
    console.table(
        ["", "one day", f"{growth['days']} days", "ratio"],
        [
            [name, f"{one:.4g}", f"{many:.4g}", f"{many / one:.2f}" if one else "-"]
            for name, one, many in rows
        ],
    )


def _report_month(title: str, months: dict[str, dict[str, Any]], console: Console) -> None:
    console.say(f"\n{title}")
    totals = {
        "in all": "dollars_in_all",
        "beyond the free tier": "dollars_beyond_free_tier",
        "per ticker": "dollars_a_ticker",
        "per ticker, only items that grow with tickers": "dollars_a_ticker_that_grow",
    }
    console.table(
        ["", *(f"{region}, {paid['prices_as_of']}" for region, paid in months.items())],
        [
            *(
                [name, *(f"{paid['dollars'][name]:.4f}" for paid in months.values())]
                for name in next(iter(months.values()))["dollars"]
            ),
            *([title, *(f"{paid[key]:.4g}" for paid in months.values())] for title, key in totals.items()),
        ],
    )
