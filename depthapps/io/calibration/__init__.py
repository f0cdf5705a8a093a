"""Read and write calibrations, with one module per family of formats; `read` finds out which format a file has."""
