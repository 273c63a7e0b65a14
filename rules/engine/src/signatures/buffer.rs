//! The one table of what rules can look into: every sticky buffer with its other spellings.
//!
//! A parser hands over a buffer under its [`BufferId`]; a rule names it by keyword. The part of a name before its first
//! dot is the protocol that fills it, unless the table says otherwise. Buffers that no parser fills yet stand here too,
//! so that rules that use them load and are told apart.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A buffer's place in [`BUFFERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub u16);

/// Who sends what is in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Either.
    Either,
}

/// When a buffer can be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// For each packet.
    Packet,
    /// When a transaction of a protocol is complete in one direction.
    Transaction,
}

/// What a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Bytes.
    Bytes,
    /// Bytes, perhaps several times in a transaction: a rule's conditions must hold in one of them.
    Many,
    /// A number.
    Number,
    /// Numbers, of which a rule may ask each for itself.
    Numbers,
    /// A number made of bits with names.
    Flags,
}

/// One buffer.
#[derive(Debug)]
pub struct Buffer {
    /// Its keyword.
    pub name: &'static str,
    /// Other spellings that are used the same way.
    pub aliases: &'static [&'static str],
    /// Old spelling that stands behind a content.
    pub modifier: Option<&'static str>,
    /// When it is there.
    pub when: When,
    /// Who sends it.
    pub sender: Sender,
    /// What it holds.
    pub holds: Holds,
    /// Whether the sensor fills it.
    pub filled: bool,
}

impl Buffer {
    /// The protocol that fills it, as rules spell it; nothing where several may.
    pub fn protocol(&self) -> Option<&'static str> {
        let by_others = ["file", "frame.", "app-layer-"].iter().any(|first| self.name.starts_with(first));
        if self.when == When::Packet || by_others {
            return None;
        }
        // The two words of a data connection are one name.
        if self.name.starts_with("ftpdata_") { Some("ftp-data") } else { self.name.split(['.', '_']).next() }
    }
}

/// Finds a sticky buffer by any of its spellings.
pub fn by_keyword(keyword: &str) -> Option<BufferId> {
    static SPELLINGS: OnceLock<HashMap<&str, BufferId>> = OnceLock::new();
    let spellings = SPELLINGS.get_or_init(|| {
        let named = |buffer: &'static Buffer| [buffer.name].into_iter().chain(buffer.aliases.iter().copied());
        let all = (0u16..).zip(BUFFERS).flat_map(|(at, buffer)| named(buffer).map(move |name| (name, BufferId(at))));
        // Of two with one spelling the first counts.
        let mut spellings = all.fold(HashMap::new(), |mut map, (name, id)| {
            map.entry(name).or_insert(id);
            map
        });
        // Keywords that are called like their protocol.
        let listed = include_str!("compile/events.txt").lines();
        for (spelling, name) in listed.filter_map(|line| line.strip_prefix("buffer ")?.split_once(' ')) {
            if let Some(id) = spellings.get(name).copied() {
                spellings.entry(spelling).or_insert(id);
            }
        }
        spellings
    });
    spellings.get(keyword).copied().filter(|id| !id.is_internal() && !keyword.starts_with("frame."))
}

/// Finds a frame of a protocol: by its whole name, or by the part behind the protocol that the header of a rule names.
pub fn by_frame(name: &str, protocol: &str) -> Option<BufferId> {
    let spelled = |wanted: &str| find(|buffer| buffer.name.strip_prefix("frame.") == Some(wanted));
    spelled(name).or_else(|| spelled(&format!("{protocol}.{name}")))
}

/// Finds the buffer of an old modifier.
pub fn by_modifier(keyword: &str) -> Option<BufferId> {
    find(|buffer| buffer.modifier == Some(keyword))
}

fn find(is_it: impl Fn(&Buffer) -> bool) -> Option<BufferId> {
    let at = BUFFERS.iter().position(is_it)?;
    u16::try_from(at).ok().map(BufferId)
}

/// A certificate that does not hold any more, in [`TLS_CERT_VALIDITY`].
pub const EXPIRED: u64 = 1;
/// A certificate that holds.
pub const VALID: u64 = 2;

