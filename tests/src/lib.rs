//! Everything that needs more than one part.
