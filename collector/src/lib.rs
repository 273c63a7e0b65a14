//! Events in, alerts and answers out.
