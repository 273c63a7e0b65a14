//! What is said of an HTTP transaction: one event a request with its response. And of the frames of HTTP/2 that carry no
//! request: settings, goodbyes, priorities and resets of streams that never came to one.

luytre_events::record! {
    /// One HTTP request and its response.
    pub struct HttpTransaction in "http" {
        /// Method of the request: GET, POST and so on.
        method: Option<String> = "http.request.method", Keyword, Column;
        /// Target of the request as it was sent.
        url_original: Option<String> = "url.original", Keyword, Column;
        /// Path of the target.
        url_path: Option<String> = "url.path", Keyword, Term;
        /// What follows the question mark of the target.
        url_query: Option<String> = "url.query", Keyword, Term;
        /// Last part of the path's file name, in lower case.
        url_extension: Option<String> = "url.extension", Keyword, Term;
        /// Host that was asked for, in lower case, without port.
        url_domain: Option<String> = "url.domain", Keyword, Column;
        /// Port, where the request names one.
        url_port: Option<u16> = "url.port", Long, Term;
        /// The whole address of what was asked for.
        url_full: Option<String> = "url.full", Keyword, Term;
        /// Target with percent-encoding undone (twice where it was done twice) and plus signs of the query as spaces: what rules on attacks look at.
        url_decoded: Option<String> = "url.decoded", Keyword, Term;
        /// Version as spoken: 1.0, 1.1, 0.9, 2.
        version: Option<String> = "http.version", Keyword, Term;
        /// Status code of the response.
        status_code: Option<u16> = "http.response.status_code", Long, Column;
        /// Words after the status code, where they are not the usual ones.
        reason: Option<String> = "http.response.reason", Keyword, Stored;
        /// Bytes of the request's body as transferred, without chunk framing.
        request_body_bytes: Option<u64> = "http.request.body.bytes", Long, Column;
        /// Bytes of the response's body as transferred, without chunk framing.
        response_body_bytes: Option<u64> = "http.response.body.bytes", Long, Column;
        /// Page that led here, as the client says.
        referrer: Option<String> = "http.request.referrer", Keyword, Term;
        /// Program of the client, as it says.
        user_agent: Option<String> = "user_agent.original", Keyword, Column;
        /// Content-Type of the request, without parameters, in lower case.
        request_mime_type: Option<String> = "http.request.mime_type", Keyword, Term;
        /// Content-Type of the response, without parameters, in lower case.
        response_mime_type: Option<String> = "http.response.mime_type", Keyword, Column;
        /// Program of the server, as it says.
        server: Option<String> = "http.response.server", Keyword, Term;
        /// Where the response sends the client.
        location: Option<String> = "http.response.location", Keyword, Term;
        /// X-Forwarded-For: addresses that proxies say they speak for.
        forwarded_for: Vec<String> = "http.request.forwarded_for", Keyword list, Term;
        /// Names of the request's header fields in order, in lower case.
        request_headers: Vec<String> = "http.request.headers", Keyword list, Term;
        /// Names of the response's header fields in order, in lower case.
        response_headers: Vec<String> = "http.response.headers", Keyword list, Stored;
        /// Scheme of the Authorization field in lower case: basic, bearer, digest, ntlm.
        auth_scheme: Option<String> = "http.request.auth_scheme", Keyword, Term;
        /// User named in Basic credentials. The password is never kept.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when a password went over the wire in clear (Basic credentials, or a form field named like one).
        cleartext_password: Option<bool> = "http.request.cleartext_password", Boolean, Column;
        /// Beginning of a textual request body; values of password fields are replaced by stars.
        request_body: Option<String> = "http.request.body.content", Keyword, Term;
        /// Names of files that the request uploads.
        upload_names: Vec<String> = "http.request.file_names", Keyword list, Term;
        /// Protocol that the connection changed to: websocket, h2c, or the target of CONNECT.
        upgrade: Option<String> = "http.upgrade", Keyword, Term;
        /// Stream of HTTP/2 that carries it.
        stream_id: Option<u64> = "http2.stream_id", Long, Term;
        /// Why the stream was given up, by name (RFC 9113 section 7).
        stream_error: Option<String> = "http2.error_code", Keyword, Term;
        /// Place of the transaction in its connection, from 1.
        depth: u64 = "http.depth", Long, Stored;
        /// What was odd, in short fixed words.
        anomalies: Vec<&'static str> = "http.anomalies", Keyword list, Term;
    }
}

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
