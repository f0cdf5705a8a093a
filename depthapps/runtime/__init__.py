"""Compile loops, split work over threads, set up memory and import Open3D; nothing here knows about pictures.

`kernel` compiles loops and keeps them between runs, with the help of `machine_code` and `object_files`. `threads`
splits work over cores. `memory` sets up the allocator. `open3d` imports Open3D, which needs a library that it does not
contain.
"""
