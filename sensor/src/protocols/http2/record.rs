//! What is said of the frames of HTTP/2 that carry no request: settings, goodbyes, priorities and resets of streams that
//! never came to one. They stand in the dataset of HTTP beside its transactions.

luytre_events::record! {
    /// A frame of HTTP/2 that is about the connection, or about a stream without a request.
    pub struct Http2Frame in "http" {
        /// Version as spoken: always 2.
        version: Option<String> = "http.version", Keyword, Term;
        /// Stream of the frame; 0 is the connection.
        stream_id: Option<u64> = "http2.stream_id", Long, Term;
        /// What the frame is: settings, goaway, priority, reset.
        kind: Option<&'static str> = "http2.frame", Keyword, Term;
        /// Who sent it: client or server.
        sender: Option<&'static str> = "http2.sender", Keyword, Term;
        /// Names of the settings (RFC 9113 section 6.5.2), in order.
        setting_names: Vec<String> = "http2.settings.name", Keyword list, Term;
        /// Values of the settings, one for each name.
        setting_values: Vec<u32> = "http2.settings.value", Long list, Stored;
        /// Why the stream or the connection ends, by name (RFC 9113 section 7).
        error_code: Option<String> = "http2.error_code", Keyword, Term;
        /// Weight of the stream as sent, one less than what is meant (RFC 7540 section 6.3).
        priority: Option<u64> = "http2.priority", Long, Stored;
        /// The last stream that the sender of a goodbye has worked on.
        last_stream_id: Option<u64> = "http2.last_stream_id", Long, Stored;
        /// What a goodbye says to people.
        debug_data: Option<String> = "http2.debug_data", Keyword, Stored;
    }
}
