"""An interpreter transcribed from the standard, and the random machines on which the engine must agree with it."""
