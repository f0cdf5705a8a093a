"""Make one model from many views of a scene: register, fuse, colour and texture them, or close them for printing."""
