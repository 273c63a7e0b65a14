//! ZIP archives, written and read strictly: what evidence leaves in.
//!
//! Comes in: named contents, or bytes that somebody calls an archive. Goes out: archives that every system opens
//! (APPNOTE 6.3: stored and deflated entries, names in UTF-8), and single files behind a password (AES-256 as WinZip's
//! AE-2 does it, which 7-Zip and others open). Reading trusts nothing: entries, sizes and places are bounded and must agree
//! with each other; archives of 4 GiB and more are neither written nor read.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ring::{hmac, pbkdf2};

/// The most entries of an archive.
pub const ENTRIES_MAX: usize = 60_000;
/// The longest name of an entry, in bytes.
const NAME_MAX: usize = 1024;
/// The largest archive.
const ARCHIVE_MAX_BYTES: u64 = u32::MAX as u64;
const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Sizes follow the content; the name is UTF-8.
const FLAGS: u16 = 0x0808;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 99;
/// Rounds of PBKDF2, as the format has it.
const ROUNDS: u32 = 1000;
const SALT_BYTES: usize = 16;
const CHECK_BYTES: usize = 2;
const SEAL_BYTES: usize = 10;

/// Why an archive could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The disk, or an archive that ends too early.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not an archive as we write them.
    #[error("this is no archive that can be trusted: {0}")]
    Damaged(&'static str),
    /// It would be too large.
    #[error("the archive would be larger than 4 GiB")]
    Large,
    /// The password is wrong.
    #[error("the password does not open the file")]
    Password,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with `/`.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    packed_bytes: u64,
    crc: u32,
    method: u16,
    flags: u16,
    at: u64,
}

/// Writes an archive from its beginning to its end.
pub struct Writer<W: Write> {
    out: Counted<W>,
    entries: Vec<Entry>,
    time: u32,
}

struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Writer<W> {
    /// Into `out`; every entry gets this moment.
    pub fn new(out: W, time_ns: i64) -> Writer<W> {
        Writer { out: Counted { out, bytes: 0 }, entries: Vec::new(), time: dos_time(time_ns) }
    }

    /// Adds an entry, packed.
    pub fn add(&mut self, name: &str, content: &mut dyn Read) -> Result<(), ArchiveError> {
        if self.entries.len() >= ENTRIES_MAX || name.is_empty() || name.len() > NAME_MAX {
            return Err(ArchiveError::Damaged("too many entries, or a name that is too long"));
        }
        let at = self.out.bytes;
        let mut entry =
            Entry { name: name.to_owned(), bytes: 0, packed_bytes: 0, crc: 0, method: DEFLATED, flags: FLAGS, at };
        local_header(&mut self.out, &entry, self.time, &[])?;
        let before = self.out.bytes;
        let mut crc = crc32fast::Hasher::new();
        let mut packer = DeflateEncoder::new(&mut self.out, Compression::default());
        let mut buffer = vec![0; 1 << 16];
        loop {
            let got = content.read(&mut buffer)?;
            let Some(piece) = buffer.get(..got).filter(|piece| !piece.is_empty()) else { break };
            crc.update(piece);
            entry.bytes += got as u64;
            packer.write_all(piece)?;
            if entry.bytes >= ARCHIVE_MAX_BYTES {
                return Err(ArchiveError::Large);
            }
        }
        packer.finish()?;
        entry.packed_bytes = self.out.bytes - before;
        entry.crc = crc.finalize();
        if self.out.bytes >= ARCHIVE_MAX_BYTES {
            return Err(ArchiveError::Large);
        }
        put32(&mut self.out, &[0x0807_4b50, entry.crc, small(entry.packed_bytes)?, small(entry.bytes)?])?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        let at = self.out.bytes;
        for entry in &self.entries {
            central_header(&mut self.out, entry, self.time, &[])?;
        }
        end(&mut self.out, self.entries.len(), at)?;
        self.out.flush()?;
        Ok(self.out.out)
    }
}

fn local_header(out: &mut impl Write, entry: &Entry, time: u32, extra: &[u8]) -> Result<(), ArchiveError> {
    put32(out, &[LOCAL])?;
    put16(out, &[if entry.method == ENCRYPTED { 51 } else { 20 }, entry.flags, entry.method])?;
    put32(out, &[time])?;
    put32(out, &[entry.crc, small(entry.packed_bytes)?, small(entry.bytes)?])?;
    put16(out, &[short(entry.name.len())?, short(extra.len())?])?;
    out.write_all(entry.name.as_bytes())?;
    Ok(out.write_all(extra)?)
}

