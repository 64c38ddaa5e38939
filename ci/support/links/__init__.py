"""A seeded simulator of limited links in virtual time: publisher, server's congestion control, link and viewer."""
