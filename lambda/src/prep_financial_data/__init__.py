"""Stage 4: every new SoR object becomes a SoT object, its columns typed."""