fn central_header(out: &mut impl Write, entry: &Entry, time: u32, extra: &[u8]) -> Result<(), ArchiveError> {
    let version = if entry.method == ENCRYPTED { 51 } else { 20 };
    put32(out, &[CENTRAL])?;
    // Made on Unix, so that readers know what the attributes mean: a plain file.
    put16(out, &[0x0300 | version, version, entry.flags, entry.method])?;
    put32(out, &[time, entry.crc, small(entry.packed_bytes)?, small(entry.bytes)?])?;
    put16(out, &[short(entry.name.len())?, short(extra.len())?, 0, 0, 0])?;
    put32(out, &[0o100_600 << 16, small(entry.at)?])?;
    out.write_all(entry.name.as_bytes())?;
    Ok(out.write_all(extra)?)
}

fn end(out: &mut Counted<impl Write>, entries: usize, at: u64) -> Result<(), ArchiveError> {
    let size = out.bytes - at;
    let entries = short(entries)?;
    put32(out, &[END])?;
    put16(out, &[0, 0, entries, entries])?;
    put32(out, &[small(size)?, small(at)?])?;
    Ok(put16(out, &[0])?)
}

fn put16(out: &mut impl Write, values: &[u16]) -> io::Result<()> {
    values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

fn put32(out: &mut impl Write, values: &[u32]) -> io::Result<()> {
    values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

fn small(value: u64) -> Result<u32, ArchiveError> {
    u32::try_from(value).map_err(|_| ArchiveError::Large)
}

fn short(value: usize) -> Result<u16, ArchiveError> {
    u16::try_from(value).map_err(|_| ArchiveError::Large)
}

/// Date and time in UTC as MS-DOS had them; nothing before 1980.
fn dos_time(time_ns: i64) -> u32 {
    let moment = jiff::Timestamp::from_nanosecond(time_ns.into()).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    let year = u32::try_from(i32::from(moment.year()) - 1980).unwrap_or(0).min(127);
    let part = |value: i8| u32::from(value.unsigned_abs());
    let date = (year << 9) | (part(moment.month()) << 5) | part(moment.day());
    let time = (part(moment.hour()) << 11) | (part(moment.minute()) << 5) | (part(moment.second()) / 2);
    (date << 16) | time
}

/// An archive whose directory was read.
pub struct Archive<R> {
    content: R,
    /// Its entries, in the order of its directory.
    pub entries: Vec<Entry>,
}

/// What is left of a piece of bytes.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, bytes: usize) -> Result<&'b [u8], ArchiveError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(ArchiveError::Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn short(&mut self) -> Result<u16, ArchiveError> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into().unwrap_or_default()))
    }

    fn word(&mut self) -> Result<u32, ArchiveError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    pub fn open(mut content: R) -> Result<Archive<R>, ArchiveError> {
        const END_BYTES: u64 = 22;
        let length = content.seek(SeekFrom::End(0))?;
        if !(END_BYTES..ARCHIVE_MAX_BYTES).contains(&length) {
            return Err(ArchiveError::Damaged("it is too short or too long"));
        }
        // We write no comment, so the end is at the end; what else hangs behind it is not ours.
        content.seek(SeekFrom::Start(length - END_BYTES))?;
        let mut tail = Vec::new();
        (&mut content).take(END_BYTES).read_to_end(&mut tail)?;
        let mut tail = Fields(&tail);
        if tail.word()? != END {
            return Err(ArchiveError::Damaged("it has no end"));
        }
        tail.take(4)?;
        let (here, all) = (tail.short()?, tail.short()?);
        let (size, at) = (u64::from(tail.word()?), u64::from(tail.word()?));
        if here != all || usize::from(all) > ENTRIES_MAX || at + size != length - END_BYTES {
            return Err(ArchiveError::Damaged("its directory is not where it says"));
        }
        content.seek(SeekFrom::Start(at))?;
        let mut directory = Vec::new();
        (&mut content).take(size).read_to_end(&mut directory)?;
        let mut fields = Fields(&directory);
        let mut entries = Vec::with_capacity(all.into());
        for _ in 0..all {
            entries.push(read_central(&mut fields, at)?);
        }
        if !fields.0.is_empty() {
            return Err(ArchiveError::Damaged("its directory is longer than it says"));
        }
        Ok(Archive { content, entries })
    }

    /// The content of an entry; ends with an error where it is not what the directory says.
    pub fn read(&mut self, entry: &Entry) -> Result<impl Read + use<'_, R>, ArchiveError> {
        if entry.method != STORED && entry.method != DEFLATED {
            return Err(ArchiveError::Damaged("an entry is packed in a way that we do not use"));
        }
        let packed = self.packed(entry)?;
        let content: Box<dyn Read + '_> = match entry.method {
            DEFLATED => Box::new(DeflateDecoder::new(packed)),
            _ => Box::new(packed),
        };
        let crc = crc32fast::Hasher::new();
        Ok(Checked { content, left: entry.bytes, wanted: entry.crc, crc, is_over: false })
    }

    fn packed(&mut self, entry: &Entry) -> Result<impl Read + use<'_, R>, ArchiveError> {
        self.content.seek(SeekFrom::Start(entry.at))?;
        let mut head = [0; 30];
        self.content.read_exact(&mut head)?;
        let mut fields = Fields(&head);
        if fields.word()? != LOCAL {
            return Err(ArchiveError::Damaged("an entry is not where the directory says"));
        }
        fields.take(22)?;
        let (name, extra) = (fields.short()?, fields.short()?);
        let mut said = vec![0; name.into()];
        self.content.read_exact(&mut said)?;
        if said != entry.name.as_bytes() {
            return Err(ArchiveError::Damaged("an entry has two names"));
        }
        self.content.seek(SeekFrom::Current(extra.into()))?;
        Ok(BufReader::new((&mut self.content).take(entry.packed_bytes)))
    }
}

