//! What is said of RTSP: one event a request, one at the end for what was sent in between.

luytre_events::record! {
    /// One request of RTSP, by which cameras and players agree on a stream, with its response.
    pub struct RtspRequest in "rtsp" {
        /// OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN and so on; missing where only the response was seen.
        method: Option<String> = "rtsp.method", Keyword, Column;
        /// What is asked for, without user and password.
        url: Option<String> = "url.original", Keyword, Column;
        /// server, for the few requests that a server makes.
        sender: Option<&'static str> = "rtsp.sender", Keyword, Term;
        /// Version of the protocol.
        version: Option<String> = "rtsp.version", Keyword, Term;
        /// Number that joins request and response.
        sequence: Option<u64> = "rtsp.cseq", Long, Stored;
        /// Number of the result.
        status: Option<u64> = "rtsp.status_code", Long, Column;
        /// Words of the result.
        reason: Option<String> = "rtsp.reason", Keyword, Stored;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the session.
        session: Option<String> = "rtsp.session", Keyword, Term;
        /// How the stream is to travel: RTP/AVP;unicast;client_port=5000-5001.
        transport: Option<String> = "rtsp.transport", Keyword, Term;
        /// Program of the client.
        user_agent: Option<String> = "user_agent.original", Keyword, Column;
        /// Program of the server.
        server: Option<String> = "rtsp.server", Keyword, Column;
        /// How the client proves who it is, or how the server wants it to: Basic, Digest.
        auth: Vec<String> = "rtsp.auth", Keyword list, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// True when a password was sent in the clear; it is not kept.
        password_seen: Option<bool> = "rtsp.password_seen", Boolean, Column;
        /// Name of what is described.
        title: Option<String> = "rtsp.description.name", Keyword, Term;
        /// Streams in it, as the description writes them: video 0 RTP/AVP 96.
        media: Vec<String> = "rtsp.description.media", Keyword list, Term;
        /// Bytes of the stream that were sent between the messages, up to the end of the connection.
        stream_bytes: Option<u64> = "rtsp.stream_bytes", Long, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "rtsp.malformed", Boolean, Term;
    }
}
