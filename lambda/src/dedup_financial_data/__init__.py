"""Stage 6: compacts a complete day's partition into one object with one row for each ticker."""
