"""Training: the loop, metrics, callbacks, devices, and the experiment from table to trained model."""
