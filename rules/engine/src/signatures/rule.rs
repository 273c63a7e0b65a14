//! What a rule says, as the matcher needs it.

use std::sync::Arc;

use super::buffer::BufferId;
use super::language::{Action, Header, NumberTest};
use super::many::ManyTest;
use super::modbus::ModbusTest;
use super::regex::Pattern;
use super::transform::Transform;
use super::tuning::Suppress;

/// A rule that can be matched.
#[derive(Debug)]
pub struct Rule {
    /// Signature id.
    pub sid: u32,
    /// Generator id, nearly always 1.
    pub gid: u32,
    /// Revision.
    pub rev: u32,
    /// What it is about, in its author's words.
    pub message: String,
    /// Its class (`classtype`).
    pub class: Option<String>,
    /// 1 is the gravest.
    pub priority: u8,
    /// What is to be done.
    pub action: Action,
    /// Protocol, addresses, ports, direction.
    pub header: Header,
    /// What the flow must be like.
    pub flow: FlowTest,
    /// What the packet's headers must be like.
    pub packet: Vec<PacketTest>,
    /// What must be found, list by list.
    pub lists: Vec<MatchList>,
    /// What must be remembered of the flow or its hosts.
    pub asks: Vec<StateTest>,
    /// What is to be remembered once it matches.
    pub sets: Vec<StateChange>,
    /// How often it tells.
    pub limits: Vec<Limit>,
    /// When it is silent, as people have said.
    pub silences: Arc<[Arc<Suppress>]>,
    /// It only remembers.
    pub silent: bool,
    /// It passes and tells so.
    pub tells_pass: bool,
    /// The protocol that must be spoken, as rules name them: from the header or from a buffer.
    pub protocol: Option<String>,
    /// Tests of the protocol that was recognised (`app-layer-protocol`).
    pub spoken: Vec<SpokenTest>,
    /// When it is looked at.
    pub scope: Scope,
    /// What of it cannot be satisfied here, in words: it loads and never matches.
    pub unsupported: Vec<String>,
    /// Places for `byte_extract` and `byte_math`.
    pub variables: usize,
}

/// When a rule is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Once for each direction of a flow: it only asks for addresses.
    Addresses,
    /// Once for each direction of a flow, when its protocol becomes known.
    Recognised,
    /// For each packet.
    Packet,
    /// For each piece of a stream.
    Stream,
    /// For each packet and for each piece of a stream.
    PacketAndStream,
    /// For each transaction.
    Transaction,
    /// For each packet about which something odd was noticed.
    Event,
}

/// What must be found in one buffer.
#[derive(Debug)]
pub struct MatchList {
    /// Which buffer.
    pub buffer: BufferId,
    /// What is done to it first.
    pub transforms: Vec<Transform>,
    /// In order; places are relative to what was found before.
    pub conditions: Vec<Condition>,
}

/// What `flow` asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowTest {
    /// From the client.
    pub to_server: bool,
    /// From the server.
    pub to_client: bool,
    /// Both sides have spoken and agreed.
    pub established: bool,
    /// Not so.
    pub not_established: bool,
    /// Whatever the state: packets only.
    pub stateless: bool,
    /// Only pieces of streams.
    pub only_stream: bool,
    /// No pieces of streams.
    pub no_stream: bool,
}

