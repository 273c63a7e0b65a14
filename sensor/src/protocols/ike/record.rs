//! What is said of an IKE message.

luytre_events::record! {
    /// One message by which two sites agree on the keys of an IPsec tunnel.
    pub struct IkeMessage in "ike" {
        /// 1.0 or 2.0.
        version: String = "ike.version", Keyword, Column;
        /// The initiator's number of the tunnel, in hexadecimal.
        initiator_spi: String = "ike.initiator_spi", Keyword, Term;
        /// The responder's number of the tunnel; zeros until it has answered.
        responder_spi: String = "ike.responder_spi", Keyword, Term;
        /// Kind of exchange: IKE_SA_INIT, IKE_AUTH, main, aggressive and so on.
        exchange: String = "ike.exchange", Keyword, Column;
        /// Number of the kind of exchange.
        exchange_number: u64 = "ike.exchange_number", Long, Term;
        /// Number of the message, or of the exchange in version 1.
        message_id: u64 = "ike.message_id", Long, Term;
        /// initiator or responder, where the message says so (version 2).
        role: Option<&'static str> = "ike.role", Keyword, Column;
        /// True when the message answers another one (version 2).
        response: Option<bool> = "ike.response", Boolean, Term;
        /// True when what the message says is encrypted.
        encrypted: Option<bool> = "ike.encrypted", Boolean, Term;
        /// Kinds of what the message holds, in order.
        payloads: Vec<String> = "ike.payloads", Keyword list, Term;
        /// Encryption that is proposed, or chosen in an answer.
        encryption: Vec<String> = "ike.encryption", Keyword list, Column;
        /// Integrity or hash that is proposed, or chosen in an answer.
        integrity: Vec<String> = "ike.integrity", Keyword list, Term;
        /// Pseudo-random function that is proposed, or chosen in an answer (version 2).
        pseudo_random: Vec<String> = "ike.pseudo_random", Keyword list, Term;
        /// Diffie-Hellman group that is proposed, or chosen in an answer.
        groups: Vec<String> = "ike.groups", Keyword list, Column;
        /// How the sites prove who they are (version 1).
        authentication: Vec<String> = "ike.authentication", Keyword list, Term;
        /// Group of the key that is sent (version 2).
        key_group: Option<String> = "ike.key_group", Keyword, Term;
        /// Identity that is sent in clear (version 1, aggressive).
        identity: Option<String> = "ike.identity", Keyword, Term;
        /// Makes and abilities that the sender names, in hexadecimal where they are not known.
        vendors: Vec<String> = "ike.vendors", Keyword list, Term;
        /// Notices: COOKIE, NAT_DETECTION_SOURCE_IP, NO_PROPOSAL_CHOSEN and so on.
        notifications: Vec<String> = "ike.notifications", Keyword list, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "ike.malformed", Boolean, Term;
    }
}
