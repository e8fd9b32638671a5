"""Whether an account of AWS lets a configuration run: asked without changing anything."""