/// Something in a packet's headers, or of its flow as a whole.
#[expect(missing_docs, reason = "fields are named as what they hold")]
#[derive(Debug, Clone, PartialEq)]
pub enum PacketTest {
    /// Bytes of payload.
    PayloadSize(NumberTest),
    /// Flags of TCP: how they compare, which, and which are not looked at.
    TcpFlags { how: FlagsHow, flags: u8, ignored: u8 },
    /// Sequence number.
    TcpSequence(NumberTest),
    /// Acknowledgement number.
    TcpAcknowledgement(NumberTest),
    /// Window.
    TcpWindow(NumberTest),
    /// Maximum segment size that is offered.
    TcpSegmentSize(NumberTest),
    /// Time to live.
    HopsLeft(NumberTest),
    /// Type of service.
    ServiceType(NumberTest),
    /// Identification of an IPv4 packet.
    Identification(NumberTest),
    /// Protocol number above IP.
    Protocol(NumberTest),
    /// Type of an ICMP message.
    IcmpType(NumberTest),
    /// Code of an ICMP message.
    IcmpCode(NumberTest),
    /// Identifier of an echo.
    IcmpIdentifier(NumberTest),
    /// Sequence number of an echo.
    IcmpSequence(NumberTest),
    /// Sender and receiver are the same.
    SameAddress,
    /// Bytes of the streams of a flow.
    StreamSize(StreamSide, NumberTest),
    /// What a flow has carried.
    FlowCount(FlowCount, NumberTest),
    /// Seconds that a flow lives.
    FlowAge(NumberTest),
    /// Something odd was noticed when the packet was taken apart or its stream put together, under this name.
    Event(String),
    /// An option of the IP header.
    IpOption(IpOption),
    /// Flags of a fragment: how they compare, and which.
    FragmentFlags { how: FlagsHow, flags: u8 },
    /// Place of a fragment in its datagram, in units of eight bytes.
    FragmentOffset(NumberTest),
    /// Scaling of the window that is offered.
    TcpWindowScale(NumberTest),
    /// Largest packet that a router of IPv6 passes on.
    IcmpMtu(NumberTest),
    /// A call of Sun RPC: program, version, procedure.
    Rpc { program: u32, version: Option<u32>, procedure: Option<u32> },
    /// Number of one of the tags of a VLAN, from the outermost on.
    Vlan(ManyTest),
    /// How many such tags there are.
    VlanLayers(NumberTest),
    /// A checksum, of the protocol with this number (4: the IP header), is right or wrong.
    Checksum { of: u8, right: bool },
}

/// Which option of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpOption {
    /// The option of this number.
    Number(u8),
    /// Any.
    Any,
}

/// How flags compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagsHow {
    /// Exactly these.
    Exactly,
    /// These and perhaps others.
    AtLeast,
    /// One of these or more.
    Any,
    /// None of these.
    None,
}

/// Of which side `stream_size` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamSide {
    /// What the client sent.
    Client,
    /// What the server sent.
    Server,
    /// Each of them.
    Both,
    /// One of them.
    Either,
}

/// What a flow counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowCount {
    /// Packets, else bytes.
    pub packets: bool,
    /// Whose.
    pub side: StreamSide,
}

/// `app-layer-protocol`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenTest {
    /// Name as written; `failed` and `unknown` have their meanings.
    pub name: String,
    /// It must not be that.
    pub negated: bool,
}

/// Where a number in a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// It stands there.
    Fixed(i64),
    /// A `byte_extract` or `byte_math` before has left it in this place.
    Variable(usize),
}

