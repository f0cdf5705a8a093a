"""Read and write files: the only room that touches a disk. Pictures, maps, calibrations, models, videos, sequences."""
