"""Stage 6 compacts the partition of a complete day into one object with one row per ticker."""
