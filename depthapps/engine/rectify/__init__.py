"""Rectify two photos of one scene from cameras that were not aligned: warp them until their rows line up."""
