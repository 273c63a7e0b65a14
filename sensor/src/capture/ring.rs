//! Live packets through a kernel ring: AF_PACKET with TPACKET_V3 (Linux, `Documentation/networking/packet_mmap.rst`).
//!
//! The kernel fills blocks of a memory mapping shared with it, and hands each over when it is full or after
//! [`RETIRE_MS`]; packets are borrowed from the block until the next call, and nothing is copied. When all blocks are
//! full the kernel drops packets and counts them ([`SourceCounts::ring_full`]). Several rings on one interface share its
//! flows by a symmetric hash, so both directions of a flow meet in one ring; IP fragments are joined for the hash.
//!
//! All `unsafe` code of the sensor is in this file. Its rule: the mapping lives as long as the [`Ring`], a block is read
//! only while its status word says that it belongs to us, and every offset in it is checked against the block's end.

mod hosts;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::filter::Filter;
use super::{CaptureError, LinkType, Next, Packet, PacketSource, SourceCounts};

/// Bytes of one block; a packet never spans two.
pub const BLOCK_BYTES: usize = 1 << 20;
/// After so many milliseconds a block is handed over even if it is not full.
pub const RETIRE_MS: u32 = 20;
/// How long one call waits for a block, in milliseconds, before it says [`Next::Idle`].
const WAIT_MS: i32 = 100;

/// How a ring is set up.
#[derive(Debug, Clone)]
pub struct RingSettings {
    /// Blocks of [`BLOCK_BYTES`] each.
    pub blocks: usize,
    /// Whether to ask the card for frames that are not addressed to this machine.
    pub promiscuous: bool,
    /// The group of rings that share the interface's flows; none for a ring that has it alone.
    pub fanout_group: Option<u16>,
    /// What packets the kernel lets through, if not all.
    pub filter: Option<Arc<Filter>>,
}

/// The part of an open ring that another thread may hold: the capture thread itself is not allowed to change filters.
#[derive(Debug)]
pub struct RingControl {
    interface: String,
    socket: OwnedFd,
    link: LinkType,
}

/// The open ring.
pub struct Ring {
    interface: String,
    socket: OwnedFd,
    memory: NonNull<u8>,
    blocks: usize,
    /// The block that is read now, or next.
    block: usize,
    /// Where in it the next packet is, and how many follow; none while it is the kernel's.
    reading: Option<(usize, u32)>,
    loopback: bool,
    counts: SourceCounts,
    fullness_percent: u8,
}

// SAFETY: the mapping is not tied to a thread, and only the ring's owner touches it.
unsafe impl Send for Ring {}

impl Ring {
    /// Opens a ring on an interface. Needs CAP_NET_RAW.
    pub fn open(interface: &str, settings: RingSettings) -> Result<Ring, CaptureError> {
        let failed = |what, hint| {
            let interface = interface.to_owned();
            move |source| CaptureError::Interface { interface, what, source, hint }
        };
        let index = index_of(interface)
            .map_err(failed("find the interface", "; `luytre-sensor interfaces` lists those there are"))?;
        let socket = socket()
            .map_err(failed("open a packet socket", "; run as root or give the program the capability CAP_NET_RAW"))?;
        set_up(&socket, settings.blocks).map_err(failed("set up the ring", "; ask for fewer blocks"))?;
        let memory = map(&socket, settings.blocks).map_err(failed("map the ring", "; ask for fewer blocks"))?;
        let mut ring = Ring {
            interface: interface.to_owned(),
            socket,
            memory,
            blocks: settings.blocks,
            block: 0,
            reading: None,
            loopback: interface == "lo",
            counts: SourceCounts::default(),
            fullness_percent: 0,
        };
        if let Some(filter) = &settings.filter {
            // Before it is bound, so that not one packet comes unasked.
            ring.control().and_then(|control| control.set_filter(Some(filter)))?;
        }
        bind(&ring.socket, index).map_err(failed("bind to the interface", ""))?;
        if settings.promiscuous && !ring.loopback {
            promiscuous(&ring.socket, index).map_err(failed("switch to promiscuous mode", ""))?;
        }
        if let Some(group) = settings.fanout_group {
            join(&ring.socket, group).map_err(failed("share the interface among queues", "; use one queue"))?;
        }
        ring.loopback = interface == "lo";
        Ok(ring)
    }

