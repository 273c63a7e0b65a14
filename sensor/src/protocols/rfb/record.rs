//! What is said of a VNC connection: one event each.

luytre_events::record! {
    /// One RFB (VNC) connection, up to where the screen begins.
    pub struct RfbSession in "rfb" {
        /// Version that the server offers: 3.8.
        server_version: Option<String> = "rfb.server.version", Keyword, Term;
        /// Version that the client wants.
        client_version: Option<String> = "rfb.client.version", Keyword, Term;
        /// Ways of logging in that the server offers, by name.
        security_types: Vec<String> = "rfb.security.offered", Keyword list, Term;
        /// Way of logging in that was chosen: None means that nobody is asked for anything.
        security_type: Option<String> = "rfb.security.type", Keyword, Column;
        /// Whether the log-in went well; missing where that is not seen.
        auth_success: Option<bool> = "rfb.auth.success", Boolean, Column;
        /// Why the server refuses, in its words.
        failure_reason: Option<String> = "rfb.auth.failure_reason", Keyword, Term;
        /// Whether the client leaves others connected.
        shared: Option<bool> = "rfb.shared", Boolean, Term;
        /// Name of the server's desktop.
        desktop_name: Option<String> = "rfb.desktop.name", Keyword, Column;
        /// Width of the screen in pixels.
        width: Option<u16> = "rfb.desktop.width", Long, Term;
        /// Height of the screen in pixels.
        height: Option<u16> = "rfb.desktop.height", Long, Term;
    }
}
