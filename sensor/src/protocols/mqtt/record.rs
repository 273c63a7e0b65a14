//! What is said of a message.

luytre_events::record! {
    /// One message of MQTT with what acknowledged it.
    pub struct MqttMessage in "mqtt" {
        /// connect, publish, subscribe, unsubscribe, disconnect, ping, auth; an acknowledgement alone where what it
        /// belongs to was not seen.
        kind: &'static str = "mqtt.type", Keyword, Column;
        /// server or client, for what both can send (publish, disconnect).
        sender: Option<&'static str> = "mqtt.sender", Keyword, Term;
        /// What came back: connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, pingresp.
        acknowledged: Vec<&'static str> = "mqtt.acknowledged", Keyword list, Term;
        /// Version of the protocol: 3.1, 3.1.1, 5.
        version: Option<String> = "mqtt.version", Keyword, Term;
        /// Name of the client, as it says when it logs in.
        client_id: Option<String> = "mqtt.client_id", Keyword, Column;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// True when a password was seen in clear.
        password_seen: Option<bool> = "mqtt.password_seen", Boolean, Column;
        /// Whether the client wants to begin anew.
        clean_session: Option<bool> = "mqtt.clean_session", Boolean, Stored;
        /// Seconds after which the client is to be believed dead.
        keep_alive_s: Option<u64> = "mqtt.keep_alive", Long, Stored;
        /// Topic of what is published for the client when it goes without a word.
        will_topic: Option<String> = "mqtt.will.topic", Keyword, Term;
        /// How a client logs in besides by password (version 5).
        method: Option<String> = "mqtt.auth_method", Keyword, Term;
        /// Topic of what is published.
        topic: Option<String> = "mqtt.topic", Keyword, Column;
        /// Topics that are subscribed to, or no longer.
        topics: Vec<String> = "mqtt.topics", Keyword list, Term;
        /// Number that joins a message and its acknowledgements.
        message_id: Option<u64> = "mqtt.message_id", Long, Stored;
        /// 0: sent once, 1: until it is acknowledged, 2: exactly once.
        quality: Option<u64> = "mqtt.qos", Long, Term;
        /// True when the server keeps it for later subscribers.
        retain: Option<bool> = "mqtt.retain", Boolean, Stored;
        /// True when it was sent before.
        duplicate: Option<bool> = "mqtt.duplicate", Boolean, Stored;
        /// Bytes that are published.
        payload_bytes: Option<u64> = "mqtt.payload.bytes", Long, Term;
        /// The beginning of what is published, where it is text.
        payload: Option<String> = "mqtt.payload.text", Text, Stored;
        /// Result by number: from 128 on (in a log-in from 1 on) a refusal; of a subscription the greatest of its topics'.
        result: Option<u64> = "mqtt.result", Long, Column;
        /// success or failure of a log-in.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "mqtt.malformed", Boolean, Term;
    }
}
