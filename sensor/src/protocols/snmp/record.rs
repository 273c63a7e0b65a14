//! What is said of an SNMP message.

use std::net::IpAddr;

luytre_events::record! {
    /// One SNMP message: a question about a device, its answer, or what it reports by itself.
    pub struct SnmpMessage in "snmp" {
        /// 1, 2c or 3.
        version: &'static str = "snmp.version", Keyword, Column;
        /// get_request, get_next_request, get_bulk_request, set_request, response, trap_v1, trap_v2, inform_request,
        /// report, or encrypted.
        pdu_type: &'static str = "snmp.pdu_type", Keyword, Column;
        /// Number that joins question and answer.
        request_id: Option<i64> = "snmp.request_id", Long, Term;
        /// What went wrong, as the device says: noSuchName, authorizationError and so on.
        error: Option<String> = "snmp.error", Keyword, Column;
        /// Identifiers of the variables.
        object_ids: Vec<String> = "snmp.oids", Keyword list, Term;
        /// Values of the variables as text, one for each identifier; empty in questions.
        values: Vec<String> = "snmp.values", Keyword list, Stored;
        /// Variables in the message, when not all of them are told.
        variables_count: Option<u64> = "snmp.variables_count", Long, Stored;
        /// True when a community, a password in clear, was seen.
        community_seen: Option<bool> = "snmp.community_seen", Boolean, Term;
        /// True when that community is one that devices are delivered with.
        community_common: Option<bool> = "snmp.community_common", Boolean, Column;
        /// User of version 3.
        user: Option<String> = "user.name", Keyword, Column;
        /// noAuthNoPriv, authNoPriv or authPriv.
        security_level: Option<&'static str> = "snmp.security_level", Keyword, Term;
        /// Identifier of the device's SNMP engine, in hexadecimal.
        engine_id: Option<String> = "snmp.engine_id", Keyword, Term;
        /// Context of version 3.
        context: Option<String> = "snmp.context", Keyword, Stored;
        /// Kind of trap of version 1: coldStart, linkDown and so on.
        trap_type: Option<String> = "snmp.trap.type", Keyword, Term;
        /// Who defined the trap of version 1.
        trap_enterprise: Option<String> = "snmp.trap.enterprise", Keyword, Term;
        /// The device that the trap of version 1 is about.
        trap_agent: Option<IpAddr> = "snmp.trap.agent", Ip, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "snmp.malformed", Boolean, Term;
    }
}