/// One condition on a buffer.
#[expect(missing_docs, reason = "fields are named as what they hold")]
#[derive(Debug)]
pub enum Condition {
    /// Bytes that must be there, or must not.
    Content(Content),
    /// A regular expression.
    Regex(Regex),
    /// So many bytes are there.
    IsDataAt { at: Operand, relative: bool, negated: bool },
    /// The size of the buffer.
    Size(NumberTest),
    /// The number that the buffer holds: one of those named, none of those excluded.
    Number(Vec<NumberTest>),
    /// The numbers of a buffer that has several are such.
    Numbers(ManyTest),
    /// A number in the bytes compares so.
    ByteTest(ByteTest),
    /// The place moves by a number in the bytes.
    ByteJump(ByteJump),
    /// A number in the bytes is remembered.
    ByteExtract(ByteExtract),
    /// A number in the bytes is calculated with and remembered.
    ByteMath(ByteMath),
    /// Bytes are decoded, and what comes out is looked into.
    Base64(Base64),
    /// Shannon entropy of the buffer, in bits a byte.
    Entropy(EntropyTest),
    /// The buffer is one of these words.
    OneOf(Vec<&'static str>),
    /// The buffer is a request of Modbus that does this.
    Modbus(ModbusTest),
    /// Whether the buffer is in a set of values.
    Set(SetTest),
    /// The buffer is not there (`absent`); with `or_else` the other conditions may hold instead.
    Absent { or_else: bool },
}

/// Bytes to find.
#[derive(Debug, Clone)]
pub struct Content {
    /// What to find; in lower case where case does not matter.
    pub bytes: Vec<u8>,
    /// Whether case does not matter.
    pub nocase: bool,
    /// It must not be there.
    pub negated: bool,
    /// It begins here or later.
    pub offset: Option<Operand>,
    /// It ends so many bytes from the offset, or earlier.
    pub depth: Option<Operand>,
    /// It begins so far behind what was found before, or later.
    pub distance: Option<Operand>,
    /// It ends within so many bytes behind that.
    pub within: Option<Operand>,
    /// It ends with the buffer.
    pub at_end: bool,
    /// The author's choice for the prefilter.
    pub fast: bool,
    /// Only the prefilter looks for it.
    pub fast_only: bool,
    /// The part that the prefilter looks for: offset and length.
    pub fast_part: Option<(usize, usize)>,
    /// In front of what the buffer is made of.
    pub at_start: bool,
    /// Bytes as they came, before any normalisation.
    pub raw: bool,
}

impl Content {
    /// Whether its place depends on what was found before.
    pub fn is_relative(&self) -> bool {
        self.distance.is_some() || self.within.is_some()
    }
}

/// A regular expression to find.
#[derive(Debug, Clone)]
pub struct Regex {
    /// The expression.
    pub pattern: Arc<Pattern>,
    /// It must not be found.
    pub negated: bool,
    /// It is looked for behind what was found before.
    pub relative: bool,
}

/// How a number is written in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// As bytes, the highest first.
    BigEndian,
    /// As bytes, the lowest first.
    LittleEndian,
    /// As digits to a base; 0 lets a prefix decide.
    Digits(u32),
}

/// A number in the bytes.
#[derive(Debug, Clone, Copy)]
pub struct NumberAt {
    /// Bytes of it.
    pub bytes: Operand,
    /// Where it begins.
    pub offset: Operand,
    /// Counted from what was found before.
    pub relative: bool,
    /// How it is written.
    pub notation: Notation,
    /// Only these bits count, moved to the lowest.
    pub mask: Option<u64>,
}

/// `byte_test`.
#[derive(Debug, Clone, Copy)]
pub struct ByteTest {
    /// The number.
    pub number: NumberAt,
    /// How it compares.
    pub how: TestHow,
    /// With what.
    pub value: Operand,
    /// It must not.
    pub negated: bool,
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestHow {
    /// Equal.
    Equal,
    /// Less.
    Below,
    /// Greater.
    Above,
    /// Less or equal.
    AtMost,
    /// Greater or equal.
    AtLeast,
    /// Bits in common.
    And,
    /// Bits that differ.
    Or,
}

/// `byte_jump`.
#[derive(Debug, Clone, Copy)]
pub struct ByteJump {
    /// The number.
    pub number: NumberAt,
    /// What it is multiplied with.
    pub multiplier: u64,
    /// Rounded up to a multiple of four.
    pub align: bool,
    /// Counted from the beginning of the buffer.
    pub from_beginning: bool,
    /// Counted from its end.
    pub from_end: bool,
    /// Added at last.
    pub post_offset: Operand,
}

/// `byte_extract`.
#[derive(Debug, Clone, Copy)]
pub struct ByteExtract {
    /// The number.
    pub number: NumberAt,
    /// What it is multiplied with.
    pub multiplier: u64,
    /// Rounded up to a multiple of this.
    pub align: u64,
    /// Where it is remembered.
    pub variable: usize,
}

/// `byte_math`.
#[derive(Debug, Clone, Copy)]
pub struct ByteMath {
    /// The number.
    pub number: NumberAt,
    /// `+ - * / << >>`.
    pub operator: MathOperator,
    /// The other number.
    pub value: Operand,
    /// Where the result is remembered.
    pub variable: usize,
}

/// What is calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MathOperator {
    /// Sum.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Multiply,
    /// Quotient.
    Divide,
    /// Bits moved up.
    ShiftLeft,
    /// Bits moved down.
    ShiftRight,
}

