"""Numbers and dates as Brazilian pages write them, read a whole column at a time.

Every function takes the texts of one column and returns values of one type, null where a text is not of the
form that the function reads. A text that stands for no value (see `without_blanks`) is null before.

The managed layer of AWS SDK for pandas builds Arrow itself, some versions of it without utf8proc, so none of
the functions that need it (``utf8_trim_whitespace`` and the like) is used.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_SPACE = r"[\x00-\x20\x85\p{Z}]+"

# An optional minus, digits with their thousands points all there or all left out, an optional decimal
# comma, an optional percent sign.
_NUMBER = r"^-?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?%?$"
_WHOLE_NUMBER = r"^-?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,0+)?%?$"
_INT64_DIGITS = 19

_DATE = r"^([0-9]{2})/([0-9]{2})/([1-9][0-9]{3})$"
_MOMENT = r"^([0-9]{2})-([0-9]{2})-([1-9][0-9]{3}) ([0-9]{2}:[0-9]{2}:[0-9]{2})$"


def without_blanks(texts: pa.Array) -> pa.Array:
    """Trim the texts and make null those that stand for no value: ``-``, ``-%`` and the empty one."""
    trimmed = pc.replace_substring_regex(texts, rf"^{_SPACE}|{_SPACE}$", "")
    return _where(pc.invert(pc.is_in(trimmed, pa.array(["", "-", "-%"]))), trimmed)


def doubles(texts: pa.Array, *, fractions: bool = False) -> pa.Array:
    """Read numbers as 64-bit floats, each the nearest to the text's decimal value.

    Parameters
    ----------
    texts
        Strings such as ``-1.234,5`` or ``17,5%``.
    fractions
        Read percentages as fractions (``-1,31%`` as -0.0131). Else a percent sign changes nothing.
    """
    plain = _plain(_where(pc.match_substring_regex(texts, _NUMBER), texts))
    # The decimal point moves in the text: a division would round a second time.
    exponent = "e-2" if fractions else "e0"
    values = pc.binary_join_element_wise(plain, exponent, "").cast(pa.float64())
    return _where(pc.is_finite(values), values)


def integers(texts: pa.Array) -> pa.Array:
    """Read whole numbers as 64-bit integers; null for any other number, and for one out of their range."""
    plain = _plain(_where(pc.match_substring_regex(texts, _WHOLE_NUMBER), texts))
    plain = pc.replace_substring_regex(plain, r"[.]0+$", "")
    plain = pc.replace_substring_regex(plain, r"^(-?)0+([0-9])", r"\1\2")
    digits = pc.ascii_ltrim(plain, "-")
    limit = pc.if_else(pc.starts_with(plain, "-"), str(2**63), str(2**63 - 1))
    length = pc.binary_length(digits)
    # Of two numbers with as many digits, the greater is the later in the alphabet too.
    fits = pc.or_(
        pc.less(length, _INT64_DIGITS),
        pc.and_(pc.equal(length, _INT64_DIGITS), pc.less_equal(digits, limit)),
    )
    return _where(fits, plain).cast(pa.int64())


def dates(texts: pa.Array) -> pa.Array:
    """Read dates such as ``31/12/2025``; null for one that the calendar lacks."""
    iso = _rearranged(texts, _DATE, r"\3-\2-\1")
    values = pc.strptime(iso, format="%Y-%m-%d", unit="s", error_is_null=True).cast(pa.date32())
    return _where(_same_text(values, iso), values)


def moments(texts: pa.Array) -> pa.Array:
    """Read moments such as ``31-12-2025 18:59:07``, to timestamps in milliseconds without a zone."""
    iso = _rearranged(texts, _MOMENT, r"\3-\2-\1 \4")
    values = pc.strptime(iso, format="%Y-%m-%d %H:%M:%S", unit="s", error_is_null=True)
    return _where(_same_text(values, iso), values).cast(pa.timestamp("ms"))


def _where(condition: pa.Array, values: pa.Array) -> pa.Array:
    """Return the values, null where the condition is false or null."""
    return pc.if_else(condition, values, pa.scalar(None, values.type))


def _plain(texts: pa.Array) -> pa.Array:
    """Rewrite Brazilian numbers as Arrow reads them: a decimal point, and no other sign but the minus."""
    texts = pc.replace_substring(texts, ".", "")
    texts = pc.replace_substring(texts, ",", ".")
    return pc.ascii_rtrim(texts, "%")


def _rearranged(texts: pa.Array, pattern: str, replacement: str) -> pa.Array:
    matching = _where(pc.match_substring_regex(texts, pattern), texts)
    return pc.replace_substring_regex(matching, pattern, replacement)


def _same_text(values: pa.Array, iso: pa.Array) -> pa.Array:
    """Tell where a value was read as it was written: Arrow reads 31 February as 3 March."""
    return pc.equal(values.cast(pa.string()), iso)
