"""Read and write calibrations: one module a family of formats; `read` tells them apart."""