/// `base64_decode` with what follows `base64_data`.
#[derive(Debug)]
pub struct Base64 {
    /// The most bytes that are decoded.
    pub bytes: Option<usize>,
    /// Where they begin.
    pub offset: usize,
    /// Counted from what was found before.
    pub relative: bool,
    /// What must be found in what comes out.
    pub inside: Vec<Condition>,
}

/// `entropy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EntropyTest {
    /// Bytes that are looked at, all without it.
    pub bytes: Option<usize>,
    /// Where they begin.
    pub offset: usize,
    /// How it compares.
    pub how: EntropyHow,
    /// With what, in bits a byte.
    pub value: f64,
}

/// How an entropy compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EntropyHow {
    /// Greater than the value and less than this.
    Between(f64),
    /// Not so.
    Outside(f64),
    /// Equal.
    Equal,
    /// Not equal.
    Not,
    /// Less.
    Below,
    /// Less or equal.
    AtMost,
    /// Greater.
    Above,
    /// Greater or equal.
    AtLeast,
}

/// `dataset` and `datarep` with a file that was loaded.
#[derive(Debug, Clone)]
pub struct SetTest {
    /// The set.
    pub set: Arc<super::sets::ValueSet>,
    /// What is asked.
    pub ask: super::sets::Ask,
}

/// Whose memory a bit is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keeper {
    /// The flow.
    Flow,
    /// The sender.
    Source,
    /// The receiver.
    Destination,
    /// Both hosts together.
    Pair,
}

/// What must be remembered.
#[expect(missing_docs, reason = "fields are named as what they hold")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateTest {
    /// One of these bits is set, or none of them.
    Bits { keeper: Keeper, names: Vec<u32>, set: bool },
    /// A number of the flow compares so.
    Number { name: u32, how: TestHow, value: u64, negated: bool },
    /// A number of the flow exists, or does not.
    Known { name: u32, known: bool },
}

/// What is to be remembered.
#[expect(missing_docs, reason = "fields are named as what they hold")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// A bit is set, for so many seconds.
    Set { keeper: Keeper, name: u32, seconds: u32 },
    /// A bit is forgotten.
    Unset { keeper: Keeper, name: u32 },
    /// A bit is turned.
    Toggle { keeper: Keeper, name: u32, seconds: u32 },
    /// A number is set, or changed by so much.
    Number { name: u32, change: NumberChange },
}

/// What happens to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberChange {
    /// It becomes this.
    Become(u64),
    /// It grows.
    Grow(u64),
    /// It shrinks, never below nothing.
    Shrink(u64),
}

/// `threshold` and `detection_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What it does.
    pub kind: LimitKind,
    /// By what it counts.
    pub track: Track,
    /// So many ...
    pub count: u32,
    /// ... in so many seconds.
    pub seconds: u32,
}

/// What a limit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Tells at most so often.
    Limit,
    /// Tells every so many times.
    Threshold,
    /// Tells once when there were so many.
    Both,
    /// Tells from then on when there were more.
    Filter,
    /// Tells when there were so many, then when there were this many times as many, and so on.
    Backoff(u32),
    /// When there were more, another action holds for so many seconds.
    Rate {
        /// Which.
        action: Action,
        /// How long.
        seconds: u32,
    },
}

/// By what a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// Sender.
    Source,
    /// Receiver.
    Destination,
    /// Sender and receiver.
    Both,
    /// The rule alone.
    Rule,
    /// The flow.
    Flow,
}
