"""What a user wants to see after a day: what landed, what did not, what took long, and some answers."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.athena import Athena
from sandbox.console import Console
from sandbox.day import Day, ticker_of
from sandbox.lake import LAYERS, Table

LARGEST_MOVES = "The day's largest moves"
QUERIES = {
    "The highest dividend yields among liquid stocks": """
        SELECT nome_papel, nome_empresa, vlr_cot, vlr_ind_div_yield
        FROM {sot_acoes}
        WHERE anomesdia_exec = {day} AND vol_med_neg_2m > 1000000
        ORDER BY vlr_ind_div_yield DESC
        LIMIT 10""",
    "Funds by segment": """
        SELECT segmento, count(*) AS fundos, round(avg(vlr_div_yield), 2) AS dy_medio,
               round(avg(vlr_p_sobre_vp), 2) AS pvp_medio
        FROM {sot_fiis}
        WHERE anomesdia_exec = {day}
        GROUP BY segmento
        ORDER BY fundos DESC, segmento""",
    LARGEST_MOVES: """
        SELECT codigo_ticker_ativo, tipo_ativo, nome_ativo, vlr_cot, round(pct_var_dia * 100, 2) AS var_dia
        FROM {spec_ativos}
        WHERE anomesdia_exec = {day}
        ORDER BY abs(pct_var_dia) DESC
        LIMIT 10""",
}


def show_tables(day: Day, console: Console) -> None:
    """Print rows and objects a table."""
    snapshot = day.snapshot()
    rows = [
        [
            LAYERS[one.layer],
            f"{one.database}.{one.name}",
            str(sum(stored.rows for stored in snapshot.objects[one])),
            str(len(snapshot.objects[one])),
        ]
        for one in day.lake.tables
    ]
    console.say(f"\nThe lake on {day.number}, after the dedup workflow")
    console.table(["layer", "table", "rows", "objects"], rows)


def show_failures(day: Day, console: Console) -> None:
    """Print the tickers that failed for good, and those that the site lists but has no page of."""
    failed = sorted(ticker_of(body) for bodies in day.failed_tickers().values() for body in bodies)
    console.say(f"\nTickers that failed: {', '.join(failed)}" if failed else "\nNo ticker failed.")
    missing = day.tickers_without_page()
    if missing:
        console.say(f"Listed, but without a page on the site: {', '.join(missing)}")


def show_stages(day: Day, console: Console) -> None:
    """Print what each function took."""
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
    console.say("\nSeconds a stage")
    console.table(["function", "invocations", "in all", "each", "last one ended after"], rows)


def show_notice(notice: Mapping[str, str], console: Console) -> None:
    """Print what is told of the day to whoever asks to be told."""
    console.say("\nThe notice of the day")
    console.say("\n".join(f"  {line}".rstrip() for line in notice["text"].split("\n")))


def example_queries(tables: tuple[Table, ...], day: int) -> dict[str, str]:
    """Return queries worth asking of a day, by what they ask."""
    names = {f"{one.layer}_{one.kind or 'ativos'}": f"{one.database}.{one.name}" for one in tables}
    return {question: " ".join(sql.format(**names, day=day).split()) for question, sql in QUERIES.items()}


def show_answers(day: Day, athena: Athena, console: Console) -> None:
    """Ask Athena the example queries and print what it answers."""
    for question, sql in example_queries(day.lake.tables, day.number).items():
        answer = athena.ask(sql)
        console.say(f"\n{question}")
        console.table(answer.columns, answer.rows)
