"""Match two aligned views (SGBM at several sizes), fill holes and refine depth edges."""
