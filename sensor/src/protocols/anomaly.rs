//! The `anomaly` dataset: what is odd about a flow, told once a flow and name.

luytre_events::record! {
    /// Something in a flow that an ordinary program would not send: malformed, evasive, out of place.
    pub struct Anomaly in "anomaly" {
        /// Its short fixed name, after the protocol or stage that noticed it: dns.malformed, tcp.conflicting_overlap.
        name: &'static str = "anomaly.name", Keyword, Column;
    }
}
