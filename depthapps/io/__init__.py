"""The only room that touches a disk: pictures, depth maps, calibrations, models and viewer pages."""