    /// What another thread needs to change the filter while the ring is read.
    pub fn control(&self) -> Result<RingControl, CaptureError> {
        let failed = |source| CaptureError::Interface {
            interface: self.interface.clone(),
            what: "look at the interface",
            source,
            hint: "",
        };
        let socket = self.socket.try_clone().map_err(failed)?;
        let link = link_type(hardware(&socket, &self.interface).map_err(failed)?);
        Ok(RingControl { interface: self.interface.clone(), socket, link })
    }

    fn base(&self) -> usize {
        self.block * BLOCK_BYTES
    }

    /// The word that says whose the current block is.
    fn status(&self) -> &AtomicU32 {
        self.status_of(self.block)
    }

    fn status_of(&self, block: usize) -> &AtomicU32 {
        let at = (block % self.blocks) * BLOCK_BYTES + std::mem::offset_of!(libc::tpacket_block_desc, hdr);
        // SAFETY: the block's number is below `blocks`, so the word lies in the mapping, which lives as long as self; it is
        // aligned (blocks are page-aligned, `hdr` begins at 8) and is written by the kernel as a whole.
        unsafe { AtomicU32::from_ptr(self.memory.as_ptr().add(at).cast()) }
    }

    /// How many of the blocks behind the current one wait for us, in percent.
    fn measure(&self) -> u8 {
        let others = self.blocks.saturating_sub(1);
        let ours = |block: &usize| self.status_of(*block).load(Ordering::Relaxed) & libc::TP_STATUS_USER != 0;
        let waiting = (1..=others).map(|ahead| self.block + ahead).take_while(ours).count();
        u8::try_from(waiting * 100 / others.max(1)).unwrap_or(100)
    }

