"""Read and write pictures, maps, calibrations, models, videos and sequences; no other package touches them."""
