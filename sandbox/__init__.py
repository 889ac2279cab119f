"""The local run: a whole day of the lake on an AWS emulator, with a sample of the Fundamentus site."""
