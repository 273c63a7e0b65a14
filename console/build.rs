//! Makes a placeholder page when the interface has not been built, so that the server builds without Node.

use std::path::Path;

const PLACEHOLDER: &str = "<!doctype html>\n<html lang=\"vi\">\n<meta charset=\"utf-8\">\n<title>Lũy Tre</title>\n\
<h1>Lũy Tre</h1>\n<p>Giao diện chưa được dựng. Chạy <code>cargo xtask web</code> rồi dựng lại chương trình.</p>\n\
<p lang=\"en\">The interface has not been built. Run <code>cargo xtask web</code>, then build the program again.</p>\n";

fn main() -> std::io::Result<()> {
    let folder = Path::new("web/dist");
    if !folder.join("index.html").exists() {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("index.html"), PLACEHOLDER)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=data");
    Ok(())
}