    /// Takes the current block if the kernel has handed it over.
    fn take_block(&mut self) -> bool {
        if self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return false;
        }
        // SAFETY: the status word says that the block is ours; the header lies at its start, aligned.
        let header = unsafe { &(*self.memory.as_ptr().add(self.base()).cast::<libc::tpacket_block_desc>()).hdr.bh1 };
        self.reading = Some((header.offset_to_first_pkt as usize, header.num_pkts));
        self.fullness_percent = self.measure();
        true
    }

    fn give_block_back(&mut self) {
        self.reading = None;
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % self.blocks;
    }

    fn wait(&self) -> io::Result<()> {
        let mut poll = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid pollfd.
        let result = unsafe { libc::poll(&raw mut poll, 1, WAIT_MS) };
        if result < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        if poll.revents & (libc::POLLERR | libc::POLLNVAL) != 0 {
            return Err(io::Error::from_raw_os_error(libc::ENETDOWN));
        }
        Ok(())
    }

    /// The header of the packet at `offset` of the current block, and where the next one is.
    fn header(&self, offset: usize) -> Option<&libc::tpacket3_hdr> {
        let end = offset.checked_add(size_of::<libc::tpacket3_hdr>() + ADDRESS_AT + size_of::<libc::sockaddr_ll>())?;
        if end > BLOCK_BYTES || !offset.is_multiple_of(align_of::<libc::tpacket3_hdr>()) {
            return None;
        }
        // SAFETY: the block is ours, the header lies within it and is aligned.
        Some(unsafe { &*self.memory.as_ptr().add(self.base() + offset).cast::<libc::tpacket3_hdr>() })
    }

    /// The link-layer address that the kernel wrote behind a packet's header.
    fn address(&self, offset: usize) -> libc::sockaddr_ll {
        // SAFETY: `header` has checked that the address lies within the block; it may be unaligned.
        unsafe {
            self.memory.as_ptr().add(self.base() + offset + ADDRESS_AT).cast::<libc::sockaddr_ll>().read_unaligned()
        }
    }

    fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        if offset.checked_add(length).is_none_or(|end| end > BLOCK_BYTES) {
            return &[];
        }
        // SAFETY: the block is ours until it is given back, which needs `&mut self`; the range lies within it.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(self.base() + offset), length) }
    }

    /// Moves to the next packet of the current block: its offset.
    fn advance(&mut self) -> Option<usize> {
        let (offset, left) = self.reading?;
        if left == 0 {
            self.give_block_back();
            return None;
        }
        let Some(next) = self.header(offset).map(|header| header.tp_next_offset as usize) else {
            self.give_block_back();
            return None;
        };
        self.reading = Some((offset + next, left - 1));
        Some(offset)
    }

    fn packet(&self, offset: usize) -> Option<Packet<'_>> {
        let header = self.header(offset)?;
        let address = self.address(offset);
        if self.loopback && address.sll_pkttype == libc::PACKET_OUTGOING {
            // On the loopback interface every frame passes twice.
            return None;
        }
        let tagged = header.tp_status & libc::TP_STATUS_VLAN_VALID != 0;
        Some(Packet {
            time_ns: i64::from(header.tp_sec) * 1_000_000_000 + i64::from(header.tp_nsec),
            link: link_type(address.sll_hatype),
            original_length: header.tp_len,
            vlan: tagged.then_some((header.hv1.tp_vlan_tci & 0x0fff) as u16),
            bytes: self.bytes(offset + usize::from(header.tp_mac), header.tp_snaplen as usize),
        })
    }

    /// Finds the next packet: its offset in the current block.
    fn find(&mut self) -> io::Result<Option<usize>> {
        loop {
            while self.reading.is_some() {
                if let Some(offset) = self.advance()
                    && self.packet(offset).is_some()
                {
                    return Ok(Some(offset));
                }
            }
            if self.take_block() {
                continue;
            }
            self.fullness_percent = 0;
            self.wait()?;
            if !self.take_block() {
                return Ok(None);
            }
        }
    }

    fn collect_drops(&mut self) {
        let mut stats = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut length = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        // SAFETY: the buffer has the size that is passed. Reading resets the kernel's counters.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &raw mut length,
            )
        };
        if result == 0 {
            self.counts.ring_full += u64::from(stats.tp_drops);
        }
    }
}

impl RingControl {
    /// Puts a filter in place of the one that is there, at once and between two packets. Packets that are in the ring
    /// already stay.
    pub fn set_filter(&self, filter: Option<&Filter>) -> Result<(), CaptureError> {
        let failed = |source| CaptureError::Interface {
            interface: self.interface.clone(),
            what: "set the filter",
            source,
            hint: "",
        };
        let Some(filter) = filter else { return detach(&self.socket).map_err(failed) };
        let Some(program) = filter.program(self.link) else {
            return Err(failed(io::Error::other("frames of this kind of interface cannot be filtered")));
        };
        attach(&self.socket, &program.for_kernel()).map_err(failed)
    }
}

impl PacketSource for Ring {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        let found = self.find().map_err(|source| CaptureError::Interface {
            interface: self.interface.clone(),
            what: "wait for packets",
            source,
            hint: "; is the interface still there and up?",
        })?;
        Ok(match found.and_then(|offset| self.packet(offset)) {
            Some(packet) => Next::Packet(packet),
            None => Next::Idle,
        })
    }

    fn counts(&mut self) -> SourceCounts {
        self.collect_drops();
        self.counts
    }

    fn fullness_percent(&self) -> u8 {
        self.fullness_percent
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `map` made, and nothing borrows from it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.blocks * BLOCK_BYTES) };
    }
}

/// Where the link-layer address stands behind a packet's header.
const ADDRESS_AT: usize = size_of::<libc::tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);

