"""Stereo pair to disparity: the range of disparities, the matching, the filling of what one view cannot see."""
