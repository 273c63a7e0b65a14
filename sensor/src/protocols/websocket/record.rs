//! What is said of a WebSocket frame: one event each.

luytre_events::record! {
    /// One frame of a WebSocket connection.
    pub struct WebSocketFrame in "websocket" {
        /// Who sent it: client or server.
        sender: Option<&'static str> = "websocket.sender", Keyword, Term;
        /// What it is: text, binary, continuation, close, ping, pong, or its number.
        opcode: Option<String> = "websocket.opcode", Keyword, Term;
        /// Whether it is the last one of its message.
        last: Option<bool> = "websocket.final", Boolean, Stored;
        /// Whether its bytes were masked, as those of clients must be.
        masked: Option<bool> = "websocket.masked", Boolean, Stored;
        /// True when the message is compressed (permessage-deflate, RFC 7692).
        compressed: Option<bool> = "websocket.compressed", Boolean, Stored;
        /// Bytes that it carries.
        length: Option<u64> = "websocket.length", Long, Term;
        /// Bytes that were not seen, because the flow ended before.
        missing: Option<u64> = "websocket.missing", Long, Stored;
        /// Beginning of its text.
        text: Option<String> = "websocket.text", Keyword, Term;
        /// Why the connection is closed: a number of RFC 6455 section 7.4.
        close_code: Option<u16> = "websocket.close_code", Long, Term;
        /// The same in words.
        close_reason: Option<String> = "websocket.close_reason", Keyword, Stored;
        /// Protocol inside, as client and server agreed (Sec-WebSocket-Protocol).
        protocol: Option<String> = "websocket.protocol", Keyword, Term;
    }
}