impl BufferId {
    /// Whether files fill it.
    pub fn is_of_file(self) -> bool {
        self.buffer().name.starts_with("file")
    }

    /// Whether it has no keyword of its own name.
    fn is_internal(self) -> bool {
        [APP_EVENT, APP_STATE, TLS_NOT_BEFORE, TLS_NOT_AFTER, TLS_CERT_VALIDITY].contains(&self)
    }

    /// What the table says.
    pub fn buffer(self) -> &'static Buffer {
        BUFFERS.get(usize::from(self.0)).unwrap_or(&BUFFERS[0])
    }
}

macro_rules! buffers {
    ($($id:ident = $name:literal $([$($alias:literal),*])? $(behind $modifier:literal)?, $when:ident $sender:ident $holds:ident $filled:ident;)*) => {
        /// Every buffer.
        pub static BUFFERS: &[Buffer] = &[$(Buffer {
            name: $name,
            aliases: &[$($($alias),*)?],
            modifier: buffers!(@modifier $($modifier)?),
            when: When::$when,
            sender: Sender::$sender,
            holds: Holds::$holds,
            filled: buffers!(@filled $filled),
        }),*];
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "only their order is used")]
        enum Order { $($id),* }
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $id: BufferId = BufferId(Order::$id as u16);
        )*
    };
    (@modifier) => { None };
    (@modifier $modifier:literal) => { Some($modifier) };
    (@filled filled) => { true };
    (@filled later) => { false };
}

