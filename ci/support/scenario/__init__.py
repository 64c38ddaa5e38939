"""Simulation for scenario tests: cores, peers with their own SRTP, links with delay and loss, a virtual clock."""
