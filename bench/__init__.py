"""Benchmarks of the packet path, with real sockets and the real worker: docs/performance.md says how to read them."""
