"""Stage 1: decides the run day, clears its data from the lake and starts stage 2."""
