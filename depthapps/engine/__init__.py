"""Find the disparity of a stereo pair: align the views, match them, fill occlusions and choose per pixel."""
