//! The C interface of slaclock.
