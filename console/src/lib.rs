//! People in, decisions out.
