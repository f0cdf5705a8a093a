"""Match two aligned views (SGBM at several sizes), fill holes, refine depth edges and remove specks."""
