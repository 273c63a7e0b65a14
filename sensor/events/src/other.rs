//! What other programs tell that no sensor of ours tells: datasets of the collector's sources.
//!
//! Names are those of the Elastic Common Schema; what the schema leaves to Windows stands under `winlog`, where the
//! programs that read its event logs put it.

use crate::field::{DatasetDef, FieldDef, IndexHint, Kind};

const fn keyword(name: &'static str, index: IndexHint, doc: &'static str) -> FieldDef {
    FieldDef { name, kind: Kind::Keyword, list: false, index, doc }
}

const fn column(name: &'static str, doc: &'static str) -> FieldDef {
    keyword(name, IndexHint::Column, doc)
}

const fn term(name: &'static str, doc: &'static str) -> FieldDef {
    keyword(name, IndexHint::Term, doc)
}

const MESSAGE: FieldDef =
    FieldDef { name: "message", kind: Kind::Text, list: false, index: IndexHint::Stored, doc: "What is reported." };
const HOST: FieldDef = column("host.name", "The host that reports, as it calls itself.");
const LEVEL: FieldDef = column("log.level", "How bad the program that reports finds it.");
const AGENT: FieldDef = term("agent.type", "The program that read the line and sent it on.");
const DATASET: FieldDef = column("data_stream.dataset", "What the sender calls this kind of event.");
const ACTION: FieldDef = column("event.action", "What was done, in the words of the program that reports.");
const OUTCOME: FieldDef = column("event.outcome", "success or failure.");
const PROCESS: FieldDef = column("process.name", "File name of the program that did it.");
const PROCESS_ID: FieldDef = FieldDef { kind: Kind::Long, ..term("process.pid", "Number of the process that did it.") };

/// Lines for which there is no other dataset.
pub const LOG: DatasetDef = DatasetDef {
    name: "log",
    doc: "A line of another program for which there is no other dataset.",
    fields: &[
        MESSAGE,
        HOST,
        LEVEL,
        AGENT,
        DATASET,
        ACTION,
        OUTCOME,
        PROCESS,
        PROCESS_ID,
        column("user.name", "The account that did it."),
    ],
};

/// Event logs of Windows, Sysmon among them.
pub const WINDOWS: DatasetDef = DatasetDef {
    name: "windows",
    doc: "An event of an event log of Windows, sent by a program that reads it there.",
    fields: &[
        MESSAGE,
        HOST,
        LEVEL,
        AGENT,
        ACTION,
        OUTCOME,
        PROCESS,
        PROCESS_ID,
        column("event.code", "Number of the kind of event, as Windows gives it."),
        column("event.provider", "The part of Windows, or the program, that reports."),
        column("winlog.channel", "The event log: Security, System and so on."),
        term("winlog.record_id", "Number of the event in its log."),
        column("winlog.logon.type", "How somebody logged on, as Windows numbers it: 3 is over the network."),
        term("winlog.logon.id", "Number of the session of whoever did it."),
        term("winlog.status", "Why something was refused, as Windows codes it."),
        column("user.name", "The account that did it; of a logon, the one that logged on."),
        term("user.domain", "Domain of that account."),
        term("user.id", "Identifier of that account."),
        column("user.target.name", "The account that something was done to."),
        term("user.target.domain", "Domain of that account."),
        column("group.name", "The group that was changed."),
        column("process.executable", "Path of the program that did it; of a start, the one started."),
        term("process.command_line", "The whole command."),
        column("process.parent.executable", "Path of the program that started it."),
        term("process.parent.command_line", "The command of the program that started it."),
        term("process.hash.sha256", "SHA-256 of the program that did it."),
        term("process.pe.original_file_name", "The name that the program was built with."),
        column("file.path", "The file that was read, written or run."),
        column("file.hash.sha256", "SHA-256 of the program or file."),
        term("registry.path", "The place in the registry that was changed."),
        term("registry.data.strings", "What was written there."),
        column("service.name", "The service that was installed or changed."),
        term("powershell.file.script_block_text", "The commands that PowerShell was told to run."),
        column("dns.question.name", "The name that a program asked for."),
        column("source.domain", "The computer that somebody logged on from, as it calls itself."),
    ],
};
