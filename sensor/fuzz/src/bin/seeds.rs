//! Seeds as files, and what is kept of what fuzzing finds.
//!
//! `seeds FOLDER` writes `FOLDER/TARGET/seed-NAME` for all seeds and all that was kept; what else lies there stays.
//! `seeds --keep FOLDER` packs the short ones of `FOLDER/TARGET/*` into `kept/TARGET.bin`.

use std::io::Error;
use std::path::Path;

use luytre_fuzz::seeds;

// Built with the same flags as the targets, this program needs what they need to count where they have been.
libfuzzer_sys::fuzz_target!(|_input: &[u8]| {});

fn main() -> std::io::Result<()> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--keep", folder] => seeds::keep(Path::new(folder), &home.join("kept")),
        [folder] => write(home, Path::new(folder)),
        _ => Err(Error::other("usage: seeds FOLDER, or seeds --keep FOLDER")),
    }
}

fn write(home: &Path, folder: &Path) -> std::io::Result<()> {
    let mut all = seeds::all(&home.join("../src/protocols"))?;
    all.extend(seeds::kept(&home.join("kept"))?);
    for seed in &all {
        let folder = folder.join(seed.target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("seed-{}", seed.name)), &seed.bytes)?;
    }
    println!("{} seeds", all.len());
    Ok(())
}
