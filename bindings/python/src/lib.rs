//! The Python module of slaclock.
