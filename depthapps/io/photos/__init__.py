"""Read and write pictures, and read what their files contain beside them: metadata, a second view, depth."""

import logging

for _name in ("PIL", "tifffile"):  # what they log of damaged files goes to stderr where nobody listens
    logging.getLogger(_name).addHandler(logging.NullHandler())
