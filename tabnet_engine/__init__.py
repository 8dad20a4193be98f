"""TabNet that explains itself: tables, training, run folders, explanations, figures and jobs."""

__version__ = "0.5.0"
