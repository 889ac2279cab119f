"""Prints the results of a day's run: rows, failed tickers, times, the notice and answers of queries."""

from __future__ import annotations

import json
from collections.abc import Mapping

from report.athena import Athena
from sandbox.console import Console
from sandbox.day import Day
from sandbox.lake import LAYERS

SHOWN_QUERIES = ("maiores-dividendos", "formula-magica", "o-que-mudou", "papeis-novos-e-sumidos")
"""Named queries whose answers are printed."""


def show_tables(day: Day, console: Console) -> None:
    """Print the numbers of rows and objects in each table."""
    snapshot = day.snapshot()
    rows = [
        [
            LAYERS[one.layer],
            f"{one.database}.{one.name}",
            str(sum(len(stored.rows) for stored in snapshot.objects[one])),
            str(len(snapshot.objects[one])),
        ]
        for one in day.lake.tables
    ]
    console.say(f"\nThe lake on {day.number}, after the dedup workflow")
    console.table(["layer", "table", "rows", "objects"], rows)


def show_failures(day: Day, console: Console) -> None:
    """Print the tickers that failed permanently, and the listed tickers without a page."""
    failed = sorted(json.loads(body)["ticker"] for bodies in day.failed_tickers().values() for body in bodies)
    console.say(f"\nTickers that failed: {', '.join(failed)}" if failed else "\nNo ticker failed.")
    missing = day.tickers_without_page()
    if missing:
        console.say(f"Listed, but without a page on the site: {', '.join(missing)}")


def show_stages(day: Day, console: Console) -> None:
    """Print how often and how long each function ran."""
    rows = [
        [
            stage.function,
            str(stage.invocations),
            f"{stage.seconds:.1f}",
            f"{stage.seconds / stage.invocations:.1f}",
            f"{stage.ended_after_seconds:.1f}",
        ]
        for stage in day.stage_reports()
    ]
    console.say("\nSeconds per stage")
    console.table(["function", "invocations", "total", "average", "until last end"], rows)


def show_notice(notice: Mapping[str, str], console: Console) -> None:
    """Print the notice, which is the mail about the day."""
    console.say("\nThe notice of the day")
    console.say("\n".join(f"  {line}".rstrip() for line in notice["text"].split("\n")))


def example_query(day: Day) -> str:
    """Return a one-line query for the ten largest price changes in the lake."""
    database = day.lake.table("spec").database
    return (
        "SELECT codigo_ticker_ativo, nome_ativo, vlr_cot, pct_var_dia "  # noqa: S608 - the lake's own names
        f"FROM {database}.vw_ativos_negociados ORDER BY abs(pct_var_dia) DESC LIMIT 10"
    )


def show_answers(athena: Athena, console: Console) -> None:
    """Run some of the queries that are saved in the workgroup, and print Athena's answers."""
    named = athena.named_queries()
    for name in SHOWN_QUERIES:
        answer = athena.ask(named[name].sql)
        if answer.rows:  # without earlier days there are no changes
            console.say(f"\n{named[name].title} ({name})")
            console.table(answer.columns, answer.rows)


def show_names(athena: Athena, console: Console) -> None:
    """Print name and title of each query that is saved in the workgroup."""
    console.table(["name", "title"], [[query.name, query.title] for query in athena.named_queries().values()])
