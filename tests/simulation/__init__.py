"""Workers, a database that is simulated, and everything that can go wrong with either, from one seed: `python -m tests.simulation`."""