buffers! {
    PAYLOAD = "pkt_data", Packet Either Bytes filled;
    IPV4_HEADER = "ipv4.hdr", Packet Either Bytes filled;
    IPV6_HEADER = "ipv6.hdr", Packet Either Bytes filled;
    TCP_HEADER = "tcp.hdr", Packet Either Bytes filled;
    UDP_HEADER = "udp.hdr", Packet Either Bytes filled;
    ICMPV4_HEADER = "icmpv4.hdr", Packet Either Bytes filled;
    ICMPV6_HEADER = "icmpv6.hdr", Packet Either Bytes filled;
    IGMP_HEADER = "igmp.hdr", Packet Either Bytes later;
    IP_SOURCE = "ip.src", Packet Either Bytes filled;
    IP_DESTINATION = "ip.dst", Packet Either Bytes filled;

    HTTP_METHOD = "http.method" behind "http_method", Transaction Client Bytes filled;
    HTTP_URI = "http.uri" behind "http_uri", Transaction Client Bytes filled;
    HTTP_URI_RAW = "http.uri.raw" behind "http_raw_uri", Transaction Client Bytes filled;
    HTTP_REQUEST_LINE = "http.request_line" ["http_request_line"], Transaction Client Bytes filled;
    HTTP_REQUEST_BODY = "http.request_body" behind "http_client_body", Transaction Client Bytes filled;
    HTTP_HOST = "http.host" behind "http_host", Transaction Client Bytes filled;
    HTTP_HOST_RAW = "http.host.raw" behind "http_raw_host", Transaction Client Bytes filled;
    HTTP_USER_AGENT = "http.user_agent" behind "http_user_agent", Transaction Client Bytes filled;
    HTTP_ACCEPT = "http.accept" ["http_accept"], Transaction Client Bytes filled;
    HTTP_ACCEPT_ENCODING = "http.accept_enc" ["http_accept_enc"], Transaction Client Bytes filled;
    HTTP_ACCEPT_LANGUAGE = "http.accept_lang" ["http_accept_lang"], Transaction Client Bytes filled;
    HTTP_REFERER = "http.referer" ["http_referer"], Transaction Client Bytes filled;
    HTTP_COOKIE = "http.cookie" behind "http_cookie", Transaction Either Bytes filled;
    HTTP_HEADER = "http.header" behind "http_header", Transaction Either Bytes filled;
    HTTP_HEADER_RAW = "http.header.raw" behind "http_raw_header", Transaction Either Bytes filled;
    HTTP_HEADER_NAMES = "http.header_names" ["http_header_names"], Transaction Either Bytes filled;
    HTTP_REQUEST_HEADER = "http.request_header", Transaction Client Many filled;
    HTTP_RESPONSE_HEADER = "http.response_header", Transaction Server Many filled;
    HTTP_CONTENT_TYPE = "http.content_type" ["http_content_type"], Transaction Either Bytes filled;
    HTTP_CONTENT_LENGTH = "http.content_len" ["http_content_len"], Transaction Either Bytes filled;
    HTTP_CONNECTION = "http.connection" ["http_connection"], Transaction Either Bytes filled;
    HTTP_PROTOCOL = "http.protocol" ["http_protocol"], Transaction Either Bytes filled;
    HTTP_START = "http.start" ["http_start"], Transaction Either Bytes filled;
    HTTP_STATUS_CODE = "http.stat_code" behind "http_stat_code", Transaction Server Bytes filled;
    HTTP_STATUS_MESSAGE = "http.stat_msg" behind "http_stat_msg", Transaction Server Bytes filled;
    HTTP_RESPONSE_LINE = "http.response_line" ["http_response_line"], Transaction Server Bytes filled;
    HTTP_RESPONSE_BODY = "http.response_body" behind "http_server_body", Transaction Server Bytes filled;
    HTTP_LOCATION = "http.location" ["http_location"], Transaction Server Bytes filled;
    HTTP_SERVER = "http.server" ["http_server"], Transaction Server Bytes filled;

    FILE_DATA = "file.data" ["file_data"], Transaction Either Many filled;
    FILE_NAME = "file.name" ["filename"], Transaction Either Many filled;
    FILE_MAGIC = "file.magic" ["filemagic"], Transaction Either Many filled;
    FILE_SIZE = "filesize", Transaction Either Number filled;
    FILE_MD5 = "file.md5", Transaction Either Many filled;
    FILE_SHA1 = "file.sha1", Transaction Either Many filled;
    FILE_SHA256 = "file.sha256", Transaction Either Many filled;

    DNS_QUERY = "dns.query" ["dns_query"], Transaction Client Many filled;
    DNS_QUERIES_NAME = "dns.queries.rrname", Transaction Either Many filled;
    DNS_ANSWERS_NAME = "dns.answers.rrname" ["dns.answer.name"], Transaction Either Many filled;
    DNS_QUERY_NAME = "dns.query.name", Transaction Either Many filled;
    DNS_AUTHORITIES_NAME = "dns.authorities.rrname", Transaction Either Many filled;
    DNS_ADDITIONALS_NAME = "dns.additionals.rrname", Transaction Either Many filled;
    DNS_RESPONSE_NAME = "dns.response.rrname", Transaction Server Many filled;
    DNS_OPCODE = "dns.opcode", Transaction Either Number filled;
    DNS_RCODE = "dns.rcode", Transaction Server Number filled;
    DNS_RRTYPE = "dns.rrtype", Transaction Either Number filled;
    MDNS_QUERIES_NAME = "mdns.queries.rrname", Transaction Either Many filled;
    MDNS_ANSWERS_NAME = "mdns.answers.rrname", Transaction Either Many filled;
    MDNS_AUTHORITIES_NAME = "mdns.authorities.rrname", Transaction Either Many filled;
    MDNS_ADDITIONALS_NAME = "mdns.additionals.rrname", Transaction Either Many filled;
    MDNS_RESPONSE_NAME = "mdns.response.rrname", Transaction Either Many filled;
    LLMNR_QUERIES_NAME = "llmnr.queries.rrname", Transaction Either Many later;
    LLMNR_ANSWERS_NAME = "llmnr.answers.rrname", Transaction Either Many later;
    LLMNR_AUTHORITIES_NAME = "llmnr.authorities.rrname", Transaction Either Many later;
    LLMNR_ADDITIONALS_NAME = "llmnr.additionals.rrname", Transaction Either Many later;

    TLS_SNI = "tls.sni" ["tls_sni"], Transaction Client Bytes filled;
    TLS_CERT_SUBJECT = "tls.cert_subject" ["tls_cert_subject", "tls.subject"], Transaction Either Bytes filled;
    TLS_CERT_ISSUER = "tls.cert_issuer" ["tls_cert_issuer", "tls.issuerdn"], Transaction Either Bytes filled;
    TLS_CERT_SERIAL = "tls.cert_serial" ["tls_cert_serial"], Transaction Either Bytes filled;
    TLS_CERT_FINGERPRINT = "tls.cert_fingerprint" ["tls_cert_fingerprint", "tls.fingerprint"], Transaction Either Bytes filled;
    TLS_CERTS = "tls.certs", Transaction Either Many filled;
    TLS_ALTERNATIVE_NAME = "tls.subjectaltname", Transaction Server Many filled;
    TLS_ALPN = "tls.alpn", Transaction Either Many filled;
    TLS_RANDOM = "tls.random", Transaction Either Bytes filled;
    TLS_RANDOM_TIME = "tls.random_time", Transaction Either Bytes filled;
    TLS_RANDOM_BYTES = "tls.random_bytes", Transaction Either Bytes filled;
    TLS_VERSION = "tls.version" ["ssl_version"], Transaction Either Number filled;
    TLS_CHAIN_LENGTH = "tls.cert_chain_len", Transaction Server Number filled;
    TLS_NOT_BEFORE = "tls.cert_not_before", Transaction Either Number filled;
    TLS_NOT_AFTER = "tls.cert_not_after", Transaction Either Number filled;
    TLS_CERT_VALIDITY = "tls.cert_validity", Transaction Either Number filled;
    JA3_HASH = "ja3.hash" ["ja3_hash"], Transaction Client Bytes filled;
    JA3_STRING = "ja3.string" ["ja3_string"], Transaction Client Bytes filled;
    JA3S_HASH = "ja3s.hash", Transaction Server Bytes filled;
    JA3S_STRING = "ja3s.string", Transaction Server Bytes filled;
    JA4_HASH = "ja4.hash", Transaction Client Bytes filled;
    QUIC_SNI = "quic.sni", Transaction Client Bytes filled;
    QUIC_VERSION = "quic.version", Transaction Either Bytes filled;

    QUIC_UA = "quic.ua", Transaction Client Bytes filled;

    SSH_PROTO = "ssh.proto" ["ssh_proto"], Transaction Either Bytes filled;
    SSH_SOFTWARE = "ssh.software" ["ssh_software"], Transaction Either Bytes filled;
    SSH_HASSH = "ssh.hassh", Transaction Client Bytes filled;
    SSH_HASSH_STRING = "ssh.hassh.string", Transaction Client Bytes filled;
    SSH_HASSH_SERVER = "ssh.hassh.server", Transaction Server Bytes filled;
    SSH_HASSH_SERVER_STRING = "ssh.hassh.server.string", Transaction Server Bytes filled;

    DCERPC_STUB = "dcerpc.stub_data" ["dce_stub_data"], Transaction Either Bytes filled;
    DCERPC_OPNUM = "dcerpc.opnum" ["dce_opnum"], Transaction Either Number filled;
    DCERPC_INTERFACE = "dcerpc.iface" ["dce_iface"], Transaction Either Many filled;
    SMB_NAMED_PIPE = "smb.named_pipe" ["smb_named_pipe"], Transaction Client Bytes filled;
    SMB_SHARE = "smb.share" ["smb_share"], Transaction Client Bytes filled;

    SMB_NTLM_USER = "smb.ntlmssp_user", Transaction Client Bytes filled;
    SMB_NTLM_DOMAIN = "smb.ntlmssp_domain", Transaction Client Bytes filled;
    SMB_VERSION = "smb.version", Transaction Either Number filled;

    SIP_METHOD = "sip.method", Transaction Client Bytes filled;
    SIP_URI = "sip.uri", Transaction Client Bytes filled;
    SIP_STATUS_CODE = "sip.stat_code", Transaction Server Bytes filled;
    SIP_STATUS_MESSAGE = "sip.stat_msg", Transaction Server Bytes filled;
    SIP_PROTOCOL = "sip.protocol", Transaction Either Bytes filled;
    SIP_REQUEST_LINE = "sip.request_line", Transaction Client Bytes filled;
    SIP_RESPONSE_LINE = "sip.response_line", Transaction Server Bytes filled;
    SIP_FROM = "sip.from", Transaction Either Many filled;
    SIP_TO = "sip.to", Transaction Either Many filled;
    SIP_VIA = "sip.via", Transaction Either Many filled;
    SIP_USER_AGENT = "sip.user_agent", Transaction Either Many filled;
    SIP_CONTENT_TYPE = "sip.content_type", Transaction Either Many filled;
    SIP_CONTENT_LENGTH = "sip.content_length", Transaction Either Many filled;

    SDP_ORIGIN = "sdp.origin", Transaction Either Bytes filled;
    SDP_SESSION_NAME = "sdp.session_name", Transaction Either Bytes filled;
    SDP_SESSION_INFO = "sdp.session_info", Transaction Either Bytes filled;
    SDP_URI = "sdp.uri", Transaction Either Bytes filled;
    SDP_EMAIL = "sdp.email", Transaction Either Bytes filled;
    SDP_PHONE = "sdp.phone_number", Transaction Either Bytes filled;
    SDP_CONNECTION = "sdp.connection_data", Transaction Either Bytes filled;
    SDP_BANDWIDTH = "sdp.bandwidth", Transaction Either Many filled;
    SDP_TIME = "sdp.time", Transaction Either Many filled;
    SDP_REPEAT_TIME = "sdp.repeat_time", Transaction Either Many filled;
    SDP_TIMEZONE = "sdp.timezone", Transaction Either Bytes filled;
    SDP_ENCRYPTION_KEY = "sdp.encryption_key", Transaction Either Bytes filled;
    SDP_ATTRIBUTE = "sdp.attribute", Transaction Either Many filled;
    SDP_MEDIA = "sdp.media.media", Transaction Either Many filled;
    SDP_MEDIA_INFO = "sdp.media.media_info", Transaction Either Many filled;
    SDP_MEDIA_CONNECTION = "sdp.media.connection_data", Transaction Either Many filled;
    SDP_MEDIA_BANDWIDTH = "sdp.media.bandwidth", Transaction Either Many filled;
    SDP_MEDIA_ENCRYPTION_KEY = "sdp.media.encryption_key", Transaction Either Many filled;
    SDP_MEDIA_ATTRIBUTE = "sdp.media.attribute", Transaction Either Many filled;

    SMTP_HELO = "smtp.helo", Transaction Client Bytes filled;
    SMTP_FROM = "smtp.mail_from", Transaction Client Bytes filled;
    SMTP_TO = "smtp.rcpt_to", Transaction Client Many filled;
    EMAIL_FROM = "email.from", Transaction Client Bytes filled;
    EMAIL_TO = "email.to", Transaction Client Bytes filled;
    EMAIL_CC = "email.cc", Transaction Client Bytes filled;
    EMAIL_SUBJECT = "email.subject", Transaction Client Bytes filled;
    EMAIL_DATE = "email.date", Transaction Client Bytes filled;
    EMAIL_MESSAGE_ID = "email.message_id", Transaction Client Bytes filled;
    EMAIL_X_MAILER = "email.x_mailer", Transaction Client Bytes filled;
    EMAIL_URL = "email.url", Transaction Client Many filled;
    EMAIL_RECEIVED = "email.received", Transaction Client Many filled;
    FTP_COMMAND = "ftp.command", Transaction Client Bytes filled;
    FTP_COMMAND_DATA = "ftp.command_data", Transaction Client Bytes filled;
    FTP_REPLY = "ftp.reply", Transaction Server Many filled;
    FTP_COMPLETION_CODE = "ftp.completion_code", Transaction Server Many filled;
    FTP_MODE = "ftp.mode", Transaction Either Number filled;
    FTP_DYNAMIC_PORT = "ftp.dynamic_port", Transaction Either Number filled;
    FTP_REPLY_RECEIVED = "ftp.reply_received", Transaction Either Number filled;
    FTPDATA_COMMAND = "ftpdata_command", Transaction Either Bytes filled;

    KRB5_MESSAGE_TYPE = "krb5_msg_type", Transaction Either Number filled;
    KRB5_CNAME = "krb5.cname" ["krb5_cname"], Transaction Either Many filled;
    KRB5_SNAME = "krb5.sname" ["krb5_sname"], Transaction Either Many filled;
    KRB5_ERROR_CODE = "krb5_err_code", Transaction Server Number filled;
    KRB5_WEAK = "krb5.weak_encryption", Transaction Server Number filled;
    KRB5_TICKET_ENCRYPTION = "krb5.ticket_encryption", Transaction Server Number filled;
    SNMP_VERSION = "snmp.version", Transaction Either Number filled;
    SNMP_COMMUNITY = "snmp.community", Transaction Either Bytes filled;
    SNMP_USM = "snmp.usm", Transaction Either Bytes filled;
    SNMP_PDU_TYPE = "snmp.pdu_type", Transaction Either Number filled;
    NTP_VERSION = "ntp.version", Transaction Either Number filled;
    NTP_MODE = "ntp.mode", Transaction Either Number filled;
    NTP_STRATUM = "ntp.stratum", Transaction Either Number filled;
    NTP_REFERENCE_ID = "ntp.reference_id", Transaction Either Bytes filled;
    DHCP_LEASE_TIME = "dhcp.leasetime", Transaction Either Number filled;
    DHCP_RENEWAL_TIME = "dhcp.renewal_time", Transaction Either Number filled;
    DHCP_REBINDING_TIME = "dhcp.rebinding_time", Transaction Either Number filled;
    LDAP_REQUEST_DN = "ldap.request.dn", Transaction Client Bytes filled;
    LDAP_RESPONSES_DN = "ldap.responses.dn", Transaction Server Many filled;
    LDAP_RESPONSES_MESSAGE = "ldap.responses.message", Transaction Server Many filled;
    LDAP_RESPONSES_COUNT = "ldap.responses.count", Transaction Server Number filled;
    LDAP_REQUEST_ATTRIBUTE = "ldap.request.attribute_type", Transaction Client Many filled;
    LDAP_RESPONSES_ATTRIBUTE = "ldap.responses.attribute_type", Transaction Server Many filled;
    LDAP_REQUEST_OPERATION = "ldap.request.operation", Transaction Client Number filled;
    LDAP_RESPONSES_OPERATION = "ldap.responses.operation", Transaction Server Numbers filled;
    LDAP_RESPONSES_RESULT = "ldap.responses.result_code", Transaction Server Numbers filled;
    WEBSOCKET_PAYLOAD = "websocket.payload", Transaction Either Bytes filled;
    WEBSOCKET_FLAGS = "websocket.flags", Transaction Either Flags filled;
    WEBSOCKET_OPCODE = "websocket.opcode", Transaction Either Number filled;
    WEBSOCKET_MASK = "websocket.mask", Transaction Either Number filled;
    PGSQL_QUERY = "pgsql.query", Transaction Client Bytes filled;
    MQTT_PROTOCOL = "mqtt.connect.protocol_string" ["mqtt.connect.protocolstring"], Transaction Client Bytes filled;
    MQTT_REASON_CODE = "mqtt.reason_code" ["mqtt.connack.return_code"], Transaction Either Numbers filled;
    MQTT_TYPE = "mqtt.type", Transaction Either Numbers filled;
    MQTT_FLAGS = "mqtt.flags", Transaction Either Flags filled;
    MQTT_QOS = "mqtt.qos", Transaction Either Number filled;
    MQTT_PROTOCOL_VERSION = "mqtt.protocol_version", Transaction Either Number filled;
    MQTT_CONNECT_FLAGS = "mqtt.connect.flags", Transaction Client Flags filled;
    MQTT_SESSION_PRESENT = "mqtt.connack.session_present" ["mqtt.connack.sessionpresent"], Transaction Server Number filled;
    MQTT_CLIENT_ID = "mqtt.connect.clientid", Transaction Client Bytes filled;
    MQTT_USERNAME = "mqtt.connect.username", Transaction Client Bytes filled;
    MQTT_PASSWORD = "mqtt.connect.password", Transaction Client Bytes filled;
    MQTT_WILL_TOPIC = "mqtt.connect.willtopic", Transaction Client Bytes filled;
    MQTT_WILL_MESSAGE = "mqtt.connect.willmessage", Transaction Client Bytes filled;
    MQTT_PUBLISH_TOPIC = "mqtt.publish.topic", Transaction Either Many filled;
    MQTT_PUBLISH_MESSAGE = "mqtt.publish.message", Transaction Either Many filled;
    MQTT_SUBSCRIBE_TOPIC = "mqtt.subscribe.topic", Transaction Client Many filled;
    MQTT_UNSUBSCRIBE_TOPIC = "mqtt.unsubscribe.topic", Transaction Client Many filled;
    MODBUS_REQUEST = "modbus.request", Transaction Client Bytes filled;
    NFS_PROCEDURE = "nfs_procedure" ["nfs.procedure"], Transaction Either Number filled;
    NFS_VERSION = "nfs_version" ["nfs.version"], Transaction Either Number filled;
    HTTP2_FRAME_TYPE = "http2.frametype", Transaction Either Number filled;
    HTTP2_ERROR_CODE = "http2.errorcode", Transaction Either Number filled;
    HTTP2_WINDOW = "http2.window", Transaction Either Number filled;
    HTTP2_PRIORITY = "http2.priority", Transaction Either Number filled;
    HTTP2_SETTINGS = "http2.settings", Transaction Either Numbers filled;
    HTTP2_HEADER_NAME = "http2.header_name", Transaction Either Many filled;
    RFB_NAME = "rfb.name", Transaction Server Bytes filled;
    RFB_SECURITY_TYPE = "rfb.sectype", Transaction Either Number filled;
    RFB_SECURITY_RESULT = "rfb.secresult", Transaction Server Number filled;
    IKE_VENDOR = "ike.vendor", Transaction Either Many filled;
    IKE_INITIATOR_SPI = "ike.init_spi", Transaction Either Bytes filled;
    IKE_RESPONDER_SPI = "ike.resp_spi", Transaction Either Bytes filled;
    IKE_EXCHANGE = "ike.exchtype", Transaction Either Number filled;
    IKE_KEY = "ike.key_exchange_payload", Transaction Either Bytes filled;
    IKE_KEY_LENGTH = "ike.key_exchange_payload_length", Transaction Either Number filled;
    IKE_NONCE = "ike.nonce_payload", Transaction Either Bytes filled;
    IKE_NONCE_LENGTH = "ike.nonce_payload_length", Transaction Either Number filled;
    IKE_CHOSEN = "ike.chosen_sa_attribute", Transaction Server Number filled;
    ENIP_COMMAND = "enip_command" ["enip.command"], Transaction Either Number filled;
    ENIP_STATUS = "enip.status", Transaction Either Number filled;
    ENIP_VERSION = "enip.protocol_version", Transaction Either Number filled;
    ENIP_CAPABILITIES = "enip.capabilities", Transaction Server Number filled;
    ENIP_SERVICE_NAME = "enip.service_name", Transaction Server Bytes filled;
    ENIP_VENDOR = "enip.vendor_id", Transaction Server Number filled;
    ENIP_DEVICE_TYPE = "enip.device_type", Transaction Server Number filled;
    ENIP_PRODUCT_CODE = "enip.product_code", Transaction Server Number filled;
    ENIP_REVISION = "enip.revision", Transaction Server Number filled;
    ENIP_IDENTITY_STATUS = "enip.identity_status", Transaction Server Number filled;
    ENIP_SERIAL = "enip.serial", Transaction Server Number filled;
    ENIP_PRODUCT_NAME = "enip.product_name", Transaction Server Bytes filled;
    ENIP_STATE = "enip.state", Transaction Server Number filled;
    CIP_SERVICE = "cip_service" ["enip.cip_service"], Transaction Either Number filled;
    ENIP_CIP_CLASS = "enip.cip_class", Transaction Either Number filled;
    ENIP_CIP_INSTANCE = "enip.cip_instance", Transaction Either Number filled;
    ENIP_CIP_ATTRIBUTE = "enip.cip_attribute", Transaction Either Number filled;
    ENIP_CIP_STATUS = "enip.cip_status", Transaction Server Number filled;
    ENIP_CIP_EXTENDED_STATUS = "enip.cip_extendedstatus", Transaction Server Number filled;
    DNP3_FUNCTION = "dnp3_func" ["dnp3.func"], Transaction Either Number filled;
    DNP3_INDICATORS = "dnp3_ind" ["dnp3.ind"], Transaction Server Flags filled;
    DNP3_OBJECT = "dnp3_obj" ["dnp3.obj"], Transaction Either Number filled;
    DNP3_DATA = "dnp3_data" ["dnp3.data"], Transaction Either Bytes filled;

    APP_STATE = "app-layer-state", Transaction Either Many filled;
    APP_EVENT = "app-layer-event", Transaction Either Many filled;
    FRAME_HTTP1_REQUEST = "frame.http1.request", Transaction Client Many filled;
    FRAME_HTTP1_RESPONSE = "frame.http1.response", Transaction Server Many filled;
    FRAME_DNS_PDU = "frame.dns.pdu", Transaction Either Many filled;
    FRAME_MQTT_PDU = "frame.mqtt.pdu", Transaction Either Many filled;
    FRAME_MQTT_HEADER = "frame.mqtt.header", Transaction Either Many filled;
    FRAME_MQTT_DATA = "frame.mqtt.data", Transaction Either Many filled;
    FRAME_SIP_PDU = "frame.sip.pdu", Transaction Either Many filled;
    FRAME_SIP_REQUEST_LINE = "frame.sip.request.line", Transaction Client Many filled;
    FRAME_SIP_REQUEST_HEADERS = "frame.sip.request.headers", Transaction Client Many filled;
    FRAME_SIP_REQUEST_BODY = "frame.sip.request.body", Transaction Client Many filled;
    FRAME_SIP_RESPONSE_LINE = "frame.sip.response.line", Transaction Server Many filled;
    FRAME_SIP_RESPONSE_HEADERS = "frame.sip.response.headers", Transaction Server Many filled;
    FRAME_SIP_RESPONSE_BODY = "frame.sip.response.body", Transaction Server Many filled;
    FRAME_SMB2_PDU = "frame.smb2.pdu", Transaction Either Many filled;
    FRAME_SMB2_HEADER = "frame.smb2.hdr", Transaction Either Many filled;
    FRAME_SMB2_DATA = "frame.smb2.data", Transaction Either Many filled;
    FRAME_SMTP_COMMAND = "frame.smtp.command_line", Transaction Client Many filled;
    FRAME_SMTP_RESPONSE = "frame.smtp.response_line", Transaction Server Many filled;
    FRAME_SMTP_DATA = "frame.smtp.data", Transaction Client Many filled;
    FRAME_SMTP_STREAM = "frame.smtp.stream", Transaction Either Many filled;
    FRAME_SSH_PDU = "frame.ssh.record.pdu", Transaction Either Many filled;
    FRAME_SSH_HEADER = "frame.ssh.record.hdr", Transaction Either Many filled;
    FRAME_SSH_DATA = "frame.ssh.record.data", Transaction Either Many filled;
    FRAME_TLS_PDU = "frame.tls.pdu", Transaction Either Many filled;
    FRAME_TLS_HEADER = "frame.tls.hdr", Transaction Either Many filled;
    FRAME_TLS_DATA = "frame.tls.data", Transaction Either Many filled;
    FRAME_WEBSOCKET_PDU = "frame.websocket.pdu", Transaction Either Many filled;
    FRAME_WEBSOCKET_HEADER = "frame.websocket.header", Transaction Either Many filled;
    FRAME_WEBSOCKET_DATA = "frame.websocket.data", Transaction Either Many filled;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_spelling_stands_for_one_buffer() {
        let mut seen = BTreeSet::new();
        for buffer in BUFFERS {
            for name in [buffer.name].into_iter().chain(buffer.aliases.iter().copied()).chain(buffer.modifier) {
                assert!(seen.insert(name), "{name} stands twice");
            }
        }
        assert_eq!(by_keyword("tls_sni"), Some(TLS_SNI));
        assert_eq!(by_modifier("http_client_body"), Some(HTTP_REQUEST_BODY));
        assert_eq!(HTTP_URI.buffer().name, "http.uri");
    }
}
