//! Files that flows carry: cut out, hashed, typed.

pub mod record;
