//! What is said of an exchange of times.

use luytre_events::value::TimeNs;

luytre_events::record! {
    /// One question for the time with its answer, or one message of another kind.
    pub struct NtpExchange in "ntp" {
        /// Version of the protocol.
        version: u64 = "ntp.version", Long, Term;
        /// client (a question and its answer), server (an answer alone), symmetric active, symmetric passive, broadcast,
        /// control or private.
        mode: &'static str = "ntp.mode", Keyword, Column;
        /// Whether a question was answered.
        answered: Option<bool> = "ntp.answered", Boolean, Column;
        /// Steps between the server and a clock; 0 refuses, 16 is not set.
        stratum: Option<u64> = "ntp.stratum", Long, Term;
        /// The clock or server that the server sets itself by; the reason where it refuses.
        reference_id: Option<String> = "ntp.reference_id", Keyword, Term;
        /// What the server says about the next leap second: insert, delete or unsynchronized.
        leap: Option<&'static str> = "ntp.leap", Keyword, Term;
        /// When the server's clock was last set.
        reference_time: Option<TimeNs> = "ntp.reference_time", Date, Stored;
        /// When the question came, by the server's clock.
        receive_time: Option<TimeNs> = "ntp.receive_time", Date, Stored;
        /// When the message was sent, by the sender's clock.
        transmit_time: Option<TimeNs> = "ntp.transmit_time", Date, Stored;
        /// How far the server's clock is ahead of the sensor's, in nanoseconds, as far as a sensor on the way can tell.
        offset_ns: Option<i64> = "ntp.offset", Long, Term;
        /// Nanoseconds from question to answer.
        duration_ns: Option<u64> = "event.duration", Long, Column;
        /// Number of what is wanted by a control or private message: 42 is the list of recent clients (mode 7).
        operation: Option<u64> = "ntp.operation", Long, Term;
        /// True when a control or private message is an answer.
        response: Option<bool> = "ntp.response", Boolean, Term;
        /// True when the message is authenticated.
        authenticated: Option<bool> = "ntp.authenticated", Boolean, Term;
        /// Bytes of the message, the answer's where there is one.
        size_bytes: u64 = "ntp.size", Long, Stored;
    }
}