/// From ARP hardware types to capture link types.
fn link_type(hardware: u16) -> LinkType {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => LinkType::ETHERNET,
        // Tunnels and the like carry IP without a header of their own.
        libc::ARPHRD_NONE | libc::ARPHRD_PPP | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT => {
            LinkType(101)
        }
        _ => LinkType(u32::MAX),
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn index_of(interface: &str) -> io::Result<libc::c_int> {
    let name = CString::new(interface).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: a string that ends in zero.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 {
        return Err(io::Error::last_os_error());
    }
    libc::c_int::try_from(index).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

fn socket() -> io::Result<OwnedFd> {
    // Protocol 0: nothing is received until the socket is bound to its interface.
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn option<T>(socket: &OwnedFd, name: libc::c_int, value: &T) -> io::Result<()> {
    option_at(socket, libc::SOL_PACKET, name, value)
}

fn option_at<T>(socket: &OwnedFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` points to `length` readable bytes.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, std::ptr::from_ref(value).cast(), length) })
        .map(drop)
}

/// The socket's own filter; the program that divides packets among rings is another one.
fn attach(socket: &OwnedFd, program: &[libc::sock_filter]) -> io::Result<()> {
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let len = libc::c_ushort::try_from(program.len()).map_err(too_long)?;
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    option_at(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn detach(socket: &OwnedFd) -> io::Result<()> {
    let nothing: libc::c_int = 0;
    match option_at(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &nothing) {
        // There was none.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        done => done,
    }
}

/// The kind of hardware that an interface is, or poses as.
fn hardware(socket: &OwnedFd, interface: &str) -> io::Result<u16> {
    // SAFETY: zeros are a valid request; the name is copied below and ends with the zeros that remain.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let room = request.ifr_name.len().saturating_sub(1);
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes().take(room)) {
        *to = from as libc::c_char;
    }
    // SAFETY: the request lives through the call, which writes the address's family and bytes into it.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR as _, &raw mut request) })?;
    // SAFETY: the call has succeeded, so the address is what was written.
    Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
}

fn set_up(socket: &OwnedFd, blocks: usize) -> io::Result<()> {
    option(socket, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as libc::c_int))?;
    const FRAME_BYTES: usize = 2048;
    let too_many = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let request = libc::tpacket_req3 {
        tp_block_size: BLOCK_BYTES as libc::c_uint,
        tp_block_nr: libc::c_uint::try_from(blocks).map_err(too_many)?,
        tp_frame_size: FRAME_BYTES as libc::c_uint,
        tp_frame_nr: libc::c_uint::try_from(blocks * (BLOCK_BYTES / FRAME_BYTES)).map_err(too_many)?,
        tp_retire_blk_tov: RETIRE_MS,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    option(socket, libc::PACKET_RX_RING, &request)
}

fn map(socket: &OwnedFd, blocks: usize) -> io::Result<NonNull<u8>> {
    let length = blocks * BLOCK_BYTES;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of the ring just set up; the kernel chooses the address.
    let memory =
        unsafe { libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, socket.as_raw_fd(), 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(memory.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
}

fn bind(socket: &OwnedFd, index: libc::c_int) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: `address` points to `length` readable bytes.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) }).map(drop)
}

fn promiscuous(socket: &OwnedFd, index: libc::c_int) -> io::Result<()> {
    let request = libc::packet_mreq {
        mr_ifindex: index,
        mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    option(socket, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// Shares the interface among the sockets of a group. All packets between two hosts reach the same socket, in both
/// directions, so that connections which belong together (FTP and its data) are followed by one thread. Later fragments
/// go the same way as the first without being put together by the kernel.
fn join(socket: &OwnedFd, group: u16) -> io::Result<()> {
    option(socket, libc::PACKET_FANOUT, &(u32::from(group) | libc::PACKET_FANOUT_CBPF << 16))?;
    let mut program = hosts::program();
    let program = libc::sock_fprog { len: program.len() as libc::c_ushort, filter: program.as_mut_ptr() };
    option(socket, libc::PACKET_FANOUT_DATA, &program)
}
