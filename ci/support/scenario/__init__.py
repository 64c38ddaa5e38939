"""A world for scenario tests: cores, peers with SRTP of their own, links with delay and loss, and a virtual clock."""
