"""Instruments of tests and benchmarks: they expose C functions to Python and generate load. Not part of the wheel."""
