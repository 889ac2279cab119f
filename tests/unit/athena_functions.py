"""Queries with functions of Athena's SQL, and the expected rows.

The queries are in the order of Athena's documentation. Expected arrays and maps are texts, as in Athena's
results. The list leaves out functions that are the same in DuckDB.
"""

from __future__ import annotations

import datetime

ONE_TWO_THREE = "FROM (VALUES 1, 2, 3) AS t(x)"
PAIRS = "FROM (VALUES ('a', 1), ('b', 2), ('c', 3)) AS t(k, v)"
DAY = datetime.date(2026, 11, 27)

FUNCTIONS = [
    # Conditional expressions
    ("SELECT try(1 / 0), CASE WHEN 1 = 1 THEN 'x' END", [None, "x"]),
    # Conversion
    ("SELECT format('%s is %d', 'a', 3)", ["a is 3"]),
    # Mathematical
    ("SELECT 7 / 2, -7 / 2, 7 / 2.0e0, mod(7, 3)", [3, -3, 3.5, 1]),
    ("SELECT sum(x) / count(*) FROM (VALUES 1, 2, 4) AS t(x)", [2]),
    ("SELECT width_bucket(5.5, 0, 10, 4), width_bucket(-1, 0, 10, 4), width_bucket(10, 0, 10, 4)", [3, 0, 5]),
    ("SELECT log(2, 8), power(2, 3), truncate(2.9e0), sign(-3)", [3.0, 8.0, 2.0, -1]),
    ("SELECT is_nan(nan()), infinity() > 1e300", [True, True]),
    # Bitwise
    ("SELECT bitwise_and(6, 3), bitwise_or(6, 3), bitwise_xor(6, 3)", [2, 7, 5]),
    # String
    (
        "SELECT split('a,b', ','), reverse('abc'), codepoint('A'), levenshtein_distance('abc', 'abd')",
        ["[a, b]", "cba", 65, 1],
    ),
    # Regular expressions
    (r"SELECT regexp_like('PETR4', '^[A-Z]{4}\d'), regexp_like('1a', '^[A-Z]')", [True, False]),
    (r"SELECT regexp_extract('PETR4F', '([A-Z]+)(\d+)', 2), regexp_count('a1b2', '\d')", ["4", 2]),
    (
        r"SELECT regexp_replace('PETR4', '([A-Z]+)(\d)', '$2-$1'), regexp_replace('a1b2', '\d')",
        ["4-PETR", "ab"],
    ),
    (r"SELECT regexp_split('a1b', '\d'), regexp_extract_all('1a 2b', '\d')", ["[a, b]", "[1, 2]"]),
    # Binary
    ("SELECT to_hex(md5(to_utf8('a')))", ["0CC175B9C0F1B6A831C399E269772661"]),
    # JSON
    ("""SELECT json_extract_scalar('{"a": {"b": "c"}}', '$.a.b')""", ["c"]),
    ("""SELECT json_array_length('[1, 2, 3]'), json_size('{"a": {"b": 1, "c": 2}}', '$.a')""", [3, 2]),
    ("""SELECT json_format(json_extract('{"a": [1, 2]}', '$.a'))""", ["[1,2]"]),
    # Date and time
    ("SELECT date_format(TIMESTAMP '2026-11-27 18:45:09', '%d/%m/%Y %H:%i:%s')", ["27/11/2026 18:45:09"]),
    ("SELECT date_parse('27/11/2026 18:45', '%d/%m/%Y %H:%i')", [datetime.datetime(2026, 11, 27, 18, 45)]),
    ("SELECT date_add('month', 1, DATE '2026-11-27')", [datetime.date(2026, 12, 27)]),
    (
        "SELECT date_trunc('month', DATE '2026-11-27'), DATE '2026-11-27' - INTERVAL '3' DAY",
        [datetime.date(2026, 11, 1), datetime.date(2026, 11, 24)],
    ),
    ("SELECT date_trunc('hour', TIMESTAMP '2026-11-27 18:45:09')", [datetime.datetime(2026, 11, 27, 18)]),
    (
        "SELECT day_of_week(d), year(d), last_day_of_month(d) FROM (VALUES DATE '2026-11-27') AS t(d)",
        [5, 2026, datetime.date(2026, 11, 30)],
    ),
    ("SELECT format_datetime(TIMESTAMP '2026-11-27 18:45:09', 'dd/MM/yyyy HH:mm')", ["27/11/2026 18:45"]),
    ("SELECT to_iso8601(DATE '2026-11-27')", ["2026-11-27"]),
    (
        "SELECT TIMESTAMP '2026-11-27 12:00:00 UTC' AT TIME ZONE 'America/Sao_Paulo'",
        [datetime.datetime(2026, 11, 27, 9)],
    ),
    ("SELECT date('2026-11-27'), to_unixtime(TIMESTAMP '1970-01-01 00:01:00')", [DAY, 60.0]),
    # Aggregate
    (f"SELECT approx_percentile(x, 0.5), approx_distinct(x), count_if(x > 1) {ONE_TWO_THREE}", [2, 3, 2]),
    (f"SELECT map_agg(k, v), element_at(map_agg(k, v), 'b') {PAIRS}", ["{a=1, b=2, c=3}", 2]),
    (
        f"SELECT array_agg(x ORDER BY x DESC), bool_and(x > 0), stddev(x) {ONE_TWO_THREE}",
        ["[3, 2, 1]", True, 1.0],
    ),
    ("SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a') AS t(x)", ["a,b"]),
    (f"SELECT corr(x, 2 * x), regr_slope(2 * x, x) {ONE_TWO_THREE}", [1.0, 2.0]),
    # Window
    (
        f"SELECT lag(x) OVER (ORDER BY x), rank() OVER (ORDER BY x DESC) {ONE_TWO_THREE} ORDER BY x LIMIT 1",
        [None, 3],
    ),
    # Array
    (
        "SELECT array_join(ARRAY['a', NULL, 'b'], ', '), array_join(ARRAY['a', NULL], ',', '-')",
        ["a, b", "a,-"],
    ),
    (
        "SELECT cardinality(ARRAY[1, 2]), contains(ARRAY[1, 2], 2), element_at(ARRAY[1, 2, 3], -1)",
        [2, True, 3],
    ),
    ("SELECT slice(sequence(1, 9, 2), 2, 2), array_max(ARRAY[3, 1])", ["[3, 5]", 3]),
    # Map
    ("SELECT element_at(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), 'b'), MAP(ARRAY['a'], ARRAY[1])['a']", [2, 1]),
    ("SELECT map_keys(m), map_values(m) FROM (VALUES MAP(ARRAY['a'], ARRAY[1])) AS t(m)", ["[a]", "[1]"]),
    # Lambda
    ("SELECT transform(ARRAY[1, 2], x -> x * 2), filter(ARRAY[1, 2], x -> x > 1)", ["[2, 4]", "[2]"]),
    ("SELECT reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s)", [6]),
    ("SELECT any_match(ARRAY[1, 2], x -> x > 1), none_match(ARRAY[1, 2], x -> x > 1)", [True, False]),
    # URL
    ("SELECT url_extract_host('https://a.b/c?d=1'), url_extract_path('https://a.b/c?d=1')", ["a.b", "/c"]),
    # SELECT
    (f"SELECT x {ONE_TWO_THREE} ORDER BY x OFFSET 1 LIMIT 1", [2]),
    ("-- of;\n/* a query\n*/ (SELECT regexp_like('ação 😀', 'ç'), 3 / 2 -- one\n)", [True, 1]),
    ("SELECT a.x, b.y FROM (VALUES 1) AS a(x), (VALUES 2) AS b(y)", [1, 2]),
]
