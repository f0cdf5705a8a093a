"""Machinery that knows nothing of pictures.

kernel compiles loops and keeps them between runs, with machine_code and object_files; threads splits work over cores;
memory sets up the allocator; open3d imports a library that needs help to be found.
"""
