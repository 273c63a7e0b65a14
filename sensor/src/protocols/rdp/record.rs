//! What is said of an RDP connection: one event each.

luytre_events::record! {
    /// One RDP connection, up to where it is encrypted.
    pub struct RdpConnection in "rdp" {
        /// Name in the cookie (mstshash): who wants to log in, often cut by the client.
        cookie: Option<String> = "rdp.cookie", Keyword, Column;
        /// Token for a machine that spreads the load (msts).
        routing_token: Option<String> = "rdp.routing_token", Keyword, Term;
        /// Kinds of protection that the client offers: tls, credssp and so on; rdp alone is the old one.
        requested_protocols: Vec<&'static str> = "rdp.requested_protocols", Keyword list, Term;
        /// Kind of protection that the server chose.
        protocol: Option<&'static str> = "rdp.protocol", Keyword, Column;
        /// What the client asks for besides: restricted_admin, redirected_authentication.
        client_flags: Vec<&'static str> = "rdp.client.flags", Keyword list, Term;
        /// What the server says that it can do.
        server_flags: Vec<&'static str> = "rdp.server.flags", Keyword list, Term;
        /// Why the server refuses to go on.
        failure: Option<&'static str> = "rdp.failure", Keyword, Term;
        /// Name of the client's computer.
        client_name: Option<String> = "rdp.client.name", Keyword, Column;
        /// Version of the protocol that the client speaks: 5.x, 10.7.
        client_version: Option<String> = "rdp.client.version", Keyword, Term;
        /// Number of the client's build.
        client_build: Option<u32> = "rdp.client.build", Long, Term;
        /// Product number of the client as text.
        client_product: Option<String> = "rdp.client.product_id", Keyword, Term;
        /// Layout of the keyboard, a Windows locale as eight hexadecimal digits.
        keyboard_layout: Option<String> = "rdp.client.keyboard_layout", Keyword, Term;
        /// Width of the desktop in pixels.
        desktop_width: Option<u16> = "rdp.client.desktop_width", Long, Term;
        /// Height of the desktop in pixels.
        desktop_height: Option<u16> = "rdp.client.desktop_height", Long, Term;
        /// Channels that the client wants: rdpdr is for drives, cliprdr for the clipboard.
        channels: Vec<String> = "rdp.client.channels", Keyword list, Term;
        /// Ways to encrypt that the client offers where the old protection is used: 40bit, 128bit and so on.
        encryption_methods: Vec<&'static str> = "rdp.client.encryption_methods", Keyword list, Term;
        /// Way to encrypt that the server chose under the old protection.
        encryption_method: Option<&'static str> = "rdp.encryption.method", Keyword, Term;
        /// How much is encrypted under the old protection: none, low, client-compatible, high, fips.
        encryption_level: Option<&'static str> = "rdp.encryption.level", Keyword, Term;
        /// True when a message was broken and only its readable part is told.
        malformed: Option<bool> = "rdp.malformed", Boolean, Term;
    }
}
