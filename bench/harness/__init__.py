"""The harness of `./dev bench`: what is measured, what it is compared with, and the report of the figures."""
