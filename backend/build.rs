//! Builds into the program what Node's package registry has for it: the font with which receipts show Hanzi, and the portal's pages, every file of
//! `agent-portal/dist` as it is and compressed. Without them, and without Node, the program builds all the same and says at `/` how to get the pages.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Noto Sans Hans, under the SIL Open Font License.
const HANZI: &str = "../agent-portal/node_modules/@embedpdf/fonts-sc/fonts/NotoSansHans-Regular.otf";

/// What is smaller, or compressed by nature, is sent as it is.
const WORTH_COMPRESSING: usize = 512;
const TEXTS: [&str; 9] = ["html", "js", "mjs", "css", "json", "svg", "txt", "webmanifest", "map"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).map(PathBuf::from).map_err(io::Error::other);
    let (here, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    font(&here.join(HANZI), &out)?;
    let dist = here.join("../agent-portal/dist");
    let mut files = Vec::new();
    // A folder to watch that is not there would make every build a new one: whoever makes it touches this file (see `deploy/portal`).
    if dist.join("index.html").is_file() {
        println!("cargo::rerun-if-changed={}", dist.display());
        walk(&dist, &dist, &mut files)?;
        // By name, as they are sought.
        files.sort();
    }
    let mut table = "pub static FILES: &[File] = &[\n".to_owned();
    for (place, (name, file)) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_text = TEXTS.contains(&extension) && bytes.len() >= WORTH_COMPRESSING;
        let brotli = kept(&out, place, "br", is_text, &bytes, brotli)?;
        let gzip = kept(&out, place, "gz", is_text, &bytes, gzip)?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let plain = file.canonicalize()?;
        let etag = format!("\"{:016x}\"", hasher.finish());
        writeln!(
            table,
            "    File {{ path: {name:?}, plain: include_bytes!({plain:?}), brotli: {brotli}, gzip: {gzip}, etag: {etag:?} }},"
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(out.join("portal.rs"), table)
}

/// Without it the viewer of a receipt puts a font of its own in the place.
fn font(file: &Path, out: &Path) -> io::Result<()> {
    let embedded = if file.is_file() {
        println!("cargo::rerun-if-changed={}", file.display());
        format!("Some(include_bytes!({:?}))", file.canonicalize()?)
    } else {
        "None".to_owned()
    };
    fs::write(out.join("font.rs"), format!("static HANZI: Option<&[u8]> = {embedded};\n"))
}

fn walk(dist: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() {
            walk(dist, &path, files)?;
        } else if !is_hidden && !path.extension().is_some_and(|extension| extension == "br" || extension == "gz") {
            let name = path.strip_prefix(dist).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            files.push((name, path));
        }
    }
    Ok(())
}

/// The compressed form as an expression, where it is smaller.
fn kept(
    out: &Path,
    place: usize,
    ending: &str,
    is_text: bool,
    bytes: &[u8],
    compress: fn(&[u8]) -> io::Result<Vec<u8>>,
) -> io::Result<String> {
    let compressed = if is_text { compress(bytes)? } else { Vec::new() };
    if compressed.is_empty() || compressed.len() >= bytes.len() {
        return Ok("None".to_owned());
    }
    let path = out.join(format!("portal-{place}.{ending}"));
    fs::write(&path, compressed)?;
    Ok(format!("Some(include_bytes!({path:?}))"))
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 4_096, 9, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}