fn read_central(fields: &mut Fields<'_>, directory_at: u64) -> Result<Entry, ArchiveError> {
    if fields.word()? != CENTRAL {
        return Err(ArchiveError::Damaged("its directory is broken"));
    }
    fields.take(4)?;
    let (flags, method) = (fields.short()?, fields.short()?);
    fields.take(4)?;
    let (crc, packed_bytes, bytes) = (fields.word()?, u64::from(fields.word()?), u64::from(fields.word()?));
    let (name, extra, comment) = (fields.short()?, fields.short()?, fields.short()?);
    fields.take(8)?;
    let at = u64::from(fields.word()?);
    let name =
        std::str::from_utf8(fields.take(name.into())?).map_err(|_| ArchiveError::Damaged("a name is no text"))?;
    fields.take(usize::from(extra) + usize::from(comment))?;
    if !is_plain(name) {
        return Err(ArchiveError::Damaged("an entry would lie outside of its folder"));
    }
    if at + packed_bytes > directory_at {
        return Err(ArchiveError::Damaged("an entry is longer than the archive"));
    }
    Ok(Entry { name: name.to_owned(), bytes, packed_bytes, crc, method, flags, at })
}

/// Whether a name stays below the folder it is unpacked into.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_MAX
        && !name.contains(['\\', '\0', ':'])
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// A content that must be as long as it is said to be, and have its checksum.
struct Checked<'c> {
    content: Box<dyn Read + 'c>,
    left: u64,
    wanted: u32,
    crc: crc32fast::Hasher,
    is_over: bool,
}

impl Read for Checked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "an entry is not what the archive says");
        if self.is_over || into.is_empty() {
            return Ok(0);
        }
        let got = self.content.read(into)?;
        self.left = self.left.checked_sub(got as u64).ok_or_else(wrong)?;
        self.crc.update(into.get(..got).unwrap_or_default());
        if got == 0 {
            self.is_over = true;
            if self.left != 0 || std::mem::take(&mut self.crc).finalize() != self.wanted {
                return Err(wrong());
            }
        }
        Ok(got)
    }
}

/// Key material of a password and salt.
struct Keys {
    cipher: Aes256,
    seal: hmac::Key,
    check: [u8; CHECK_BYTES],
}

impl Keys {
    fn new(password: &str, salt: &[u8]) -> Option<Keys> {
        let mut material = [0; 66];
        let rounds = std::num::NonZeroU32::new(ROUNDS)?;
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, rounds, salt, password.as_bytes(), &mut material);
        let (cipher, rest) = material.split_at_checked(32)?;
        let (seal, check) = rest.split_at_checked(32)?;
        Some(Keys {
            cipher: Aes256::new_from_slice(cipher).ok()?,
            seal: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seal),
            check: check.try_into().ok()?,
        })
    }

    /// Counter mode, the counter from one in little-endian order: the same both ways.
    fn apply(&self, content: &mut [u8]) {
        for (number, block) in (1u128..).zip(content.chunks_mut(16)) {
            let mut stream = number.to_le_bytes().into();
            self.cipher.encrypt_block(&mut stream);
            block.iter_mut().zip(stream.iter()).for_each(|(byte, mask)| *byte ^= mask);
        }
    }

    fn sealed(&self, content: &[u8]) -> Vec<u8> {
        let seal = hmac::sign(&self.seal, content);
        seal.as_ref().get(..SEAL_BYTES).unwrap_or_default().to_vec()
    }
}

