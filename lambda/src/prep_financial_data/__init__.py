"""Stage 4 writes a SoT object with typed columns for each new SoR object."""
