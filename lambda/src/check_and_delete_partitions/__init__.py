"""Stage 1: decides the day, clears what the lake holds of it and starts stage 2."""
