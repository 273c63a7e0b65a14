//! Classic BPF (Linux, `Documentation/networking/filter.rst`): the instructions that our programs are made of, and a machine
//! that runs them as the kernel does.
//!
//! A load outside of the packet ends the program with no. Jumps lead forward only, so every program ends.

use crate::capture::Packet;

/// Most instructions of a program that the kernel takes (`BPF_MAXINSNS`).
pub const INSTRUCTIONS_MAX: usize = 4096;
/// How much of a packet that passes is kept: all.
const ALL: u32 = 0x0004_0000;
/// Places for numbers (`BPF_MEMWORDS`).
const CELLS: usize = 16;
/// What lies beside the packet is loaded from here on (`SKF_AD_OFF`).
const BESIDE: u32 = 0xffff_f000;
/// The VLAN tag that the card took out, and whether it did.
pub(super) const VLAN_TAG: u32 = BESIDE + 44;
/// See [`VLAN_TAG`].
pub(super) const VLAN_TAG_PRESENT: u32 = BESIDE + 48;

/// What an instruction does; each stands for one code of the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A = four bytes at K.
    LoadWord,
    /// A = two bytes at X + K.
    LoadHalfBehindX,
    /// A = one byte at X + K.
    LoadByteBehindX,
    /// A = four bytes at X + K.
    LoadWordBehindX,
    /// A = two bytes at K.
    LoadHalf,
    /// A = one byte at K.
    LoadByte,
    /// A = length of the packet on the wire.
    LoadLength,
    /// X = length of what was captured of it.
    LoadLengthIntoX,
    /// A = K.
    Set,
    /// A = cell K.
    Recall,
    /// X = cell K.
    RecallIntoX,
    /// Cell K = A.
    Keep,
    /// A = A & K.
    And,
    /// A = A + K.
    Add,
    /// A = A + X.
    AddX,
    /// A = A << K.
    ShiftLeft,
    /// A = A >> K.
    ShiftRight,
    /// Goes on K instructions further.
    Jump,
    /// Whether A == K.
    IfEqual,
    /// Whether A > K.
    IfGreater,
    /// Whether A >= K.
    IfAtLeast,
    /// Whether A & K is not zero.
    IfAny,
    /// Whether A > X.
    IfGreaterThanX,
    /// Ends with K.
    Return,
}

impl Code {
    /// The kernel's number.
    pub fn number(self) -> u16 {
        match self {
            Code::LoadWord => 0x20,
            Code::LoadHalf => 0x28,
            Code::LoadByte => 0x30,
            Code::LoadWordBehindX => 0x40,
            Code::LoadHalfBehindX => 0x48,
            Code::LoadByteBehindX => 0x50,
            Code::LoadLength => 0x80,
            Code::LoadLengthIntoX => 0x81,
            Code::Set => 0x00,
            Code::Recall => 0x60,
            Code::RecallIntoX => 0x61,
            Code::Keep => 0x02,
            Code::And => 0x54,
            Code::Add => 0x04,
            Code::AddX => 0x0c,
            Code::ShiftLeft => 0x64,
            Code::ShiftRight => 0x74,
            Code::Jump => 0x05,
            Code::IfEqual => 0x15,
            Code::IfGreater => 0x25,
            Code::IfAtLeast => 0x35,
            Code::IfAny => 0x45,
            Code::IfGreaterThanX => 0x2d,
            Code::Return => 0x06,
        }
    }
}

/// One instruction: what to do, how many to skip where the answer is yes or no, and K.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: Code,
    /// Instructions skipped on yes.
    pub yes: u8,
    /// Instructions skipped on no.
    pub no: u8,
    /// Its number.
    pub k: u32,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(pub(super) Vec<Instruction>);

impl Program {
    /// Its instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// The same for the kernel.
    #[cfg(target_os = "linux")]
    pub fn for_kernel(&self) -> Vec<libc::sock_filter> {
        let translate = |i: &Instruction| libc::sock_filter { code: i.code.number(), jt: i.yes, jf: i.no, k: i.k };
        self.0.iter().map(translate).collect()
    }

    /// Whether a packet passes.
    pub fn passes(&self, packet: &Packet<'_>) -> bool {
        self.run(packet).unwrap_or(0) > 0
    }

    /// What the program ends with; nothing where it looked outside of the packet.
    fn run(&self, packet: &Packet<'_>) -> Option<u32> {
        let (mut a, mut x, mut cells) = (0u32, 0u32, [0u32; CELLS]);
        let mut next = 0usize;
        loop {
            let Instruction { code, yes, no, k } = *self.0.get(next)?;
            next += 1;
            let behind = x.wrapping_add(k);
            let mut decide = |answer: bool| next += usize::from(if answer { yes } else { no });
            match code {
                Code::LoadWord if k == VLAN_TAG => a = packet.vlan.unwrap_or(0).into(),
                Code::LoadWord if k == VLAN_TAG_PRESENT => a = packet.vlan.is_some().into(),
                Code::LoadWord => a = load(packet, k, 4)?,
                Code::LoadHalf => a = load(packet, k, 2)?,
                Code::LoadByte => a = load(packet, k, 1)?,
                Code::LoadWordBehindX => a = load(packet, behind, 4)?,
                Code::LoadHalfBehindX => a = load(packet, behind, 2)?,
                Code::LoadByteBehindX => a = load(packet, behind, 1)?,
                Code::LoadLength => a = packet.original_length,
                Code::LoadLengthIntoX => x = u32::try_from(packet.bytes.len()).ok()?,
                Code::Set => a = k,
                Code::Recall => a = *cells.get(k as usize)?,
                Code::RecallIntoX => x = *cells.get(k as usize)?,
                Code::Keep => *cells.get_mut(k as usize)? = a,
                Code::And => a &= k,
                Code::Add => a = a.wrapping_add(k),
                Code::AddX => a = a.wrapping_add(x),
                Code::ShiftLeft => a = a.wrapping_shl(k),
                Code::ShiftRight => a = a.wrapping_shr(k),
                Code::Jump => next = next.checked_add(k as usize)?,
                Code::IfEqual => decide(a == k),
                Code::IfGreater => decide(a > k),
                Code::IfAtLeast => decide(a >= k),
                Code::IfAny => decide(a & k != 0),
                Code::IfGreaterThanX => decide(a > x),
                Code::Return => return Some(k),
            }
        }
    }
}

/// What a program ends with when a packet passes, and when it does not.
pub(super) fn verdict(passes: bool) -> u32 {
    if passes { ALL } else { 0 }
}

/// A number of the packet, first byte highest.
fn load(packet: &Packet<'_>, at: u32, bytes: usize) -> Option<u32> {
    let from = usize::try_from(at).ok()?;
    let part = packet.bytes.get(from..from.checked_add(bytes)?)?;
    Some(part.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}
