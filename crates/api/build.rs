//! Puts the built page (`web/dist`, made by `make page`) into the program; without it the program serves the API alone.

#![expect(clippy::unwrap_used, reason = "a build that cannot read its input has to stop")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../web/dist");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut code = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if name.ends_with(".gz") || name.ends_with(".br") {
            continue;
        }
        let packed = |ending: &str| {
            let beside = PathBuf::from(format!("{}{ending}", file.display()));
            if beside.is_file() { format!("Some({})", included(&beside)) } else { "None".to_owned() }
        };
        writeln!(
            code,
            "    Asset {{ name: {name:?}, plain: {}, gzip: {}, brotli: {} }},",
            included(file),
            packed(".gz"),
            packed(".br")
        )
        .unwrap();
    }
    code.push(']');
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR").unwrap()).join("page.rs"), code).unwrap();
}

fn included(path: &Path) -> String {
    format!("include_bytes!({:?})", path.canonicalize().unwrap().display().to_string())
}

/// A page that was not built is an empty one.
fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, out);
        } else {
            out.push(path);
        }
    }
}
