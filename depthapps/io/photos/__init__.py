"""Read and write pictures, and read what their files contain beside them: metadata, a second view, depth."""