/// An archive of one file that opens with a password only.
pub fn locked(name: &str, content: &[u8], password: &str, time_ns: i64) -> Result<Vec<u8>, ArchiveError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    let keys = Keys::new(password, &salt).ok_or(ArchiveError::Password)?;
    let mut hidden = content.to_vec();
    keys.apply(&mut hidden);
    let packed_bytes = (SALT_BYTES + CHECK_BYTES + hidden.len() + SEAL_BYTES) as u64;
    let bytes = content.len() as u64;
    // Encrypted; the name is UTF-8. The checksum stays empty: the seal takes its place.
    let name = name.to_owned();
    let entry = Entry { name, bytes, packed_bytes, crc: 0, method: ENCRYPTED, flags: 0x0801, at: 0 };
    // AE-2, "AE", 256 bits, stored.
    let extra = [0x01, 0x99, 7, 0, 2, 0, b'A', b'E', 3, 0, 0];
    let time = dos_time(time_ns);
    let mut out = Counted { out: Vec::with_capacity(content.len() + 512), bytes: 0 };
    local_header(&mut out, &entry, time, &extra)?;
    let seal = keys.sealed(&hidden);
    for part in [&salt[..], &keys.check, &hidden, &seal] {
        out.write_all(part)?;
    }
    let at = out.bytes;
    central_header(&mut out, &entry, time, &extra)?;
    end(&mut out, 1, at)?;
    Ok(out.out)
}

/// The file of an archive that [`locked`] made.
pub fn unlocked(archive: &[u8], password: &str) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = Archive::open(io::Cursor::new(archive))?;
    let entry = archive.entries.first().cloned().filter(|entry| entry.method == ENCRYPTED);
    let entry = entry.ok_or(ArchiveError::Damaged("no file behind a password is in it"))?;
    let mut hidden = Vec::new();
    archive.packed(&entry)?.read_to_end(&mut hidden)?;
    let mut fields = Fields(&hidden);
    let (salt, check) = (fields.take(SALT_BYTES)?, fields.take(CHECK_BYTES)?);
    let length = fields.0.len().checked_sub(SEAL_BYTES).ok_or(ArchiveError::Damaged("it ends too early"))?;
    let mut content = fields.take(length)?.to_vec();
    let keys = Keys::new(password, salt).filter(|keys| keys.check == check).ok_or(ArchiveError::Password)?;
    if keys.sealed(&content) != fields.0 {
        return Err(ArchiveError::Password);
    }
    keys.apply(&mut content);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
        let mut archive = Archive::open(io::Cursor::new(archive))?;
        let entries = archive.entries.clone();
        let mut contents = Vec::new();
        for entry in entries {
            let mut content = Vec::new();
            archive.read(&entry)?.read_to_end(&mut content)?;
            contents.push((entry.name, content));
        }
        Ok(contents)
    }

    fn sample() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), 1_795_305_600_000_000_000);
        writer.add("a/một.txt", &mut b"mot hai ba ".repeat(1000).as_slice()).unwrap();
        writer.add("empty", &mut io::empty()).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let contents = all(&sample()).unwrap();
        assert_eq!(contents.len(), 2);
        assert_eq!(contents[0], ("a/một.txt".to_owned(), b"mot hai ba ".repeat(1000)));
        assert_eq!(contents[1], ("empty".to_owned(), Vec::new()));
    }

    #[test]
    fn no_changed_or_missing_byte_passes_for_the_content() {
        let (sample, whole) = (sample(), all(&sample()).unwrap());
        for at in 0..sample.len() {
            let mut changed = sample.clone();
            changed[at] ^= 0x55;
            // Times, versions and attributes may differ; contents and names may not.
            if let Ok(contents) = all(&changed) {
                let same: Vec<_> = contents.iter().map(|(_, content)| content).collect();
                assert_eq!(same, whole.iter().map(|(_, content)| content).collect::<Vec<_>>(), "byte {at}");
            }
            assert!(all(&sample[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../up", "/root", "a//b", "a/./b", "c:\\x", "a\\b"] {
            assert!(!is_plain(name), "{name}");
        }
        assert!(is_plain("rules/sigma/web shell.yml"));
    }

    #[test]
    fn a_locked_file_opens_with_its_password_only() {
        let content = b"MZ this program cannot be run".repeat(77);
        let archive = locked("bad.exe", &content, "mat-khau-dai", 0).unwrap();
        assert!(!archive.windows(12).any(|bytes| bytes == b"this program"));
        assert_eq!(unlocked(&archive, "mat-khau-dai").unwrap(), content);
        assert!(matches!(unlocked(&archive, "mat-khau-dai "), Err(ArchiveError::Password)));
        let mut changed = archive.clone();
        changed[100] ^= 1;
        assert!(unlocked(&changed, "mat-khau-dai").is_err());
        assert_eq!(unlocked(&locked("empty", b"", "x", 0).unwrap(), "x").unwrap(), b"");
    }
}
